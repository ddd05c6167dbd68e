"""Unwell pods explained by what is said about them and by what the newest rollout changed."""

import re

from analyze.rules.table import TABLE, Row
from analyze.scene import Scene, current_revision, runs_revision, unique
from domain.alert import Target
from domain.cluster import PodState, Revision
from domain.decision import Hypothesis

Said = list[tuple[str, str]]  # evidence id and text

ROWS = {row.cause: row for row in TABLE}
RESTARTS_COUNT = 3
HOST = re.compile(r"[a-z0-9][a-z0-9.-]{2,}")
BY_ROLLOUT = 0.86  # sure enough to undo a rollout whose change fits


def said_and_changed(scene: Scene) -> list[Hypothesis]:
    """Every row of the table whose words were said about the workload."""
    workload = scene.workload
    if workload is None:
        return []
    revision = current_revision(workload.fact)
    said = _said(scene, revision)
    found = [_hypothesis(scene, row, said, revision) for row in TABLE]
    return [hypothesis for hypothesis in found if hypothesis is not None]


def _hypothesis(scene: Scene, row: Row, said: Said, revision: Revision | None) -> Hypothesis | None:
    workload = scene.workload
    words = [(id, match[0]) for id, text in said if (match := row.says.search(text))]
    if workload is None or not words:
        return None
    changes = _changes(row, revision, said)
    confidence = row.both if changes else row.words_alone
    if not confidence:
        return None
    reasons = [f"it is said: {' '.join(words[0][1].split())[:200]}"]
    reasons += [f"revision {revision.number} changed {change}" for change in changes[:3] if revision]
    return Hypothesis(
        cause=row.cause,
        title=f"{row.title}: {workload.fact.target}",
        target=workload.fact.target,
        confidence=confidence,
        reasons=tuple(reasons),
        evidence_for=unique([*(id for id, _ in words), *([workload.id] if changes else [])]),
    )


def _changes(row: Row, revision: Revision | None, said: Said) -> list[str]:
    """What the revision changed that fits the row."""
    if row.changed is None or revision is None:
        return []
    fitting = [change for change in revision.changes if row.changed.search(f" {change}")]
    return [change for change in fitting if not row.names_value or _named_in(change, said)]


def _named_in(change: str, said: Said) -> bool:
    """Whether a host of the new value is spoken of: a variable is to blame only for what it leads to."""
    hosts = [host for host in HOST.findall(change.rpartition(" -> ")[2]) if not host.isdigit()]
    return any(host in text for host in hosts for _, text in said)


def _said(scene: Scene, revision: Revision | None) -> Said:
    """What is said about the unwell pods, of the newest revision if there are such, and by their makers."""
    unwell = [pod for pod in scene.pods if _unwell(pod.fact)]
    newest = [pod for pod in unwell if revision is not None and runs_revision(pod.fact, revision)]
    chosen = newest or unwell
    names = {pod.fact.target.name for pod in chosen}
    pods = [(pod.id, pod.text) for pod in chosen]
    logs = [(log.id, "\n".join(log.fact.lines)) for log in scene.logs if log.fact.pod.name in names]
    events = [
        (event.id, f"{event.fact.reason}: {event.fact.message}")
        for event in scene.events
        if event.fact.about.name in names or _makes_pods_of(event.fact.about, scene.target)
    ]
    return [*pods, *events, *logs]


MAKERS = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"})  # they tell why pods are not made


def _unwell(pod: PodState) -> bool:
    """Not ready, or ready for the moment between two restarts."""
    again_and_again = any(c.restart_count >= RESTARTS_COUNT for c in pod.containers)
    return not pod.terminating and (not pod.ready or again_and_again)


def _makes_pods_of(about: Target, workload: Target) -> bool:
    own = about.name == workload.name or about.name.startswith(f"{workload.name}-")
    return about.kind in MAKERS and own


def blames_rollout(scene: Scene, hypothesis: Hypothesis) -> bool:
    """Whether undoing the newest rollout is the way back: only when what it changed fits the cause.

    `scene` is the one seen from the hypothesis' workload.
    """
    row = ROWS.get(hypothesis.cause)
    if row is None or scene.workload is None or hypothesis.confidence < BY_ROLLOUT:
        return False
    revision = current_revision(scene.workload.fact)
    return bool(_changes(row, revision, _said(scene, revision)))
