"""Resource quotas and limit ranges as facts."""

from collections.abc import Iterator

from domain.cluster import LimitRangeState, QuotaState
from mcp_servers.kube.amounts import quantity
from mcp_servers.kube.doc import Doc

BOUNDS = {
    "default": "get a limit of",
    "defaultRequest": "get a request of",
    "min": "need at least",
    "max": "may have at most",
    "maxLimitRequestRatio": "may have a limit/request ratio of at most",
}


def quota_state(quota: Doc) -> QuotaState:
    """One quota; what its status does not say yet comes from its spec."""
    hard = quota.texts("status", "hard") or quota.texts("spec", "hard")
    used = quota.texts("status", "used")
    spent = [name for name, most in hard.items() if _amount(used.get(name, "0")) >= _amount(most)]
    return QuotaState(target=quota.target, hard=hard, used=used, exhausted=tuple(sorted(spent)))


def limit_range_state(limits: Doc) -> LimitRangeState:
    """One limit range in words."""
    return LimitRangeState(target=limits.target, rules=tuple(_rules(limits)))


def _amount(text: str) -> float:
    return quantity(text) or 0.0


def _rules(limits: Doc) -> Iterator[str]:
    for part in limits.parts("spec", "limits"):
        for key, words in BOUNDS.items():
            for resource, amount in sorted(part.texts(key).items()):
                yield f"{part.text('type')}s {words} {amount} {resource}"
