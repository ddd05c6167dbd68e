"""config.yaml, the settings and the page about them say the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, SecretStr

from tests.docs.pages import ROOT, inline_code, read, rows
from utils.settings import HOME, Settings

PAGE = ROOT / "docs" / "configuration.md"
UNSAID = {  # defaults that a file cannot say
    "files.policy": "it lies beside the code",
    "files.servers": "it lies beside the code",
    "log.json_lines": "it depends on the terminal",
}
ON_THE_PAGE = {"empty": ("", None), "beside the code": (HOME / "policy.yaml", HOME / "servers_config.json")}


@pytest.fixture
def defaults(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Every setting that a file may hold, by its dotted name, with its default."""
    monkeypatch.chdir("/")
    for name in ("WEBHOOK_TOKEN", "API_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return {name: value for name, value in leaves(Settings()) if name not in aliases()}


def leaves(model: BaseModel, before: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield before + name, value


def aliases() -> dict[str, str]:
    """Settings that come from the environment alone, and the variable of each."""
    return {
        name: str(field.validation_alias)
        for name, field in Settings.model_fields.items()
        if field.validation_alias
    }


def flat(body: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def test_config_yaml_says_every_setting_with_its_default(defaults: dict[str, Any]) -> None:
    said = dict(flat(yaml.safe_load(read(ROOT / "config.yaml"))))
    assert said == {name: plain(value) for name, value in defaults.items() if name not in UNSAID}


def test_the_page_says_every_setting_with_its_default(defaults: dict[str, Any]) -> None:
    said = {
        cells[0].strip("`"): cells[1].strip("`") for cells in rows(PAGE, 3) if cells[0].strip("`") in defaults
    }
    assert said.keys() == defaults.keys()
    for name, text in said.items():
        allowed = ON_THE_PAGE.get(text)
        assert defaults[name] in allowed if allowed else _same(text, defaults[name]), name


def _same(text: str, value: Any) -> bool:
    if isinstance(value, bool):
        return text == str(value).lower()
    return float(text) == value if isinstance(value, float | int) else text == str(value)


def test_the_page_and_the_file_name_every_variable_that_only_the_environment_has() -> None:
    page = {cells[0].strip("`") for cells in rows(PAGE, 2)}
    assert set(aliases().values()) <= page
    config = read(ROOT / "config.yaml")
    secrets = [
        alias
        for name, alias in aliases().items()
        if isinstance(Settings.model_fields[name].default, SecretStr)
    ]
    assert not [alias for alias in secrets if alias not in config]


def test_no_page_names_a_setting_that_does_not_exist(defaults: dict[str, Any]) -> None:
    sections = {name.split(".")[0] for name in defaults if "." in name}
    for code in inline_code():
        head, _, rest = code.text.partition(".")
        if head in sections and rest not in ("", "*", "py"):
            assert code.text in defaults, code
