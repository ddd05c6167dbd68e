"""Which volume suits which claim, and what a claim's StorageClass says. Pure questions, no binding."""

from sandbox.amounts import whole
from sandbox.fields import Obj, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.selectors import Selector
from sandbox.store import Store

VOLUME = kind_of("PersistentVolume")
STORAGE_CLASS = kind_of("StorageClass")


def class_name(obj: Obj) -> str:
    """The storage class of a claim or a volume; empty for none."""
    return obj["spec"].get("storageClassName") or ""


def storage_class_of(store: Store, claim: Obj) -> Obj | None:
    return store.find(STORAGE_CLASS, None, class_name(claim)) if class_name(claim) else None


def waits_for_consumer(store: Store, claim: Obj) -> bool:
    storage_class = storage_class_of(store, claim)
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def capacity_bytes(volume: Obj) -> int:
    return whole(volume["spec"]["capacity"]["storage"])


def requested_bytes(claim: Obj) -> int:
    return whole(claim["spec"]["resources"]["requests"]["storage"])


def static_candidates(store: Store, claim: Obj) -> list[Obj]:
    """Volumes the claim may get, smallest first; one that was reserved for it comes alone."""
    volumes = store.list(VOLUME)
    reserved = [volume for volume in volumes if is_reserved_for(volume, claim)]
    if reserved:
        return reserved
    return sorted((v for v in volumes if _is_free(v)), key=lambda v: (capacity_bytes(v), name_of(v)))


def is_reserved_for(volume: Obj, claim: Obj) -> bool:
    reference = volume["spec"].get("claimRef")
    if not reference or (reference.get("namespace"), reference["name"]) != (
        namespace_of(claim),
        name_of(claim),
    ):
        return False
    return reference.get("uid") in (None, "", meta(claim)["uid"])


def accepts(volume: Obj, claim: Obj) -> bool:
    """Whether class, access modes, mode, size and selector of the claim fit the volume."""
    modes = set(claim["spec"].get("accessModes") or ())
    return (
        class_name(volume) == class_name(claim)
        and modes <= set(volume["spec"].get("accessModes") or ())
        and volume["spec"].get("volumeMode", "Filesystem") == claim["spec"].get("volumeMode", "Filesystem")
        and capacity_bytes(volume) >= requested_bytes(claim)
        and Selector.from_obj(claim["spec"].get("selector")).matches(labels_of(volume))
    )


def _is_free(volume: Obj) -> bool:
    phase = (volume.get("status") or {}).get("phase", "Available")
    return not volume["spec"].get("claimRef") and phase in ("Available", "Pending")
