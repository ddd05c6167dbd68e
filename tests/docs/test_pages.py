"""What the pages say about paths, links, options, variables, YAML and the image is so in the code."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from cli import COMMANDS, cli
from receive.webhook import Webhook
from tests.docs.pages import PAGES, ROOT, Found, blocks, commands, inline_code, links, name_of, read, rows
from utils.settings import Settings
from utils.timing import SystemClock
from web.api import Api
from web.health import Health
from web.metrics import Metrics

README = ROOT / "README.md"
MOST_LINES = 160  # of the README: one page, with its tables
BUILD_STEPS = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN"),
    *("USER", "VOLUME", "WORKDIR"),
}


@pytest.mark.parametrize("link", list(links()), ids=str)
def test_links_lead_somewhere(link: Found) -> None:
    if not link.text.startswith("https://"):
        assert ((ROOT / link.page).parent / link.text).exists()


def test_files_named_in_the_text_exist() -> None:
    for code in inline_code():
        if re.fullmatch(r"[\w/]+/[\w.-]+\.(py|yaml|json|md)", code.text) and code.text != "reports/ID.md":
            assert (ROOT / code.text).exists(), code


def test_the_readme_is_one_page() -> None:
    assert len(read(README).splitlines()) <= MOST_LINES


# Commands and their options


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_explains_itself_and_stands_in_the_readme(name: str) -> None:
    command = _command(name)
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    said = read(README)
    assert f"python main.py {name}" in said or f"make {name}" in said


def test_every_option_named_on_a_page_exists() -> None:
    known = {option for name in COMMANDS for param in _command(name).params for option in param.opts}
    said = [code for code in (*inline_code(), *commands("python main.py")) if "main.py" in code.text]
    said += [code for code in inline_code() if code.text.startswith("--")]
    for code in said:
        unknown = set(re.findall(r"--[a-z][a-z-]*", code.text)) - known
        assert not unknown, code


def _command(name: str) -> click.Command:
    assert isinstance(cli, click.Group)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


# Environment variables


def test_every_variable_named_on_a_page_is_read_by_the_code() -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()} | {"KUBECONFIG"}
    assert "KUBECONFIG" in read(ROOT / "mcp_servers" / "kube" / "connection.py")
    for name, where in _variables():
        if name.startswith("ALERT_AGENT_"):
            assert _is_setting(name), where
        else:
            assert name in known, where


def _variables() -> list[tuple[str, Found]]:
    code = [(re.match(r"[A-Z]+_[A-Z_]*[A-Z]\b|KUBECONFIG\b", code.text), code) for code in inline_code()]
    found = [(match[0], where) for match, where in code if match]
    for line in commands():
        if not line.text.startswith("make"):
            found += [(name, line) for name in re.findall(r"\b([A-Z][A-Z_]+)=", line.text)]
            found += [(name, line) for name in re.findall(r"-e ([A-Z][A-Z_]+)", line.text)]
    return found


def _is_setting(variable: str) -> bool:
    at: Any = Settings
    for part in variable.removeprefix("ALERT_AGENT_").lower().split("__"):
        if part not in at.model_fields:
            return False
        at = at.model_fields[part].annotation
    return True


# HTTP


def test_the_readme_names_exactly_the_paths_that_are_served() -> None:
    nothing: Any = None
    pages = (
        Webhook(nothing, nothing, clock=nothing, metrics=nothing),
        Api(nothing, nothing, clock=nothing),
        Health(
            nothing, nothing, clock=SystemClock(), version="", analyst="",
            worker_runs=nothing, tool_servers=nothing,
        ),
        Metrics(),
    )  # fmt: skip
    served = {(route.method, route.path.replace("{id}", "ID")) for page in pages for route in page.routes()}
    said = {
        tuple(code.split())
        for cell, _ in rows(README, 2)
        for code in re.findall(r"`((?:GET|POST) /[^`]*)`", cell)
    }
    assert said == served


# YAML to paste


def test_the_alertmanager_entry_sends_to_a_path_that_takes_it(tmp_path: Path) -> None:
    (entry,) = [block for block in blocks("yaml") if "webhook_configs" in block.text]
    (receiver,) = yaml.safe_load(entry.text)["receivers"]
    assert receiver["webhook_configs"][0]["url"].endswith(f":{Settings().server.port}/webhook")
    if shutil.which("amtool"):
        file = tmp_path / "alertmanager.yml"
        file.write_text(f"route: {{receiver: {receiver['name']}}}\n{entry.text}")
        _succeeds("amtool", "check-config", str(file))


def test_the_prometheus_entry_is_one(tmp_path: Path) -> None:
    (entry,) = [block for block in blocks("yaml") if "alertmanagers" in block.text]
    (target,) = yaml.safe_load(entry.text)["alerting"]["alertmanagers"][0]["static_configs"]
    assert target["targets"] == [f"alert-agent:{Settings().server.port}"]
    if shutil.which("promtool"):
        file = tmp_path / "prometheus.yml"
        file.write_text(entry.text)
        _succeeds("promtool", "check", "config", "--syntax-only", str(file))


def _succeeds(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# The image


def test_the_image_is_built_of_steps_that_exist_from_files_that_exist() -> None:
    for step in _build_steps():
        assert step[0] in BUILD_STEPS, step
        if step[0] == "COPY" and not any(word.startswith("--from") for word in step):
            sources = [word for word in step[1:-1] if not word.startswith("--")]
            assert all((ROOT / source).exists() for source in sources), step


def test_the_image_runs_a_command_on_the_port_that_the_readme_maps() -> None:
    steps = {step[0]: " ".join(step[1:]) for step in _build_steps()}
    port = str(Settings().server.port)
    assert steps["EXPOSE"] == port
    assert (ROOT / yaml.safe_load(steps["ENTRYPOINT"])[-1]).exists()
    assert yaml.safe_load(steps["CMD"])[0] in COMMANDS
    (run,) = commands("docker run")
    assert f":{port}:{port} " in run.text
    assert f":{steps['VOLUME']} " in run.text


def test_the_image_sets_only_variables_that_are_settings() -> None:
    names = re.findall(r"\b(ALERT_AGENT_\w+)=", read(ROOT / "Dockerfile"))
    assert names
    assert all(_is_setting(name) for name in names)


def _build_steps() -> list[list[str]]:
    text = re.sub(r"\\\n", " ", read(ROOT / "Dockerfile"))
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_pages_are_written_for_readers_anywhere() -> None:
    for page in PAGES:
        assert not re.search(r"/home/|/tmp/|/root/|\bTODO\b", read(page)), name_of(page)
