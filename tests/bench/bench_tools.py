"""How quick the Kubernetes tools are and how much they say: `python -m tests.bench.bench_tools`.

Measured on the sandbox with one namespace of 200 pods, in this process and over stdio; then on a list of
50,000 pods. Tokens are estimated as UTF-8 bytes by `utils.tool_texts.BYTES_PER_TOKEN`.
"""

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from analyze.llm_prompt import tool_line
from domain.tools import ToolCall
from mcp_servers import kube_change, kube_read
from mcp_servers.kube.connection import Access
from mcp_servers.kube.look_pods import PodLooks
from sandbox.cluster import Cluster
from sandbox.kinds import kind_of
from sandbox.server import SandboxServer
from tests.mcp_servers.large_cluster import Lag, large_cluster
from tests.sandbox.worlds import deployment, pod_template
from utils.mcp_client import McpToolbox
from utils.servers_config import ServersConfig
from utils.timing import SystemClock
from utils.tool_texts import BYTES_PER_TOKEN, tokens_count

PODS_COUNT, ROUNDS_COUNT, CALL_S = 200, 30, 20.0
SPACE: Mapping[str, object] = {"namespace": "default"}
WEB = {**SPACE, "kind": "Deployment", "name": "web-0"}


def calls(pod: str) -> list[ToolCall]:
    """The looks that are timed, the usual arguments."""
    named = {**SPACE, "name": pod}
    return [
        ToolCall(tool="list_workloads", arguments=SPACE),
        ToolCall(tool="describe_workload", arguments=WEB),
        ToolCall(tool="list_pods", arguments=SPACE),
        ToolCall(tool="list_pods", arguments={**SPACE, "only_unhealthy": True}),
        ToolCall(tool="describe_pod", arguments=named),
        ToolCall(tool="get_pod_logs", arguments=named),
        ToolCall(tool="list_events", arguments=SPACE),
        ToolCall(tool="list_nodes"),
        ToolCall(tool="describe_node", arguments={"node": "node-1"}),
        ToolCall(tool="describe_service", arguments={**SPACE, "name": "kubernetes"}),
        ToolCall(tool="get_quota", arguments=SPACE),
        ToolCall(tool="get_resource", arguments={"kind": "Pod", **named}),
    ]


async def main() -> None:
    """Everything in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster = filled_cluster()
        pod = str(cluster.store.list(kind_of("Pod"))[0]["metadata"]["name"])
        async with SandboxServer(cluster.store, cluster.clock, logs=cluster.fleet) as server:
            kubeconfig = server.write_kubeconfig(folder / "kubeconfig")
            for transport in ("in-process", "stdio"):
                say(f"\n{transport}: median ms, p99 ms, tokens of the text, tokens of the structure")
                async with toolbox(kubeconfig, transport) as box:
                    await box.wait_ready(CALL_S)
                    for call in calls(pod):
                        say(await timed(box, call))
                    if transport == "in-process":
                        say_schemas(box)
        await large(folder)


def filled_cluster() -> Cluster:
    """Two deployments of 100 pods each, running; it stands still while it is looked at."""
    cluster = Cluster(nodes=10)
    size = {"requests": {"cpu": "50m", "memory": "64Mi"}}
    template = pod_template(containers=[{"name": "app", "image": "shop/app:1", "resources": size}])
    cluster.apply([deployment(f"web-{number}", PODS_COUNT // 2, template) for number in range(2)])
    cluster.advance(60)
    return cluster


def toolbox(kubeconfig: Path, transport: str) -> McpToolbox:
    """Both servers over one transport."""
    servers = {}
    for name in (kube_read.NAME, kube_change.NAME):
        entry: dict[str, object] = {"command": "python", "args": ["-m", "mcp_servers.serve", name]}
        entry |= {"env": {"KUBECONFIG": str(kubeconfig)}}
        servers[name] = entry | ({"transport": "stdio"} if transport == "stdio" else {})
    access = Access(kubeconfig=str(kubeconfig))
    ours = {
        kube_read.NAME: lambda: kube_read.build(access),
        kube_change.NAME: lambda: kube_change.build(access),
    }
    config = ServersConfig.model_validate({"mcpServers": servers})
    return McpToolbox(config, builtin=ours, clock=SystemClock())


async def timed(box: McpToolbox, call: ToolCall) -> str:
    """One line about one call."""
    answer = await box.call(call, budget_s=CALL_S)
    took_ms = []
    for _ in range(ROUNDS_COUNT):
        began = time.perf_counter()
        await box.call(call, budget_s=CALL_S)
        took_ms.append((time.perf_counter() - began) * 1000)
    p99 = statistics.quantiles(took_ms, n=100, method="inclusive")[98]
    structure = tokens_count(json.dumps(answer.data))
    words = f"{call.tool}{' (only_unhealthy)' if 'only_unhealthy' in call.arguments else ''}"
    times = f"{statistics.median(took_ms):8.1f} {p99:8.1f}"
    return f"  {words:28} {times} {tokens_count(answer.text):8} {structure:8}"


def say_schemas(box: McpToolbox) -> None:
    """What knowing the tools costs: as one incident's prompt lists them, and as JSON schemas."""
    for title, read_only in (("looking", True), ("changing", False)):
        specs = [spec for spec in box.specs() if spec.read_only is read_only]
        lines = tokens_count("\n".join(map(tool_line, specs)))
        parts = [[spec.name, spec.description, spec.input_schema] for spec in specs]
        schemas = tokens_count(json.dumps(parts))
        say(f"  {len(specs)} {title} tools: {lines} tokens as lines, {schemas} as JSON schemas")
    say(f"  (tokens are UTF-8 bytes / {BYTES_PER_TOKEN}, an estimate)")


async def large(folder: Path) -> None:
    """A list of 50,000 pods: time, how long the loop was held up, how much the process grew."""
    async with large_cluster(50_000, folder) as api:
        looks = PodLooks(api)
        await looks.list_pods("shop", limit=1)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        async with Lag() as lag:
            found = await looks.list_pods("shop", only_unhealthy=True, limit=100)
        took_s = time.perf_counter() - began
        grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    seen = "part" if found.truncated else "all"
    held_ms = lag.longest_s * 1000
    say(f"\n50,000 pods, {seen} looked through in {took_s:.1f} s")
    say(f"  loop held up for {held_ms:.0f} ms at most, process grown by {grown_mib:.0f} MiB")


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    asyncio.run(main())
