"""Network policies in words: whom they select, and who may come in or be reached."""

from collections.abc import Mapping

from domain.cluster import PolicyState
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.matching import selects
from mcp_servers.kube.selectors import selector_text

NO_ONE = "nobody"


def policy_state(policy: Doc) -> PolicyState:
    """One policy. A direction that it does not restrict is None, one that it closes is empty."""
    types = policy.at("spec", "policyTypes")
    named = {str(kind) for kind in types} if isinstance(types, list) else {"Ingress"}
    return PolicyState(
        target=policy.target,
        selects=_pods(policy.part("spec", "podSelector"), "the namespace"),
        ingress=_rules(policy, "ingress", "from") if "Ingress" in named else None,
        egress=_rules(policy, "egress", "to") if "Egress" in named or policy.has("spec", "egress") else None,
    )


def selects_pod(policy: Doc, labels: Mapping[str, str]) -> bool:
    """Whether the policy is about pods with these labels."""
    return selects(policy.part("spec", "podSelector"), labels)


def _rules(policy: Doc, direction: str, side: str) -> tuple[str, ...]:
    """One sentence a rule; an empty rule lets everything through."""
    return tuple(f"{_peers(rule, side)} on {_ports(rule)}" for rule in policy.parts("spec", direction))


def _peers(rule: Doc, side: str) -> str:
    return " or ".join(map(_peer, rule.parts(side))) or "anybody"


def _peer(peer: Doc) -> str:
    if peer.has("ipBlock"):
        excepted = peer.at("ipBlock", "except")
        but = f" except {', '.join(map(str, excepted))}" if isinstance(excepted, list) and excepted else ""
        return f"addresses {peer.text('ipBlock', 'cidr')}{but}"
    if not peer.has("namespaceSelector"):
        return _pods(peer.part("podSelector"), "the namespace")
    wanted = selector_text(peer.part("namespaceSelector"))
    spaces = f"namespaces with {wanted}" if wanted else "all namespaces"
    return _pods(peer.part("podSelector"), spaces)


def _pods(selector: Doc, where: str) -> str:
    wanted = selector_text(selector)
    return f"pods with {wanted} in {where}" if wanted else f"all pods of {where}"


def _ports(rule: Doc) -> str:
    return ", ".join(map(_port, rule.parts("ports"))) or "all ports"


def _port(port: Doc) -> str:
    number, last = port.text("port") or "any port", port.text("endPort")
    return f"{number}{'-' + last if last else ''}/{port.text('protocol') or 'TCP'}"
