"""What a Deployment's status says: counts, availability, progress and its deadline. Pure functions."""

from sandbox.clock import SimClock
from sandbox.controllers import rollout
from sandbox.fields import Obj, meta, name_of
from sandbox.state import condition, unix_time, without_empty

NO_DEADLINE = 2**31 - 1
COMPLETE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"


def computed_status(deployment: Obj, owned: list[Obj], new: Obj | None, clock: SimClock) -> Obj:
    """The status after counting `owned`; `new` is the ReplicaSet of the present template."""
    counts = _counts(deployment, owned, new)
    now = clock.stamp()
    conditions = _with_availability(deployment, counts, _conditions(deployment), now)
    conditions = _with_progress(deployment, new, counts, conditions, clock)
    conditions = _with_failure(owned, conditions, now)
    return {**counts, "conditions": conditions}


def with_condition(
    conditions: list[Obj], kind: str, status: str, reason: str, message: str, now: str
) -> list[Obj]:
    """The conditions with this one; unchanged when status and reason are the same already."""
    old = next((c for c in conditions if c["type"] == kind), None)
    if old is not None and (old["status"], old["reason"]) == (status, reason):
        return conditions
    changed_at = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    new = {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": changed_at,
        "reason": reason,
        "message": message,
    }
    return [c for c in conditions if c["type"] != kind] + [new]


def stuck_after_s(deployment: Obj, clock: SimClock) -> float | None:
    """Seconds until the progress deadline has to be looked at; None when nothing is under way."""
    progress = condition(deployment, "Progressing")
    deadline_s = _deadline_s(deployment)
    if progress is None or deadline_s is None or progress["reason"] in (COMPLETE, TIMED_OUT):
        return None
    passed_s = clock.time() - unix_time(progress["lastUpdateTime"])
    return max(0.0, deadline_s - passed_s) + 1.0  # a second later, as stamps are whole seconds


def _counts(deployment: Obj, owned: list[Obj], new: Obj | None) -> Obj:
    available = rollout.count(owned, "availableReplicas")
    counts = {
        "observedGeneration": meta(deployment).get("generation", 0),
        "replicas": rollout.count(owned, "replicas"),
        "updatedReplicas": rollout.count([new], "replicas") if new is not None else 0,
        "readyReplicas": rollout.count(owned, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, rollout.asked(owned) - available),
        "collisionCount": (deployment.get("status") or {}).get("collisionCount", 0),
    }
    return without_empty(counts)


def _conditions(deployment: Obj) -> list[Obj]:
    return list((deployment.get("status") or {}).get("conditions") or ())


def _with_availability(deployment: Obj, counts: Obj, conditions: list[Obj], now: str) -> list[Obj]:
    least = rollout.replicas_of(deployment) - rollout.bounds(deployment).unavailable
    if counts.get("availableReplicas", 0) >= least:
        return with_condition(
            conditions,
            "Available",
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
            now,
        )
    return with_condition(
        conditions,
        "Available",
        "False",
        "MinimumReplicasUnavailable",
        "Deployment does not have minimum availability.",
        now,
    )


def _with_progress(
    deployment: Obj, new: Obj | None, counts: Obj, conditions: list[Obj], clock: SimClock
) -> list[Obj]:
    if _deadline_s(deployment) is None:
        return [c for c in conditions if c["type"] != "Progressing"]
    current = next((c for c in conditions if c["type"] == "Progressing"), None)
    settled = counts.get("replicas") == counts.get("updatedReplicas")
    if deployment["spec"].get("paused") or (
        settled and current is not None and current["reason"] == COMPLETE
    ):
        return conditions
    subject = f'ReplicaSet "{name_of(new)}"' if new is not None else f'Deployment "{name_of(deployment)}"'
    now = clock.stamp()
    if _is_complete(deployment, counts):
        text = f"{subject} has successfully progressed."
        return with_condition(conditions, "Progressing", "True", COMPLETE, text, now)
    if _moved(deployment, counts):
        return _refreshed(conditions, current, f"{subject} is progressing.", now)
    if _timed_out(deployment, current, clock):
        text = f"{subject} has timed out progressing."
        return with_condition(conditions, "Progressing", "False", TIMED_OUT, text, now)
    return conditions


def _refreshed(conditions: list[Obj], current: Obj | None, message: str, now: str) -> list[Obj]:
    """Progress renews the condition's update time even when its reason stays: the deadline starts anew."""
    others = [c for c in conditions if c["type"] != "Progressing"]
    since = current["lastTransitionTime"] if current is not None and current["status"] == "True" else now
    fresh = with_condition([], "Progressing", "True", "ReplicaSetUpdated", message, now)[0]
    return [*others, {**fresh, "lastTransitionTime": since}]


def _with_failure(owned: list[Obj], conditions: list[Obj], now: str) -> list[Obj]:
    failures = [found for rs in owned if (found := condition(rs, "ReplicaFailure"))]
    if not failures:
        return [c for c in conditions if c["type"] != "ReplicaFailure"]
    first = failures[0]
    return with_condition(
        conditions, "ReplicaFailure", first["status"], first["reason"], first["message"], now
    )


def _is_complete(deployment: Obj, counts: Obj) -> bool:
    wanted = rollout.replicas_of(deployment)
    return [counts.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas")] == [
        wanted
    ] * 3


def _moved(deployment: Obj, counts: Obj) -> bool:
    """More new, fewer old, more ready or more available pods than the last status said."""
    before = deployment.get("status") or {}
    updated, was_updated = counts.get("updatedReplicas", 0), before.get("updatedReplicas", 0)
    old, was_old = counts.get("replicas", 0) - updated, before.get("replicas", 0) - was_updated
    grown = any(counts.get(name, 0) > before.get(name, 0) for name in ("readyReplicas", "availableReplicas"))
    return updated > was_updated or old < was_old or grown


def _timed_out(deployment: Obj, current: Obj | None, clock: SimClock) -> bool:
    deadline_s = _deadline_s(deployment)
    if current is None or deadline_s is None or current["reason"] == COMPLETE:
        return False
    if current["reason"] == TIMED_OUT:
        return True
    return clock.time() > unix_time(current["lastUpdateTime"]) + deadline_s


def _deadline_s(deployment: Obj) -> int | None:
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    return None if deadline is None or deadline == NO_DEADLINE else int(deadline)
