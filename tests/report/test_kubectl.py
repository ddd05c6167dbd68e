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
        (
            "set_env",
            {**WEB, "container": "a", "variable": "LEVEL", "value": "a b"},
            f"{SHOP} set env deployment/web -c a 'LEVEL=a b'",
        ),
        (
            "set_env",
            {**WEB, "variable": "LEVEL", "value": None},
            f"{SHOP} set env deployment/web -c '*' LEVEL-",
        ),
        (
            "set_config_key",
            {"namespace": "shop", "name": "app", "config_key": "k", "value": "v"},
            f"""{SHOP} patch configmap app --type=merge -p '{{"data":{{"k":"v"}}}}'""",
        ),
        (
            "patch_resource",
            {
                "namespace": "shop",
                "kind": "Service",
                "name": "web",
                "patch": [{"op": "remove", "path": "/spec/selector/a"}],
            },
            f"""{SHOP} patch service web --type=json -p '[{{"op":"remove","path":"/spec/selector/a"}}]'""",
        ),
        (
            "delete_resource",
            {"namespace": "shop", "kind": "NetworkPolicy", "name": "closed"},
            f"{SHOP} delete networkpolicy closed",
        ),
        ("drain_node", {"node": "node-1"}, "kubectl drain node-1 --ignore-daemonsets"),
        (
            "set_taints",
            {"node": "n", "add": ["a=b:NoSchedule"], "remove": ["c=d:NoExecute"]},
            "kubectl taint node n c:NoExecute- a=b:NoSchedule --overwrite",
        ),
        ("delete_job", {"namespace": "shop", "name": "once"}, f"{SHOP} delete job once"),
        (
            "suspend_cronjob",
            {"namespace": "shop", "name": "nightly"},
            f"""{SHOP} patch cronjob nightly -p '{{"spec":{{"suspend":true}}}}'""",
        ),
        (
            "expand_volume_claim",
            {"namespace": "shop", "name": "data", "size": "2Gi"},
            f"{SHOP} patch persistentvolumeclaim data -p "
            """'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}'""",
        ),
        (
            "set_autoscaler_bounds",
            {"namespace": "shop", "name": "web", "max_replicas": 8},
            f"""{SHOP} patch horizontalpodautoscaler web -p '{{"spec":{{"maxReplicas":8}}}}'""",
        ),
        ("another_tool", {}, ""),
    ],
)
def test_a_call_is_said_as_the_line_that_does_it(tool: str, arguments: dict[str, object], line: str) -> None:
    assert as_kubectl(ToolCall(tool=tool, arguments=arguments)) == line


def test_every_action_has_its_line_but_those_that_need_a_whole_manifest() -> None:
    assert set(ARGUMENTS) - set(LINES) == {"create_resource", "restore_object"}
    assert set(LINES) <= set(ARGUMENTS)
