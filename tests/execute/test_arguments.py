"""What an action says becomes the arguments of its tool, typed and strict."""

from typing import Any

import pytest

from domain.alert import Target
from domain.errors import BadInput
from execute.arguments import ARGUMENTS, KIND_OF, checked
from mcp_servers import kube_change
from mcp_servers.kube.cluster_api import ClusterApi
from mcp_servers.kube.connection import Access
from tests.builders import action

NODE = Target(kind="Node", name="node-1")
JOB = Target(kind="Job", namespace="shop", name="once")


def test_every_changing_tool_is_an_action_and_the_other_way_round() -> None:
    served = {tool.name for tool in kube_change.tools(ClusterApi(Access()))}
    assert served == set(ARGUMENTS)
    assert set(KIND_OF) <= served


def test_a_value_that_removes_is_said_and_what_was_not_said_is_left_out() -> None:
    said = checked(action("set_env", variable="LEVEL", value=None))
    assert said["value"] is None and said["kind"] == "Deployment"
    assert "cpu_limit" not in checked(action("set_resources", container="web", memory_limit="1Gi"))


def test_a_patch_goes_on_as_plain_operations() -> None:
    patch = [{"op": "replace", "path": "/spec/paused", "value": False}]
    assert checked(action("patch_resource", patch=patch))["patch"] == patch


def test_tools_of_one_kind_take_names_without_it() -> None:
    said = checked(action("drain_node", target=NODE))
    assert (said["node"], said["within_s"]) == ("node-1", 8) and "namespace" not in said
    assert checked(action("delete_job", target=JOB))["name"] == "once"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("delete_job", {}, "is about a Job"),
        ("set_env", {"variable": "LEVEL"}, "value"),
        ("patch_resource", {"patch": [{"op": "move", "path": "/a"}]}, "op"),
        ("restore_object", {"manifest": {}}, "manifest"),
        ("create_resource", {}, "manifest"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tool: str, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked(action(tool, **arguments))


@pytest.mark.parametrize("tool", ["set_taints", "drain_node"])
def test_node_tools_refuse_other_targets(tool: str) -> None:
    with pytest.raises(BadInput, match="is about a Node"):
        checked(action(tool, add=["a:NoSchedule"]) if tool == "set_taints" else action(tool))


def test_bounds_and_taints_have_to_say_something() -> None:
    scaler = Target(kind="HorizontalPodAutoscaler", namespace="shop", name="web")
    for asked in (action("set_autoscaler_bounds", target=scaler), action("set_taints", target=NODE)):
        with pytest.raises(BadInput, match="name "):
            checked(asked)
