"""The lines that people can type instead of calling a tool."""

import pytest

from domain.tools import ToolCall
from execute.arguments import ARGUMENTS
from report.kubectl import LINES, as_kubectl

WEB = {"namespace": "shop", "kind": "Deployment", "name": "web"}


@pytest.mark.parametrize(
    ("tool", "arguments", "line"),
    [
        (
            "rollback_workload",
            {**WEB, "to_revision": 2},
            "kubectl -n shop rollout undo deployment/web --to-revision=2",
        ),
        ("scale_workload", {**WEB, "replicas": 3}, "kubectl -n shop scale deployment/web --replicas=3"),
        ("restart_workload", WEB, "kubectl -n shop rollout restart deployment/web"),
        (
            "set_resources",
            {**WEB, "container": "app", "memory_limit": "1Gi", "cpu_limit": "none", "cpu_request": "100m"},
            "kubectl -n shop set resources deployment/web -c app --limits=memory=1Gi,cpu=0 --requests=cpu=100m",
        ),
        ("uncordon_node", {"node": "node-1"}, "kubectl uncordon node-1"),
        (
            "set_image",
            {**WEB, "container": "a", "image": "x;rm -rf"},
            "kubectl -n shop set image deployment/web 'a=x;rm -rf'",
        ),
        ("another_tool", {}, ""),
    ],
)
def test_a_call_is_said_as_the_line_that_does_the_same(
    tool: str, arguments: dict[str, object], line: str
) -> None:
    assert as_kubectl(ToolCall(tool=tool, arguments=arguments)) == line


def test_every_action_has_its_line() -> None:
    assert set(ARGUMENTS) == set(LINES)
