"""NetworkPolicies: which pods may talk to which. Pure matching; who asks is in network.py."""

import ipaddress
from dataclasses import dataclass

from sandbox.fields import Obj, labels_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.selectors import Selector
from sandbox.state import spec_of
from sandbox.store import Store

POLICY = kind_of("NetworkPolicy")
NAMESPACE = kind_of("Namespace")
FIELDS = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One end of a connection: a pod, or something that only looks like one, such as the cluster's DNS."""

    namespace: str
    labels: dict[str, str]
    ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """The port a connection arrives at, with the name it has in the receiving pod."""

    number: int
    protocol: str = "TCP"
    name: str = ""


def party_of(pod: Obj) -> Party:
    return Party(
        namespace=namespace_of(pod), labels=labels_of(pod), ip=(pod.get("status") or {}).get("podIP", "")
    )


def blocking_policy(store: Store, source: Party, target: Party, port: Port) -> str:
    """The side, `Egress` or `Ingress`, whose policies stop the connection; empty when it passes."""
    if not _lets(store, "Egress", source, target, port):
        return "Egress"
    return "" if _lets(store, "Ingress", target, source, port) else "Ingress"


def _lets(store: Store, direction: str, own: Party, other: Party, port: Port) -> bool:
    """A party no policy speaks of may do everything; otherwise one rule has to allow it."""
    policies = [p for p in store.list(POLICY, own.namespace) if _selects(p, direction, own)]
    if not policies:
        return True
    rules, peers = FIELDS[direction]
    return any(
        _ports_match(rule, port) and _peers_match(store, rule.get(peers) or [], policy, other)
        for policy in policies
        for rule in spec_of(policy).get(rules) or ()
    )


def _selects(policy: Obj, direction: str, own: Party) -> bool:
    spec = spec_of(policy)
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return direction in types and Selector.from_obj(spec.get("podSelector")).matches(own.labels)


def _ports_match(rule: Obj, port: Port) -> bool:
    entries = rule.get("ports") or ()
    return not entries or any(_port_matches(entry, port) for entry in entries)


def _port_matches(entry: Obj, port: Port) -> bool:
    if entry.get("protocol", "TCP") != port.protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return bool(wanted <= port.number <= entry.get("endPort", wanted))
    return bool(wanted == port.name)


def _peers_match(store: Store, peers: list[Obj], policy: Obj, other: Party) -> bool:
    return not peers or any(_peer_matches(store, peer, policy, other) for peer in peers)


def _peer_matches(store: Store, peer: Obj, policy: Obj, other: Party) -> bool:
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], other.ip)
    if "namespaceSelector" in peer:
        space = store.find(NAMESPACE, None, other.namespace)
        labels = labels_of(space) if space is not None else {}
        if not Selector.from_obj(peer["namespaceSelector"]).matches(labels):
            return False
    elif other.namespace != namespace_of(policy):
        return False
    return Selector.from_obj(peer.get("podSelector")).matches(other.labels)


def _in_block(block: Obj, ip: str) -> bool:
    if not ip:
        return False
    address = ipaddress.ip_address(ip)
    if address not in ipaddress.ip_network(block["cidr"], strict=False):
        return False
    return all(
        address not in ipaddress.ip_network(other, strict=False) for other in block.get("except") or ()
    )
