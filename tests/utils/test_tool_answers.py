import pytest

from domain.errors import LoopError, Permanent, ToolFailed, ToolTimeout, Transient
from utils.tool_answers import bounded, failure, marked, says_failed


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (Transient("the API server is down"), Transient),
        (ToolTimeout("no answer to the change"), ToolTimeout),
        (Permanent("there is no such pod"), ToolFailed),
    ],
)
def test_what_a_server_means_arrives_through_the_text(sent: LoopError, received: type[LoopError]) -> None:
    arrived = failure(f"Error executing tool list_pods: {marked(sent)}")
    assert type(arrived) is received
    assert str(arrived) == str(sent)


def test_text_of_other_servers_is_a_plain_failure() -> None:
    arrived = failure("pods is forbidden")
    assert type(arrived) is ToolFailed and str(arrived) == "pods is forbidden"


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        ('{"success": false, "error": "no such pod"}', True),
        ('{"success": true}', False),
        ('{"items": [{"success": false}]}', False),
        ('log line: {"success": false}', False),
        ('{"success": false', False),
        ("", False),
    ],
)
def test_failures_without_the_error_flag_are_recognised(text: str, failed: bool) -> None:
    assert says_failed(text) is failed


def test_a_long_text_keeps_its_head_and_tail() -> None:
    text = "head" + "x" * 1000 + "tail"
    cut = bounded(text, 100)
    assert cut.startswith("head") and cut.endswith("tail")
    assert "[… 908 characters left out …]" in cut
    assert bounded("short", 100) == "short"
