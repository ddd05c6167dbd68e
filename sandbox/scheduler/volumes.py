"""Claims a pod mounts: bound volumes tie it to nodes, unbound ones may keep it waiting. It binds nothing."""

from dataclasses import dataclass, field

from sandbox.fields import Obj, annotations_of, is_deleting, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.scheduler.matching import matches_terms
from sandbox.scheduler.view import NodeView
from sandbox.store import Store
from sandbox.volumes import accepts, static_candidates, storage_class_of, waits_for_consumer

CLAIM = kind_of("PersistentVolumeClaim")
VOLUME = kind_of("PersistentVolume")
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"
WRONG_NODE = "node(s) had volume node affinity conflict"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"


def claim_names(pod: Obj) -> list[str]:
    """Names of the claims a pod mounts; generic ephemeral volumes have one named after pod and volume."""
    names = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            names.append(volume["persistentVolumeClaim"]["claimName"])
        elif "ephemeral" in volume:
            names.append(f"{name_of(pod)}-{volume['name']}")
    return names


@dataclass(slots=True)
class VolumeRules:
    """What a pod's claims demand: one refusal for all nodes, or demands on each node."""

    refused: str = ""
    bound: list[Obj] = field(default_factory=list)
    waiting: list[tuple[Obj, list[Obj], bool]] = field(default_factory=list)

    @property
    def demanding(self) -> bool:
        return bool(self.refused or self.bound or self.waiting)

    def refusal(self, node: NodeView) -> str:
        if self.refused:
            return self.refused
        if any(not reaches(volume, node) for volume in self.bound):
            return WRONG_NODE
        return "" if all(self._finds(node, *item) for item in self.waiting) else NO_VOLUME

    def choices(self, node: NodeView) -> list[tuple[Obj, Obj | None]]:
        """For each waiting claim the volume to bind on that node; None where one is to be provisioned."""
        return [
            (claim, next((volume for volume in volumes if reaches(volume, node)), None))
            for claim, volumes, _ in self.waiting
        ]

    @staticmethod
    def _finds(node: NodeView, _claim: Obj, volumes: list[Obj], provisioned: bool) -> bool:
        return provisioned or any(reaches(volume, node) for volume in volumes)


def volume_rules(store: Store, pod: Obj) -> VolumeRules:
    """Reads the claims a pod mounts."""
    rules = VolumeRules()
    for name in claim_names(pod):
        claim = store.find(CLAIM, namespace_of(pod), name)
        if claim is None:
            rules.refused = f'persistentvolumeclaim "{name}" not found'
        elif is_deleting(claim):
            rules.refused = f'persistentvolumeclaim "{name}" is being deleted'
        else:
            _add(store, rules, claim)
    return rules


def _add(store: Store, rules: VolumeRules, claim: Obj) -> None:
    volume = store.find(VOLUME, None, claim["spec"].get("volumeName") or "")
    if volume is not None and (claim.get("status") or {}).get("phase") == "Bound":
        rules.bound.append(volume)
    elif not waits_for_consumer(store, claim):
        rules.refused = UNBOUND
    else:
        storage_class = storage_class_of(store, claim)
        provisioned = storage_class is not None and storage_class.get("provisioner") != NO_PROVISIONER
        volumes = [volume for volume in static_candidates(store, claim) if accepts(volume, claim)]
        rules.waiting.append((claim, volumes, provisioned))


def reaches(volume: Obj, node: NodeView) -> bool:
    """Whether the volume's node affinity lets it be used on the node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or matches_terms(required.get("nodeSelectorTerms") or (), node.name, node.labels)


def select_node(store: Store, claim: Obj, node: str) -> None:
    """Tells the provisioner for which node a waiting claim is wanted."""
    if annotations_of(claim).get(SELECTED_NODE) != node:
        meta = {**claim["metadata"], "annotations": {**annotations_of(claim), SELECTED_NODE: node}}
        store.update(CLAIM, {**claim, "metadata": meta})
