"""The lines that people can type instead of calling a tool."""

import pytest

from domain.tools import ToolCall
from execute.arguments import ARGUMENTS
from report.kubectl import LINES, as_kubectl

WEB = {"namespace": "shop", "kind": "Deployment", "name": "web"}


SHOP = "kubectl -n shop"


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        (
            "rollback_workload",
            {**WEB, "to_revision": 2},
            f"{SHOP} rollout undo deployment/web --to-revision=2",
        ),
        ("scale_workload", {**WEB, "replicas": 3}, f"{SHOP} scale deployment/web --replicas=3"),
        ("restart_workload", WEB, f"{SHOP} rollout restart deployment/web"),
        (
            "set_resources",
            {**WEB, "container": "a", "memory_limit": "1Gi", "cpu_limit": "none", "cpu_request": "1"},
            f"{SHOP} set resources deployment/web -c a --limits=memory=1Gi,cpu=0 --requests=cpu=1",
        ),
        ("uncordon_node", {"node": "node-1"}, "kubectl uncordon node-1"),
        (
            "set_image",
            {**WEB, "container": "a", "image": "x;rm -rf"},
            f"{SHOP} set image deployment/web 'a=x;rm -rf'",
        ),
        ("another_tool", {}, ""),
    ],
)
def test_a_call_is_said_as_the_line_that_does_it(tool: str, arguments: dict[str, object], line: str) -> None:
    assert as_kubectl(ToolCall(tool=tool, arguments=arguments)) == line


def test_every_action_has_its_line() -> None:
    assert set(ARGUMENTS) == set(LINES)
