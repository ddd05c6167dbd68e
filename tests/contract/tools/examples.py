"""Write mcp_servers/tool_examples.yaml: one call of every Kubernetes tool, on the sandbox, with its answer.

Run by `make docs-tools`. The sandbox's clock stands still meanwhile, so the answers come out the same again.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from domain.tools import ToolCall
from mcp_servers.tool_pages import EXAMPLES
from sandbox.cluster import Cluster
from sandbox.kinds import kind_of
from sandbox.server import SandboxServer
from tests.bench.bench_tools import toolbox
from tests.contract.tools.manifests import deployment

CALL_S = 10.0
MAX_LINES = 8  # of an answer on the page
SHOP: Mapping[str, object] = {"namespace": "shop"}
WEB = {**SHOP, "kind": "Deployment", "name": "web"}
CLOSED = {**SHOP, "kind": "NetworkPolicy", "name": "closed"}
SPEC = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
PATCH = [{"op": "replace", "path": "/spec/selector/app", "value": "web"}]
DATA = {"kind": "ConfigMap", "name": "flags", "manifest": {"data": {"LEVEL": "warn"}}}


def calls(pod: str) -> list[tuple[str, Mapping[str, object]]]:
    """Every tool once, in an order in which each finds what it needs."""
    return [
        ("list_workloads", SHOP),
        ("describe_workload", WEB),
        ("list_pods", SHOP),
        ("describe_pod", {**SHOP, "name": pod}),
        ("get_pod_logs", {**SHOP, "name": pod, "tail_lines": 3}),
        ("list_events", {**SHOP, "kind": "Deployment", "name": "web"}),
        ("list_nodes", {}),
        ("describe_node", {"node": "node-1"}),
        ("describe_service", {**SHOP, "name": "web"}),
        ("list_network_policies", SHOP),
        ("get_config", {**SHOP, "name": "app"}),
        ("get_quota", SHOP),
        ("describe_volume_claim", {**SHOP, "name": "data"}),
        ("get_resource", {**SHOP, "kind": "cm", "name": "app"}),
        ("patch_resource", {**SHOP, "kind": "Service", "name": "web", "patch": PATCH}),
        ("set_config_key", {**SHOP, "name": "app", "config_key": "LEVEL", "value": "debug"}),
        ("restore_object", {**SHOP, **DATA}),
        ("delete_resource", CLOSED),
        ("create_resource", {**CLOSED, "manifest": {"spec": SPEC}}),
        ("delete_pod", {**SHOP, "name": pod}),
        ("set_image", {**WEB, "image": "app:2"}),
        ("diff_revisions", WEB),
        ("set_env", {**WEB, "variable": "LEVEL", "value": "debug"}),
        ("set_resources", {**WEB, "memory_limit": "512Mi"}),
        ("scale_workload", {**WEB, "replicas": 3}),
        ("rollback_workload", {**WEB, "to_revision": 1}),
        ("set_autoscaler_bounds", {**SHOP, "name": "web", "max_replicas": 6}),
        ("suspend_cronjob", {**SHOP, "name": "nightly"}),
        ("delete_job", {**SHOP, "name": "once"}),
        ("set_taints", {"node": "node-2", "add": ["disk=slow:NoSchedule"]}),
        ("cordon_node", {"node": "node-2"}),
        ("uncordon_node", {"node": "node-2"}),
        ("drain_node", {"node": "node-0", "dry_run": True}),
    ]


async def record() -> dict[str, str]:
    """Each tool's call and answer as text, by the tool's name; a second passes in the cluster between two."""
    cluster = Cluster(nodes=3)
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, *objects()])
    cluster.advance(60)
    pods = [str(found["metadata"]["name"]) for found in cluster.store.list(kind_of("Pod"), "shop")]
    examples = {}
    with tempfile.TemporaryDirectory() as folder:
        async with (
            SandboxServer(cluster.store, cluster.clock, logs=cluster.fleet) as server,
            toolbox(server.write_kubeconfig(Path(folder) / "kubeconfig"), "in-process") as box,
        ):
            await box.wait_ready(CALL_S)
            web = next(name for name in sorted(pods) if name.startswith("web"))
            changing = {spec.name for spec in box.specs() if not spec.read_only}
            for tool, arguments in calls(web):
                key = {"key": f"example-{tool}"} if tool in changing else {}
                call = ToolCall(tool=tool, arguments={**arguments, **key})
                answer = await box.call(call, budget_s=CALL_S)
                examples[tool] = f"{ToolCall(tool=tool, arguments=arguments)}\n{_short(answer.text)}"
                cluster.advance(1)
    return examples


def objects() -> list[dict[str, object]]:
    """What a small shop has."""
    named = {"app": "web"}
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    job = {"template": {"spec": pod}}
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return [
        _object("apps/v1", "Deployment", "web", deployment("web", memory="256Mi")),
        _object("v1", "Service", "web", {"spec": {"selector": {"app": "wbe"}, "ports": [{"port": 80}]}}),
        _object("networking.k8s.io/v1", "NetworkPolicy", "closed", {"spec": SPEC}),
        _object("v1", "ConfigMap", "app", {"data": {"LEVEL": "info", "DB_PASSWORD": "example"}}),
        _object("v1", "ConfigMap", "flags", {"data": {"LEVEL": "info", "NEW": "on"}}),
        _object("v1", "ResourceQuota", "small", {"spec": {"hard": {"configmaps": "3"}}}),
        _object("v1", "PersistentVolumeClaim", "data", {"spec": {**claim, "storageClassName": "none"}}),
        _object("autoscaling/v2", "HorizontalPodAutoscaler", "web",
                {"spec": {"scaleTargetRef": about, "minReplicas": 2, "maxReplicas": 4}}),
        _object("policy/v1", "PodDisruptionBudget", "web",
                {"spec": {"minAvailable": 1, "selector": {"matchLabels": named}}}),
        _object("batch/v1", "CronJob", "nightly",
                {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": job}}}),
        _object("batch/v1", "Job", "once", {"spec": job}),
    ]  # fmt: skip


def _object(version: str, kind: str, name: str, body: Mapping[str, object]) -> dict[str, object]:
    return {**body, "apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}}


def _short(text: str) -> str:
    lines = text.splitlines()
    more = [f"… {len(lines) - MAX_LINES} more lines"] if len(lines) > MAX_LINES else []
    return "\n".join([*lines[:MAX_LINES], *more])


if __name__ == "__main__":
    found = asyncio.run(record())
    EXAMPLES.write_text(yaml.safe_dump(found, default_style="|", allow_unicode=True), encoding="utf-8")
