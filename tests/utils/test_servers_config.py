import json
from pathlib import Path

import pytest

from domain.errors import BadInput
from utils.servers_config import load_servers

HOME = Path(__file__).resolve().parents[2]


def written(folder: Path, servers: dict[str, object]) -> Path:
    path = folder / "servers_config.json"
    path.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return path


def test_entries_of_other_tools_can_be_pasted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "kubernetes": {
                "command": "npx",
                "args": ["-y", "kubernetes-mcp-server@latest"],
                "disabled": False,
                "autoApprove": ["pods_list"],
                "timeout": 60,
            },
            "docs": {"type": "streamable-http", "url": "http://127.0.0.1:9/mcp"},
            "off": {"command": "never", "disabled": True},
        },
    )
    servers = load_servers(path, {}).servers
    assert list(servers) == ["kubernetes", "docs"]
    assert servers["kubernetes"].args == ("-y", "kubernetes-mcp-server@latest")
    assert servers["docs"].transport == "streamable-http"


def test_references_are_filled_from_the_environment(tmp_path: Path) -> None:
    env = {"TOKEN": "${TOKEN}", "LEVEL": "${LEVEL:-info}", "PLAIN": "$HOME"}
    path = written(
        tmp_path,
        {
            "a": {"command": "a", "env": env},
            "b": {"url": "http://127.0.0.1/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}},
        },
    )
    servers = load_servers(path, {"TOKEN": "t0p"}).servers
    assert servers["a"].env == {"TOKEN": "t0p", "LEVEL": "info", "PLAIN": "$HOME"}
    assert servers["b"].headers == {"Authorization": "Bearer t0p"}


@pytest.mark.parametrize(
    ("entry", "field", "said"),
    [
        ({"args": ["x"]}, "mcpServers.a", "needs either a command or a url"),
        ({"command": "x", "url": "http://y"}, "mcpServers.a", "needs either a command or a url"),
        ({"command": "x", "timeout_s": 0}, "mcpServers.a.timeout_s", "greater than 0"),
        ({"command": "x", "transport": "pigeon"}, "mcpServers.a.transport", "Input should be"),
        ({"command": "x", "env": {"K": "${NOT_SET}"}}, "mcpServers.a.env.K", "NOT_SET is not set"),
    ],
)
def test_a_mistake_is_named_with_file_and_field(
    tmp_path: Path, entry: dict[str, object], field: str, said: str
) -> None:
    path = written(tmp_path, {"a": entry})
    with pytest.raises(BadInput, match=said) as caught:
        load_servers(path, {})
    assert caught.value.field == field
    assert str(caught.value).startswith(str(path))


def test_a_file_that_is_missing_or_no_json_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        load_servers(tmp_path / "nowhere.json")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadInput, match="is no JSON"):
        load_servers(tmp_path / "broken.json")
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadInput, match="Field required"):
        load_servers(tmp_path / "other.json")


def test_the_shipped_file_names_our_servers() -> None:
    servers = load_servers(HOME / "servers_config.json", {}).servers
    assert list(servers) == ["kube-read", "kube-change", "prom", "loki"]
