"""What only pods have: binding to a node, eviction within disruption budgets."""

from sandbox.api.bodies import media_type, parse
from sandbox.api.call import Call
from sandbox.errors import BadRequest, Conflict, InternalError, TooManyRequests
from sandbox.fields import Obj, get_in, is_deleting, labels_of, meta, name_of, with_in
from sandbox.kinds import Kind, kind_of
from sandbox.selectors import Selector
from sandbox.store import Store

CREATED: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_EVICTION = Kind(group="policy", version="v1", kind="Eviction", plural="evictions")


class PodDoors:
    """Subresources of pods on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pods = kind_of("Pod")
        self._budgets = kind_of("PodDisruptionBudget")

    def bind(self, call: Call, body: bytes) -> tuple[int, Obj]:
        """Puts a pod on a node, once; raises Conflict when it has one."""
        binding = parse(body, media_type(call), self._pods)
        node = get_in(binding, ("target", "name"), "")
        if not node:
            raise BadRequest("target.name is required")
        pod = self._store.get(self._pods, call.namespace, call.name or "")
        current = get_in(pod, ("spec", "nodeName"))
        if current:
            raise Conflict.because(
                self._pods, name_of(pod), f'pod {name_of(pod)} is already assigned to node "{current}"'
            )
        self._store.update(self._pods, with_in(pod, ("spec", "nodeName"), node), dry_run=call.dry_run)
        return 201, CREATED

    def evict(self, call: Call, body: bytes) -> tuple[int, Obj]:
        """Deletes a pod unless a disruption budget forbids it now; raises TooManyRequests then."""
        eviction = parse(body, media_type(call), _EVICTION)
        options = eviction.get("deleteOptions") or {}
        pod = self._store.get(self._pods, call.namespace, call.name or "")
        dry_run = call.dry_run or options.get("dryRun") == ["All"]
        if _counts(pod):
            self._spend(pod, dry_run=dry_run)
        conditions = options.get("preconditions") or {}
        self._store.delete(
            self._pods,
            call.namespace,
            name_of(pod),
            grace_s=options.get("gracePeriodSeconds"),
            uid=conditions.get("uid"),
            dry_run=dry_run,
        )
        return 201, CREATED

    def _spend(self, pod: Obj, *, dry_run: bool) -> None:
        """Takes one disruption from the pod's budget, and writes that down as the real server does."""
        found = [pdb for pdb in self._store.list(self._budgets, meta(pod)["namespace"]) if _covers(pdb, pod)]
        if len(found) > 1:
            raise InternalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource "
                "does not support."
            )
        for pdb in found:
            self._check(pdb)
            left = pdb["status"]["disruptionsAllowed"] - 1
            marks = {**(pdb["status"].get("disruptedPods") or {}), name_of(pod): self._store.clock.stamp()}
            status = {**pdb["status"], "disruptionsAllowed": left, "disruptedPods": marks}
            self._store.update(
                self._budgets, {**pdb, "status": status}, subresource="status", dry_run=dry_run
            )

    def _check(self, pdb: Obj) -> None:
        status = pdb.get("status") or {}
        if status.get("observedGeneration", 0) < meta(pdb).get("generation", 1):
            raise _refusal(f"The disruption budget {name_of(pdb)} is still being processed by the server.")
        if status.get("disruptionsAllowed", 0) < 1:
            needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
            raise _refusal(
                f"The disruption budget {name_of(pdb)} needs {needs} healthy pods and has {has} currently"
            )


def _refusal(why: str) -> TooManyRequests:
    cause = {"reason": "DisruptionBudget", "message": why}
    return TooManyRequests(
        "Cannot evict pod as it would violate the pod's disruption budget.", {"causes": [cause]}
    )


def _counts(pod: Obj) -> bool:
    """Pods that run count against a budget; pending, finished and leaving ones do not."""
    return get_in(pod, ("status", "phase"), "Pending") not in (
        "Pending",
        "Succeeded",
        "Failed",
    ) and not is_deleting(pod)


def _covers(pdb: Obj, pod: Obj) -> bool:
    return Selector.from_obj(get_in(pdb, ("spec", "selector"))).matches(labels_of(pod))
