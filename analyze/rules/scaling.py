"""Workloads that run fewer copies than somebody meant them to."""

import re

from analyze.scene import Cited, Scene, unique
from domain.cluster import EventSummary, WorkloadState
from domain.decision import Hypothesis
from utils.words import counted

# Kubernetes from 1.26 on says how many there were; older ones only said how many there are now.
NO_REQUEST = re.compile(r"missing request for (?:cpu|memory)")
SCALED = re.compile(r"Scaled (?P<way>up|down) replica set \S+ (?:to (?P<to>\d+))(?: from (?P<before>\d+))?")


def scaled_to_zero(scene: Scene) -> list[Hypothesis]:
    """The workload asks for no replicas at all while somebody is alerted about it."""
    workload = scene.workload
    if workload is None or workload.fact.desired_count > 0 or workload.fact.target.kind == "DaemonSet":
        return []
    if workload.fact.declared_count == 0 or workload.fact.autoscaler is not None:
        return []  # whoever declared it, or scales it, meant it
    before, sources = replicas_before(scene, workload)
    reasons = ["spec.replicas is 0, so no pod can serve"]
    reasons.append(
        f"{counted(before, 'replica')} meant to run" if before else "how many ran before is not known"
    )
    return [
        Hypothesis(
            cause="scaled-to-zero",
            title=f"{workload.fact.target} is scaled to zero",
            target=workload.fact.target,
            confidence=0.88 if before else 0.65,
            reasons=tuple(reasons),
            evidence_for=unique([workload.id, *sources]),
        )
    ]


def autoscaler_blind(scene: Scene) -> list[Hypothesis]:
    """The autoscaler cannot measure, because containers do not say how much cpu they ask for."""
    workload = scene.workload
    if workload is None:
        return []
    said = [(e.id, e.fact.message) for e in scene.events if e.fact.about.kind == "HorizontalPodAutoscaler"]
    scaler = workload.fact.autoscaler
    said += [(workload.id, scaler.trouble)] if scaler is not None else []
    blind = [(id, text) for id, text in said if NO_REQUEST.search(text)]
    if not blind:
        return []
    return [
        Hypothesis(
            cause="hpa-no-cpu-request",
            title=f"The autoscaler of {workload.fact.target} cannot measure cpu",
            target=workload.fact.target,
            confidence=0.9,
            reasons=(blind[0][1],),
            evidence_for=unique([*(id for id, _ in blind), workload.id]),
        )
    ]


def replicas_before(scene: Scene, workload: Cited[WorkloadState]) -> tuple[int | None, tuple[str, ...]]:
    """How many replicas were meant, with the evidence: from the applied manifest, else from the events."""
    if workload.fact.declared_count:
        return workload.fact.declared_count, (workload.id,)
    for event in sorted(scene.events, key=lambda e: e.fact.last_at, reverse=True):
        if count := _count_before(event.fact):
            return count, (event.id,)
    return None, ()


def _count_before(event: EventSummary) -> int | None:
    """From the newest of the merged messages that says a count at all."""
    for match in SCALED.finditer(event.message):
        count = match["to"] if match["way"] == "up" else match["before"]
        if count:
            return int(count)
    return None
