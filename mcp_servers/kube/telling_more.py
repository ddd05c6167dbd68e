"""Answers in words for services, policies, claims, configuration, quotas, one node, usage, any object."""

from collections.abc import Iterator

from domain.cluster import (
    ClaimState,
    LimitRangeState,
    NodeState,
    PolicyState,
    QuotaState,
    ServicePort,
    ServiceState,
)
from mcp_servers.kube.shapes import (
    ClaimList,
    ConfigList,
    NodeDescription,
    ObjectList,
    PolicyList,
    QuotaList,
    ServiceList,
    UsageList,
    UsageRow,
)
from mcp_servers.kube.telling import listed, node_line, pod_line
from utils.quantity import memory_text
from utils.words import counted


def tell_services(found: ServiceList) -> str:
    """Each service with its ports and endpoints; what does not fit comes first."""
    return "\n".join(line for service in found.items for line in _service(service))


def tell_policies(found: PolicyList) -> str:
    """Each policy with a line for each direction."""
    lines = [line for policy in found.items for line in _policy(policy)]
    return "\n".join((f"network policies: {len(found.items)}", *lines))


def tell_claims(found: ClaimList) -> str:
    """Each claim with its volume and class."""
    return "\n".join(line for claim in found.items for line in _claim(claim))


def tell_config(found: ConfigList) -> str:
    """Keys and values; of a Secret the keys alone."""
    lines = []
    for config in found.items:
        lines.append(f"{config.target}: {counted(len(config.keys), 'key')}: {', '.join(config.keys)}")
        lines += (f"{key}: {value}" for key, value in config.values.items())
    return "\n".join(lines)


def tell_quotas(found: QuotaList) -> str:
    """A line for each resource of a quota and each rule of a limit range."""
    lines = [line for item in found.items for line in _quota(item)]
    return "\n".join(lines) or "no quota and no limit range"


def tell_node(found: NodeDescription) -> str:
    """One node, what is requested of it, and its pods."""
    lines = []
    for item in found.items:
        if isinstance(item, NodeState):
            lines += [node_line(item), *_room(item)]
        else:
            lines.append(f"  {pod_line(item)}")
    return "\n".join(lines)


def tell_usage(found: UsageList) -> str:
    """A line for each container or node."""
    return listed("rows", [_usage(row) for row in found.items], found.truncated)


def tell_objects(found: ObjectList) -> str:
    """The one object as JSON, or the names of many."""
    if len(found.items) == 1 and found.items[0].text:
        only = found.items[0]
        return f"{only.kind} {only.namespace}/{only.name}\n{only.text}"
    names = [
        f"{item.kind} {f'{item.namespace}/' if item.namespace else ''}{item.name}" for item in found.items
    ]
    return listed("objects", names, found.truncated)


def _service(service: ServiceState) -> Iterator[str]:
    ports = ", ".join(map(_service_port, service.ports)) or "none"
    ready, unready = len(service.ready_endpoints), len(service.unready_endpoints)
    yield f"{service.target}: {service.type}, {ready} ready and {unready} unready endpoints, ports {ports}"
    yield from (f"  MISMATCH: {mismatch}" for mismatch in service.mismatches)
    selector = ",".join(f"{key}={value}" for key, value in service.selector.items())
    yield f"  selector {selector or '(none)'}: {counted(service.pods_count, 'pod')}"
    yield from (f"  of {owner}" for owner in service.owners)
    yield from (f"  ready {address}" for address in service.ready_endpoints)
    yield from (f"  unready {address}" for address in service.unready_endpoints)


def _service_port(port: ServicePort) -> str:
    name = f"{port.name} " if port.name else ""
    return f"{name}{port.number}/{port.protocol} -> {port.target}"


def _policy(policy: PolicyState) -> Iterator[str]:
    yield f"{policy.target} is about {policy.selects}"
    for direction, rules in (("in", policy.ingress), ("out", policy.egress)):
        if rules is not None:
            yield f"  {direction}: {'; '.join(rules) or 'nothing may pass'}"


def _claim(claim: ClaimState) -> Iterator[str]:
    asked = memory_text(claim.requested_bytes) if claim.requested_bytes else "?"
    has = f", has {memory_text(claim.capacity_bytes)}" if claim.capacity_bytes else ""
    yield f"{claim.target}: {claim.phase}, asks for {asked}{has}, {', '.join(claim.access_modes)}"
    yield from (f"  MISMATCH: {mismatch}" for mismatch in claim.mismatches)
    binding = f", binds {claim.binding_mode}" if claim.binding_mode else ""
    grows = "can grow" if claim.expandable else "cannot grow"
    made_by = f"made by {claim.provisioner or 'nobody'}{binding}"
    yield f"  storage class {claim.storage_class or '(none)'}, {made_by}, {grows}"
    yield f"  volume {claim.volume or '(none)'} {claim.volume_phase}".rstrip()
    yield f"  used by {', '.join(claim.used_by) or 'no pod'}"


def _quota(item: QuotaState | LimitRangeState) -> Iterator[str]:
    if isinstance(item, LimitRangeState):
        yield from (f"{item.target}: {rule}" for rule in item.rules)
        return
    for resource, most in sorted(item.hard.items()):
        spent = "  USED UP" if resource in item.exhausted else ""
        yield f"{item.target}: {resource} {item.used.get(resource, '?')} of {most}{spent}"


def _room(node: NodeState) -> Iterator[str]:
    """Requested against allocatable, as `kubectl describe node` adds it up."""
    if node.requested_cpu_cores is not None:
        most = node.allocatable_cpu_cores
        said = f"{node.requested_cpu_cores:g} of {most or 0:g} cores"
        yield f"  cpu requested {said}{_share(node.requested_cpu_cores, most)}"
    if node.requested_memory_bytes is not None:
        most = node.allocatable_memory_bytes
        said = f"{memory_text(node.requested_memory_bytes)} of {memory_text(most or 0)}"
        yield f"  memory requested {said}{_share(node.requested_memory_bytes, most)}"
    if node.taints:
        yield f"  taints {', '.join(node.taints)}"
    yield f"  {counted(node.pods_count or 0, 'pod')}"


def _share(part: float, whole: float | None) -> str:
    return f" ({part / whole:.0%})" if whole else ""


def _usage(row: UsageRow) -> str:
    name = f"{row.name} {row.container}".rstrip()
    cpu = f"cpu {row.cpu_cores:.3g}{_share(row.cpu_cores, row.cpu_limit_cores)}"
    memory = f"memory {memory_text(row.memory_bytes)}{_share(row.memory_bytes, row.memory_limit_bytes)}"
    return f"{name}: {cpu}, {memory}"
