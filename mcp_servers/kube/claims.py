"""A volume claim held against its volume, its storage class and the pods that use it."""

from collections.abc import Iterator, Sequence

from domain.cluster import ClaimState
from mcp_servers.kube.amounts import quantity
from mcp_servers.kube.doc import Doc

LATE_BINDING = "WaitForFirstConsumer"


def claim_state(
    claim: Doc, volume: Doc | None, storage_class: Doc | None, volumes: Sequence[Doc], pods: Sequence[Doc]
) -> ClaimState:
    """The facts of one claim; `volumes` are all of the cluster, `pods` those of its namespace."""
    users = [pod.name for pod in pods if claim.name in _claims_of(pod)]
    class_name = claim.text("spec", "storageClassName")
    found = storage_class or Doc({})
    return ClaimState(
        target=claim.target,
        phase=claim.text("status", "phase") or "Pending",
        requested_bytes=_bytes(claim.text("spec", "resources", "requests", "storage")),
        capacity_bytes=_bytes(claim.text("status", "capacity", "storage")),
        access_modes=modes(claim),
        storage_class=class_name,
        provisioner=found.text("provisioner"),
        binding_mode=found.text("volumeBindingMode"),
        expandable=found.flag("allowVolumeExpansion"),
        volume=claim.text("spec", "volumeName"),
        volume_phase=volume.text("status", "phase") if volume else "",
        used_by=tuple(users),
        mismatches=tuple(_mismatches(claim, volume, storage_class, volumes, users)),
    )


def modes(thing: Doc) -> tuple[str, ...]:
    """The access modes of a claim or a volume."""
    found = thing.at("spec", "accessModes")
    return tuple(str(mode) for mode in found) if isinstance(found, list) else ()


def _claims_of(pod: Doc) -> set[str]:
    return {part.text("persistentVolumeClaim", "claimName") for part in pod.parts("spec", "volumes")}


def _bytes(text: str) -> int | None:
    found = quantity(text)
    return None if found is None else int(found)


def _mismatches(
    claim: Doc, volume: Doc | None, storage_class: Doc | None, volumes: Sequence[Doc], users: Sequence[str]
) -> Iterator[str]:
    named, class_name = claim.text("spec", "volumeName"), claim.text("spec", "storageClassName")
    if named and volume is None:
        yield f"there is no volume {named}"
    if class_name and storage_class is None:
        yield f"there is no storage class {class_name}"
    if volume and (other := _taken_by(volume, claim)):
        yield f"volume {named} is bound to {other}"
    if claim.text("status", "phase") == "Bound":
        return
    if storage_class and storage_class.text("volumeBindingMode") == LATE_BINDING and not users:
        yield "its class binds with the first pod that uses it, and no pod does"
    if not (storage_class and storage_class.text("provisioner")) or named:
        yield from _why_none_fits(claim, [volume] if volume else volumes)


def _why_none_fits(claim: Doc, volumes: Sequence[Doc]) -> Iterator[str]:
    """What keeps each volume of the same class from being bound."""
    wanted = claim.text("spec", "storageClassName")
    same_class = [found for found in volumes if found.text("spec", "storageClassName") == wanted]
    if not same_class:
        yield f"no volume has the class {wanted or '(none)'}"
    for found in same_class[:5]:
        reasons = list(_unfit(claim, found))
        if reasons:
            yield f"volume {found.name}: {', '.join(reasons)}"


def _unfit(claim: Doc, volume: Doc) -> Iterator[str]:
    asked = quantity(claim.text("spec", "resources", "requests", "storage")) or 0
    has = quantity(volume.text("spec", "capacity", "storage")) or 0
    if has < asked:
        yield f"is too small ({volume.text('spec', 'capacity', 'storage')})"
    if missing := set(modes(claim)) - set(modes(volume)):
        yield f"does not allow {', '.join(sorted(missing))}"
    labels = claim.part("spec", "selector").texts("matchLabels")
    if any(volume.labels.get(key) != value for key, value in labels.items()):
        yield "lacks the labels that the claim selects by"
    if other := _taken_by(volume, claim):
        yield f"is bound to {other}"


def _taken_by(volume: Doc, claim: Doc) -> str:
    """The other claim that has the volume, as namespace/name; empty when it is free or this one's."""
    reference = volume.part("spec", "claimRef")
    taken = (reference.text("namespace"), reference.text("name"))
    return "" if taken in (("", ""), (claim.namespace, claim.name)) else "/".join(taken)
