"""Usage of quotas, kept up from change to change instead of being counted anew for every pod."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.admission.quota_cost import Usage, cost, in_scope, only
from sandbox.fields import Obj, get_in, namespace_of, uid_of
from sandbox.kinds import Kind
from sandbox.store import Store
from sandbox.tables import Change


@dataclass(slots=True)
class Account:
    """What one quota counts, as of a revision; `spec` is the quota's own, to notice when it changes."""

    spec: Obj | None
    kinds: list[Kind]
    revision: int
    total: Usage


class Ledger:
    """Accounts of one store's quotas; always as true as a full count."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._accounts: dict[str, Account] = {}

    def used(self, quota: Obj) -> Usage:
        """What the quota's namespace uses of each limited resource now."""
        account = self._accounts.get(uid_of(quota))
        if account is None or account.spec != quota.get("spec") or not self._can_follow(account):
            account = self._accounts[uid_of(quota)] = self._opened(quota)
        for kind in account.kinds:
            for change in self._store.table(kind).changes_since(account.revision):
                _book(account, quota, kind, change)
        account.revision = self._store.revision
        return account.total

    def _opened(self, quota: Obj) -> Account:
        """A full count."""
        hard = get_in(quota, ("spec", "hard"), {})
        kinds = counted_kinds(self._store, hard)
        total: Usage = dict.fromkeys(hard, Decimal(0))
        account = Account(quota.get("spec"), kinds, self._store.revision, total)
        for kind in kinds:
            for obj in self._store.list(kind, namespace_of(quota)):
                _add(account, quota, kind, obj, 1)
        return account

    def _can_follow(self, account: Account) -> bool:
        """Whether all changes since are still known, and no newly stored kind must be counted."""
        known = all(self._store.table(kind).forgotten <= account.revision for kind in account.kinds)
        return known and account.kinds == counted_kinds(self._store, account.total)


def _book(account: Account, quota: Obj, kind: Kind, change: Change) -> None:
    if change.record.key[0] != namespace_of(quota):
        return
    if change.old is not None:
        _add(account, quota, kind, change.old, -1)
    if change.type != "DELETED":
        _add(account, quota, kind, change.object, 1)


def _add(account: Account, quota: Obj, kind: Kind, obj: Obj, times: int) -> None:
    if in_scope(quota, kind, obj):
        for name, more in only(cost(kind, obj), account.total).items():
            account.total[name] += more * times


def counted_kinds(store: Store, hard: Usage | dict[str, str]) -> list[Kind]:
    """The stored kinds that count towards any of these resources."""
    compute = {"pods", "cpu", "memory", "ephemeral-storage"}
    wanted = set()
    for name in hard:
        wanted.add(name.removeprefix("count/"))
        if name.rpartition(".")[2] in compute and "storageclass" not in name:
            wanted.add("pods")
        if "storage" in name or "persistentvolumeclaims" in name:
            wanted.add("persistentvolumeclaims")
        if name.startswith("services."):
            wanted.add("services")
    return [kind for kind in store.kinds() if kind.qualified in wanted]
