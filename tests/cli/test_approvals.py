"""Who answers is known, or asked for."""

import pytest
from click.testing import CliRunner

from cli.approvals import approve


def test_where_the_system_knows_no_user_the_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    result = CliRunner().invoke(approve, ["inc-20261120-0300-cafe"])
    assert result.exit_code == 1
    assert "say who answers with --by NAME" in result.output
