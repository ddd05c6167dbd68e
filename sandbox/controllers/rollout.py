"""The arithmetic of a Deployment's rollout: how many pods each ReplicaSet may have. No store."""

from dataclasses import dataclass

from sandbox.fields import Obj, annotations_of, labels_of, meta
from sandbox.state import created_at

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
HASH_LABEL = "pod-template-hash"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a rollout may go beyond and below the number asked for."""

    surge: int
    unavailable: int


def bounds(deployment: Obj) -> Bounds:
    """Absolute numbers of maxSurge and maxUnavailable; never both zero."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Bounds(0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    replicas = replicas_of(deployment)
    surge = share(rolling.get("maxSurge", "25%"), replicas, round_up=True)
    unavailable = share(rolling.get("maxUnavailable", "25%"), replicas, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Bounds(surge, min(unavailable, replicas) if replicas else unavailable)


def share(value: int | str, total: int, *, round_up: bool) -> int:
    """An int-or-percent field as a number of pods."""
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        return int(value)
    percent = int(value.removesuffix("%"))
    return -(-total * percent // 100) if round_up else total * percent // 100


def replicas_of(obj: Obj) -> int:
    return int(obj["spec"].get("replicas", 1))


def count(replica_sets: list[Obj], field: str) -> int:
    return sum((rs.get("status") or {}).get(field, 0) for rs in replica_sets)


def asked(replica_sets: list[Obj]) -> int:
    return sum(replicas_of(rs) for rs in replica_sets)


def same_template(replica_set: Obj, deployment: Obj) -> bool:
    return _plain(replica_set["spec"]["template"]) == _plain(deployment["spec"]["template"])


def _plain(template: Obj) -> Obj:
    """The template without its hash label and what only looks different."""
    data = {name: value for name, value in meta(template).items() if value and name != "labels"}
    labels = {name: value for name, value in labels_of(template).items() if name != HASH_LABEL}
    return {"metadata": data, "labels": labels, "spec": template["spec"]}


def revision_of(obj: Obj) -> int:
    return int(annotations_of(obj).get(REVISION, "0"))


def is_saturated(deployment: Obj, replica_set: Obj | None) -> bool:
    """The ReplicaSet is what the Deployment asks for, and all of it available."""
    if replica_set is None:
        return False
    wanted = replicas_of(deployment)
    desired = int(annotations_of(replica_set).get(DESIRED, "-1"))
    available = (replica_set.get("status") or {}).get("availableReplicas", 0)
    return replicas_of(replica_set) == wanted and desired == wanted and available == wanted


def active_or_latest(new: Obj | None, old: list[Obj]) -> Obj | None:
    """The one ReplicaSet to scale when a rollout is not under way; None when several are active."""
    everything = [*old, new] if new is not None else old
    active = [rs for rs in everything if replicas_of(rs) > 0]
    if len(active) == 1:
        return active[0]
    if active:
        return None
    return new or max(old, key=created_at, default=None)


def new_replicas(deployment: Obj, all_sets: list[Obj], new: Obj | None) -> int:
    """How many pods the new ReplicaSet may have now."""
    wanted = replicas_of(deployment)
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        return wanted
    current = replicas_of(new) if new is not None else 0
    total = asked(all_sets)
    most = wanted + bounds(deployment).surge
    if total >= most:
        return current
    return current + min(most - total, wanted - current)


def old_replicas(deployment: Obj, new: Obj, old: list[Obj]) -> dict[str, int]:
    """Sizes, by name, to which the old ReplicaSets shrink now: first their sick pods, then the others."""
    least = replicas_of(deployment) - bounds(deployment).unavailable
    new_unavailable = replicas_of(new) - (new.get("status") or {}).get("availableReplicas", 0)
    room = asked(old) + replicas_of(new) - least - new_unavailable
    if room <= 0 or any(_is_shrinking(rs) for rs in old):
        return {}
    sizes = _without_sick(old, room)
    spare = count([*old, new], "availableReplicas") - least
    for rs in sorted(old, key=created_at):
        name = meta(rs)["name"]
        step = min(sizes[name], max(spare, 0))
        sizes[name] -= step
        spare -= step
    return {
        meta(rs)["name"]: sizes[meta(rs)["name"]] for rs in old if sizes[meta(rs)["name"]] < replicas_of(rs)
    }


def _is_shrinking(replica_set: Obj) -> bool:
    """Its pods are being removed: what its status calls available is not to be counted on."""
    return bool((replica_set.get("status") or {}).get("availableReplicas", 0) > replicas_of(replica_set))


def _without_sick(old: list[Obj], room: int) -> dict[str, int]:
    sizes = {}
    for rs in sorted(old, key=created_at):
        sick = replicas_of(rs) - (rs.get("status") or {}).get("availableReplicas", 0)
        step = max(0, min(room, sick))
        sizes[meta(rs)["name"]] = replicas_of(rs) - step
        room -= step
    return sizes


def proportional_sizes(deployment: Obj, active: list[Obj]) -> dict[str, int]:
    """Sizes, by name, that spread a change of scale over all active ReplicaSets of a rollout."""
    wanted = replicas_of(deployment)
    allowed = wanted + bounds(deployment).surge if wanted > 0 else 0
    to_add = allowed - asked(active)
    growing = to_add > 0
    ordered = sorted(
        active, key=lambda rs: (-replicas_of(rs), -created_at(rs) if growing else created_at(rs))
    )
    added, sizes = 0, {}
    for rs in ordered:
        part = _proportion(deployment, rs, allowed, to_add - added) if to_add else 0
        sizes[meta(rs)["name"]] = replicas_of(rs) + part
        added += part
    if ordered and to_add != added:
        first = meta(ordered[0])["name"]
        sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _proportion(deployment: Obj, replica_set: Obj, allowed: int, left: int) -> int:
    current = replicas_of(replica_set)
    if current == 0 or left == 0:
        return 0
    if replicas_of(deployment) == 0:
        return -current
    before = int(annotations_of(replica_set).get(MAXIMUM, "0")) or max(count([deployment], "replicas"), 1)
    fraction = int(current * allowed / before + 0.5) - current
    return min(fraction, left) if left > 0 else max(fraction, left)
