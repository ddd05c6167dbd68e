"""PersistentVolumeClaims and their volumes: binding, provisioning by class, protection, release."""

from sandbox.clock import SimClock
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import NotFound
from sandbox.events import Recorder
from sandbox.fields import Obj, annotations_of, is_deleting, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.scheduler.volumes import NO_PROVISIONER, SELECTED_NODE, claim_names
from sandbox.state import Key, is_finished, key_of, with_status
from sandbox.store import Store
from sandbox.tables import Change
from sandbox.volumes import accepts, class_name, static_candidates, storage_class_of, waits_for_consumer

CLAIM = kind_of("PersistentVolumeClaim")
VOLUME = kind_of("PersistentVolume")
POD = kind_of("Pod")
STORAGE_CLASS = kind_of("StorageClass")
RESYNC_S = 15.0  # a claim that cannot be bound is looked at again, and the event counted up
PROVISION_S = 1.0
PROTECTED = "kubernetes.io/pvc-protection"
PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
UNAVAILABLE = "sandbox/provisioner"  # on a StorageClass: why its provisioner does not work


class VolumeBinder:
    """Brings claims and volumes together."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "persistentvolume-controller")
        self.claims = WorkQueue(clock, self._sync_claim)
        self.volumes = WorkQueue(clock, self._sync_volume)
        store.subscribe(CLAIM, self._claim_changed)
        store.subscribe(VOLUME, self._volume_changed)
        store.subscribe(STORAGE_CLASS, lambda _: self._look_at_pending())
        store.subscribe(POD, self._pod_changed)

    def _claim_changed(self, change: Change) -> None:
        self.claims.on_change(change)
        if volume := change.object["spec"].get("volumeName"):
            self.volumes.add(("", volume))

    def _volume_changed(self, change: Change) -> None:
        self.volumes.on_change(change)
        reference = change.object["spec"].get("claimRef")
        if reference:
            self.claims.add((reference.get("namespace", ""), reference["name"]))
        elif change.type == "ADDED":
            self._look_at_pending()

    def _pod_changed(self, change: Change) -> None:
        if change.type == "DELETED" or is_finished(change.object):
            for name in claim_names(change.object):
                self.claims.add((namespace_of(change.object), name))

    def _look_at_pending(self) -> None:
        for claim in self._store.list(CLAIM):
            if not claim["spec"].get("volumeName"):
                self.claims.add(key_of(claim))

    # --- claims

    def _sync_claim(self, key: Key) -> None:
        claim = self._store.find(CLAIM, *key)
        if claim is None:
            return
        claim = self._protect(claim)
        if is_deleting(claim):
            self._let_go(claim)
            return
        phase = (claim.get("status") or {}).get("phase")
        if claim["spec"].get("volumeName"):
            self._sync_bound(claim)
        elif phase != "Bound":
            self._find_volume(claim)

    def _protect(self, claim: Obj) -> Obj:
        finalizers = meta(claim).get("finalizers") or []
        if is_deleting(claim) or PROTECTED in finalizers:
            return claim
        return self._store.update(
            CLAIM, {**claim, "metadata": {**meta(claim), "finalizers": [*finalizers, PROTECTED]}}
        )

    def _let_go(self, claim: Obj) -> None:
        """A claim that is deleted stays until no pod uses it."""
        pods = self._store.list(POD, namespace_of(claim))
        if any(name_of(claim) in claim_names(pod) and not is_finished(pod) for pod in pods):
            return
        rest = [name for name in meta(claim).get("finalizers") or () if name != PROTECTED]
        if rest != (meta(claim).get("finalizers") or []):
            self._store.update(CLAIM, {**claim, "metadata": {**meta(claim), "finalizers": rest}})

    def _sync_bound(self, claim: Obj) -> None:
        volume = self._store.find(VOLUME, None, claim["spec"]["volumeName"])
        if volume is None:
            if (claim.get("status") or {}).get("phase") == "Bound":
                self._write_status(claim, {"phase": "Lost"})
                self._events.warning(
                    claim,
                    "ClaimLost",
                    "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
                )
            return
        self._bind(claim, volume)

    def _find_volume(self, claim: Obj) -> None:
        fitting = [volume for volume in static_candidates(self._store, claim) if accepts(volume, claim)]
        if waits_for_consumer(self._store, claim) and SELECTED_NODE not in annotations_of(claim):
            self._wait_for_consumer(claim)
        elif fitting:
            self._bind(claim, fitting[0])
        elif class_name(claim):
            self._provision(claim)
        else:
            text = "no persistent volumes available for this claim and no storage class is set"
            self._pend(claim, "Normal", "FailedBinding", text)

    def _wait_for_consumer(self, claim: Obj) -> None:
        users = [
            pod for pod in self._store.list(POD, namespace_of(claim)) if name_of(claim) in claim_names(pod)
        ]
        if users:
            text = f"waiting for pod {name_of(users[0])} to be scheduled"
            self._pend(claim, "Normal", "WaitForPodScheduled", text)
        else:
            text = "waiting for first consumer to be created before binding"
            self._pend(claim, "Normal", "WaitForFirstConsumer", text)

    def _pend(self, claim: Obj, kind: str, reason: str, message: str) -> None:
        if (claim.get("status") or {}).get("phase") != "Pending":
            claim = self._write_status(claim, {"phase": "Pending"})
        if kind == "Normal":
            self._events.normal(claim, reason, message)
        else:
            self._events.warning(claim, reason, message)
        self.claims.add_after(key_of(claim), RESYNC_S)

    # --- provisioning

    def _provision(self, claim: Obj) -> None:
        storage_class = storage_class_of(self._store, claim)
        if storage_class is None:
            text = f'storageclass.storage.k8s.io "{class_name(claim)}" not found'
            self._pend(claim, "Warning", "ProvisioningFailed", text)
            return
        provisioner = storage_class["provisioner"]
        why = annotations_of(storage_class).get(UNAVAILABLE, "")
        if provisioner == NO_PROVISIONER:
            text = "no volume plugin matched name: kubernetes.io/no-provisioner"
            self._pend(claim, "Warning", "ProvisioningFailed", text)
        elif why == "absent":
            who = (
                f'either by external provisioner "{provisioner}" or manually created by system administrator'
            )
            self._pend(claim, "Normal", "ExternalProvisioning", f"waiting for a volume to be created, {who}")
        elif why:
            text = f'failed to provision volume with StorageClass "{name_of(storage_class)}": {why}'
            self._pend(claim, "Warning", "ProvisioningFailed", text)
        else:
            self._start_provisioning(claim, provisioner)

    def _start_provisioning(self, claim: Obj, provisioner: str) -> None:
        if annotations_of(claim).get(PROVISIONER) != provisioner:
            where = f'"{namespace_of(claim)}/{name_of(claim)}"'
            text = f"External provisioner is provisioning volume for claim {where}"
            self._events.normal(claim, "Provisioning", text)
            notes = {**annotations_of(claim), PROVISIONER: provisioner}
            self._store.update(CLAIM, {**claim, "metadata": {**meta(claim), "annotations": notes}})
            self._clock.call_after(PROVISION_S, lambda: self._provisioned(key_of(claim)))

    def _provisioned(self, key: Key) -> None:
        claim = self._store.find(CLAIM, *key)
        storage_class = storage_class_of(self._store, claim) if claim is not None else None
        if claim is None or storage_class is None or claim["spec"].get("volumeName"):
            return
        volume = self._store.create(VOLUME, provisioned_volume(claim, storage_class))
        text = f"Successfully provisioned volume {name_of(volume)}"
        self._events.normal(claim, "ProvisioningSucceeded", text)

    # --- binding

    def _bind(self, claim: Obj, volume: Obj) -> None:
        reference = volume["spec"].get("claimRef") or {}
        if reference.get("uid") != meta(claim)["uid"]:
            if reference and (reference.get("namespace"), reference["name"]) != key_of(claim):
                return  # taken by another claim: this one stays pending
            volume = self._store.update(
                VOLUME, {**volume, "spec": {**volume["spec"], "claimRef": _reference(claim)}}
            )
        if (volume.get("status") or {}).get("phase") != "Bound":
            self._store.update(VOLUME, with_status(volume, {"phase": "Bound"}), subresource="status")
        if claim["spec"].get("volumeName") != name_of(volume):
            notes = {**annotations_of(claim), "pv.kubernetes.io/bind-completed": "yes"}
            spec = {**claim["spec"], "volumeName": name_of(volume)}
            claim = self._store.update(
                CLAIM, {**claim, "metadata": {**meta(claim), "annotations": notes}, "spec": spec}
            )
        capacity = (claim.get("status") or {}).get("capacity") or volume["spec"]["capacity"]
        modes = volume["spec"].get("accessModes") or []
        self._write_status(
            claim, {"phase": "Bound", "accessModes": modes, "capacity": self._grown(claim, volume, capacity)}
        )

    def _grown(self, claim: Obj, volume: Obj, capacity: Obj) -> Obj:
        """A claim that asks for more gets it when its class lets volumes grow."""
        storage_class = storage_class_of(self._store, claim)
        asked = claim["spec"]["resources"]["requests"]["storage"]
        if storage_class is None or not storage_class.get("allowVolumeExpansion") or accepts(volume, claim):
            return {**capacity, "storage": volume["spec"]["capacity"]["storage"]}
        spec = {**volume["spec"], "capacity": {**volume["spec"]["capacity"], "storage": asked}}
        current = self._store.get(VOLUME, None, name_of(volume))
        self._store.update(VOLUME, {**current, "spec": {**spec, "claimRef": current["spec"].get("claimRef")}})
        self._events.normal(
            claim, "FileSystemResizeSuccessful", "MountVolume.NodeExpandVolume succeeded for volume"
        )
        return {**capacity, "storage": asked}

    def _write_status(self, claim: Obj, status: Obj) -> Obj:
        current = self._store.get(CLAIM, *key_of(claim))
        new = {**(current.get("status") or {}), **status}
        return self._store.update(CLAIM, with_status(current, new), subresource="status")

    # --- volumes

    def _sync_volume(self, key: Key) -> None:
        volume = self._store.find(VOLUME, *key)
        if volume is None or is_deleting(volume):
            return
        reference = volume["spec"].get("claimRef")
        phase = (volume.get("status") or {}).get("phase")
        if not reference:
            if phase != "Available":
                self._store.update(VOLUME, with_status(volume, {"phase": "Available"}), subresource="status")
            return
        claim = self._store.find(CLAIM, reference.get("namespace"), reference["name"])
        gone = claim is None or (reference.get("uid") and meta(claim)["uid"] != reference["uid"])
        if gone and reference.get("uid"):
            self._release(volume)

    def _release(self, volume: Obj) -> None:
        if volume["spec"].get("persistentVolumeReclaimPolicy", "Retain") == "Delete":
            try:
                self._store.delete(VOLUME, None, name_of(volume))
            except NotFound:
                return  # deleted by somebody meanwhile
        elif (volume.get("status") or {}).get("phase") != "Released":
            self._store.update(VOLUME, with_status(volume, {"phase": "Released"}), subresource="status")


def provisioned_volume(claim: Obj, storage_class: Obj) -> Obj:
    """The volume a provisioner makes for the claim."""
    name = f"pvc-{meta(claim)['uid']}"
    spec = {
        "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
        "accessModes": claim["spec"].get("accessModes") or [],
        "claimRef": _reference(claim),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": name_of(storage_class),
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
        "csi": {"driver": storage_class["provisioner"], "volumeHandle": name},
    }
    node = annotations_of(claim).get(SELECTED_NODE)
    if node and storage_class.get("parameters", {}).get("topology") == "node":
        here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}}
    notes = {"pv.kubernetes.io/provisioned-by": storage_class["provisioner"]}
    return {"metadata": {"name": name, "annotations": notes, "finalizers": []}, "spec": spec}


def _reference(claim: Obj) -> Obj:
    data = meta(claim)
    reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": data["uid"]}
    return {**reference, "name": data["name"], "namespace": data["namespace"]}
