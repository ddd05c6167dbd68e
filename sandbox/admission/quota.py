"""ResourceQuotas: what a namespace uses, and the refusal of what would be too much.

Usage is always counted from the objects themselves, so it cannot drift; `status.used` only reports it.
"""

from decimal import Decimal

from sandbox.admission.quota_cost import COMPUTE, Usage, cost, in_scope, only, written
from sandbox.admission.quota_ledger import Ledger
from sandbox.amounts import amount
from sandbox.errors import Forbidden
from sandbox.fields import Obj, get_in, name_of, namespace_of
from sandbox.kinds import Kind, kind_of
from sandbox.store import Store


class Quotas:
    """The ResourceQuota plugin on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind = kind_of("ResourceQuota")
        self._ledger = Ledger(store)

    def charge(self, kind: Kind, obj: Obj, *, dry_run: bool) -> None:
        """Raises Forbidden when the new object does not fit; else writes the new usage into the quotas."""
        for quota in self._store.list(self._kind, namespace_of(obj)) if kind.namespaced else ():
            hard = get_in(quota, ("spec", "hard"), {})
            asked = only(cost(kind, obj), hard) if in_scope(quota, kind, obj) else {}
            if kind.kind == "Pod" and in_scope(quota, kind, obj):
                _check_specified(kind, obj, quota, hard)
            if asked:
                self._check(kind, obj, quota, asked, dry_run=dry_run)

    def _check(self, kind: Kind, obj: Obj, quota: Obj, asked: Usage, *, dry_run: bool) -> None:
        hard, now = get_in(quota, ("spec", "hard"), {}), self._ledger.used(quota)
        over = sorted(name for name, more in asked.items() if now[name] + more > amount(hard[name]))
        if over:
            limits = {name: amount(hard[name]) for name in over}
            parts = (
                f"requested: {_text(over, asked)}, used: {_text(over, now)}, limited: {_text(over, limits)}"
            )
            raise Forbidden.because(kind, name_of(obj), f"exceeded quota: {name_of(quota)}, {parts}")
        if not dry_run:
            then = {name: now[name] + asked.get(name, Decimal(0)) for name in hard}
            self._store.update(self._kind, {**quota, "status": status_of(quota, then)}, subresource="status")


def usage(store: Store, quota: Obj) -> Usage:
    """What the quota's namespace uses of each limited resource now, from a full count."""
    return Ledger(store).used(quota)


def status_of(quota: Obj, used: Usage) -> Obj:
    """The status that reports such usage."""
    hard = get_in(quota, ("spec", "hard"), {})
    return {"hard": hard, "used": {name: written(name, used.get(name, Decimal(0))) for name in hard}}


def _check_specified(kind: Kind, pod: Obj, quota: Obj, hard: dict[str, str]) -> None:
    """A quota on compute resources obliges every container to name them."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    missing = set()
    for name in hard:
        field, _, resource = name.rpartition(".")
        if resource in COMPUTE and field in ("", "requests", "limits"):
            path = ("resources", field or "requests", resource)
            if any(get_in(item, path) is None for item in containers):
                missing.add(name)
    if missing:
        why = f"failed quota: {name_of(quota)}: must specify {','.join(sorted(missing))}"
        raise Forbidden.because(kind, name_of(pod), why)


def _text(names: list[str], values: Usage) -> str:
    return ",".join(f"{name}={written(name, values[name])}" for name in names)
