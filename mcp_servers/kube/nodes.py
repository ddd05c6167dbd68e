"""Nodes as `NodeState`. Maintenance is only what somebody announced, never guessed from a cordon alone."""

import re
from collections.abc import Iterator

from domain.cluster import NodeState
from mcp_servers.kube.amounts import quantity
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.marks import CHANGE_KEY

PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")
ROLE = "node-role.kubernetes.io/"
# Labels, annotations and taints by which people and upgrade tools (kured, Cluster API, cloud upgraders,
# the node maintenance operator) say that work on a node is planned.
ANNOUNCES = re.compile(
    r"maintenance|planned|decommission|upgrading|(reboot|upgrade|update)-(in-progress|scheduled|started)",
    re.I,
)
DENIES = ("false", "no", "none", "0", "off")  # an empty value announces: many labels have only a key


def node_state(
    node: Doc,
    pods_count: int | None = None,
    *,
    requested_cpu_cores: float | None = None,
    requested_memory_bytes: int | None = None,
) -> NodeState:
    """The facts of one node; its pods are counted by the caller."""
    ready = node.condition("Ready")
    return NodeState(
        target=node.target,
        ready=ready.text("status") == "True",
        cordoned=node.flag("spec", "unschedulable"),
        ready_message=_ready_message(ready),
        pressures=tuple(name for name in PRESSURES if node.condition(name).text("status") == "True"),
        taints=tuple(taint_text(taint) for taint in node.parts("spec", "taints")),
        roles=tuple(sorted(label[len(ROLE) :] for label in node.labels if label.startswith(ROLE))),
        maintenance=maintenance(node),
        change_key=node.annotations.get(CHANGE_KEY, ""),
        uid=node.uid,
        pods_count=pods_count,
        allocatable_cpu_cores=quantity(node.text("status", "allocatable", "cpu")),
        allocatable_memory_bytes=_whole(quantity(node.text("status", "allocatable", "memory"))),
        requested_cpu_cores=requested_cpu_cores,
        requested_memory_bytes=requested_memory_bytes,
    )


def maintenance(node: Doc) -> str:
    """The label, annotation or taint that announces planned work, quoted; empty when none does."""
    return next(_announcements(node), "")


def _announcements(node: Doc) -> Iterator[str]:
    for what, entries in (("label", node.labels), ("annotation", node.annotations)):
        for key, value in sorted(entries.items()):
            if ANNOUNCES.search(key) and value.lower() not in DENIES:
                yield f"{what} {key}={value[:200]}"
    for taint in node.parts("spec", "taints"):
        if ANNOUNCES.search(taint.text("key")):
            yield f"taint {taint_text(taint)}"


def _ready_message(ready: Doc) -> str:
    if not ready.raw:
        return "the node never reported that it is ready"
    return "" if ready.text("status") == "True" else f"{ready.text('reason')}: {ready.text('message')}"


def taint_text(taint: Doc) -> str:
    """A taint as kubectl writes it: `key=value:Effect`."""
    value = taint.text("value")
    return f"{taint.text('key')}{'=' + value if value else ''}:{taint.text('effect')}"


def _whole(amount: float | None) -> int | None:
    return None if amount is None else int(amount)
