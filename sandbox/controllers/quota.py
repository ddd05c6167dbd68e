"""ResourceQuotas: keeps `status.used` true when objects go or end. Refusing too much is for admission."""

from sandbox.admission.quota import status_of, usage
from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.fields import namespace_of
from sandbox.kinds import KINDS, kind_of
from sandbox.state import Key, is_finished, key_of, with_status
from sandbox.store import Store
from sandbox.tables import Change

QUOTA = kind_of("ResourceQuota")
NOT_COUNTED = ("Event", "Lease", "Endpoints", "EndpointSlice", "ResourceQuota")


class QuotaController:
    """Counts again whenever something countable in a quota's namespace comes, goes or ends."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(QUOTA, self.queue.on_change)
        for kind in KINDS:
            if kind.namespaced and kind.view_of is None and kind.kind not in NOT_COUNTED:
                store.subscribe(kind, self._content_changed)

    def _content_changed(self, change: Change) -> None:
        resized = change.object["kind"] == "PersistentVolumeClaim"
        if change.type == "MODIFIED" and not is_finished(change.object) and not resized:
            return
        for quota in self._store.list(QUOTA, namespace_of(change.object)):
            self.queue.add(key_of(quota))

    def _sync(self, key: Key) -> None:
        quota = self._store.find(QUOTA, *key)
        if quota is None:
            return
        status = status_of(quota, usage(self._store, quota))
        if status != quota.get("status"):
            self._store.update(QUOTA, with_status(quota, status), subresource="status")
