"""Small builders of the house's words, so that a test names only what it is about."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alert import Alert, AlertStatus, Target
from domain.cluster import (
    ContainerSpec,
    ContainerState,
    EventSummary,
    Fact,
    NodeState,
    PodState,
    Revision,
    WorkloadState,
)
from domain.decision import Action
from domain.evidence import Observation
from domain.incident import Incident

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
WEB = Target(kind="Deployment", namespace="shop", name="web")


def alert(*, status: AlertStatus = AlertStatus.FIRING, fingerprint: str = "f1", **labels: str) -> Alert:
    said = {"alertname": "KubePodCrashLooping", "namespace": "shop", "severity": "warning", **labels}
    return Alert(fingerprint=fingerprint, status=status, labels=said, annotations={}, started_at=NOW)


def container(name: str = "web", image: str = "shop/web:1", **facts: Any) -> ContainerState:
    return ContainerState(name=name, image=image, **facts)


def running(image: str = "shop/web:1", **facts: Any) -> ContainerState:
    return container(image=image, state="running", ready=True, **facts)


def pod(
    name: str, *containers: ContainerState, hash: str = "aaa", owner: Target = WEB, **facts: Any
) -> PodState:
    ready = bool(containers) and all(c.ready for c in containers)
    return PodState(
        target=Target(kind="Pod", namespace=owner.namespace, name=name), uid=f"uid-{name}", phase="Running",
        status="Running" if ready else "Error", ready=ready, created_at=NOW, owner=owner, template_hash=hash,
        containers=containers, **facts,
    )  # fmt: skip


def revision(
    number: int, hash: str, image: str, *, current: bool = False, changes: tuple[str, ...] = ()
) -> Revision:
    return Revision(
        number=number, name=f"web-{hash}", created_at=NOW - timedelta(minutes=60 - number), current=current,
        containers=(ContainerSpec(name="web", image=image),), changes=changes,
    )  # fmt: skip


def workload(*revisions: Revision, desired: int = 3, ready: int = 0, **facts: Any) -> WorkloadState:
    given: dict[str, Any] = {"rollout": "complete", **facts}
    return WorkloadState(
        target=WEB, uid="uid-web", resource_version="1", desired_count=desired, updated_count=ready,
        ready_count=ready, available_count=ready, created_at=NOW, revisions=revisions, **given,
    )  # fmt: skip


def node(name: str, *, cordoned: bool = False, ready: bool = True, **facts: Any) -> NodeState:
    return NodeState(target=Target(kind="Node", name=name), ready=ready, cordoned=cordoned, **facts)


def event(about: Target, reason: str, message: str, *, count: int = 1, type: str = "Warning") -> EventSummary:
    return EventSummary(
        about=about, type=type, reason=reason, message=message, count=count, first_at=NOW, last_at=NOW
    )


def observation(fact: Fact, *, key: str = "", about: Target | None = None) -> Observation:
    about = about or _subject(fact)
    return Observation(
        key=key or f"{fact.fact}:{about}",
        about=about,
        text=f"{fact.fact} {about}",
        fact=fact,
        source="test",
        observed_at=NOW,
    )


def _subject(fact: Fact) -> Target:
    if isinstance(fact, WorkloadState | PodState | NodeState):
        return fact.target
    return fact.about if isinstance(fact, EventSummary) else WEB


def incident(
    facts: Iterable[Fact] = (), *, target: Target = WEB, alerts: Iterable[Alert] | None = None
) -> Incident:
    made = Incident(
        id="inc-1", group_key="shop/web", target=target, opened_at=NOW, title="KubePodCrashLooping on web"
    )
    made.merge_alerts([alert()] if alerts is None else alerts)
    made.add_evidence(observation(fact, key=f"{number}") for number, fact in enumerate(facts))
    return made


def action(
    tool: str = "restart_workload", *, key: str = "inc-1-1", target: Target = WEB, **arguments: object
) -> Action:
    said: Mapping[str, object] = arguments
    return Action(key=key, tool=tool, target=target, arguments=said, reason="because", expects="it is well")
