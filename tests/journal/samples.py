"""Words filled in for the journal's tests."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.alert import Alert, AlertGroup, AlertStatus, Delivery, Severity, Target
from domain.attempt import (
    Answer,
    Approval,
    Attempt,
    Effect,
    Outcome,
    OutcomeKind,
    Verdict,
    Verification,
)
from domain.cluster import (
    ContainerSpec,
    ContainerState,
    EventSummary,
    Fact,
    LogTail,
    NodeState,
    PodState,
    Revision,
    ToolText,
    WorkloadState,
)
from domain.decision import Action, Decision, DecisionKind, Hypothesis
from domain.evidence import Observation
from domain.incident import Incident, IncidentState, Resolution, Station, Usage
from domain.tools import ToolCall
from journal.port import Filing
from journal.sqlite import SqliteJournal
from tests.fakes import START

WEB = Target(kind="Deployment", namespace="shop", name="web", cluster="c1")
POD = Target(kind="Pod", namespace="shop", name="web-7c9d8f6b5-x2x4z", cluster="c1")


def alert(fingerprint: str = "f1", *, started_at: datetime = START, **labels: str) -> Alert:
    return Alert(
        fingerprint=fingerprint,
        status=AlertStatus.FIRING,
        labels={"alertname": "KubePodCrashLooping", "severity": "critical", **labels},
        annotations={"summary": "Pod is crash looping – über"},
        started_at=started_at,
        generator_url="http://prometheus:9090/graph",
    )


def resolved(firing: Alert) -> Alert:
    return replace(firing, status=AlertStatus.RESOLVED, ended_at=firing.started_at + timedelta(minutes=5))


def group(*alerts: Alert, key: str = "workload/c1/shop/web", target: Target = WEB) -> AlertGroup:
    return AlertGroup(key=key, target=target, alerts=alerts)


def delivery(delivery_id: str = "d1", body: bytes = b"{}") -> Delivery:
    return Delivery(id=delivery_id, source="alertmanager", body=body, received_at=START, sender="10.0.0.7")


async def file(journal: SqliteJournal, delivery_id: str, *groups: AlertGroup) -> Filing:
    """Keep a delivery and file these groups as its alerts."""
    await journal.keep_delivery(delivery(delivery_id))
    return await journal.file_groups(delivery_id, groups, at=START)


def container_state() -> ContainerState:
    return ContainerState(
        name="web",
        image="shop/web:2",
        state="waiting",
        reason="CrashLoopBackOff",
        exit_code=1,
        restart_count=7,
        started_at=START,
        last_reason="OOMKilled",
        last_exit_code=137,
        last_finished_at=START,
        memory_limit_bytes=128 * 2**20,
        cpu_limit_cores=0.25,
    )


def facts() -> tuple[Fact, ...]:
    """One of every kind."""
    spec = ContainerSpec(name="web", image="shop/web:2", memory_limit_bytes=1, cpu_request_cores=0.1)
    revision = Revision(
        number=2, name="web-1", created_at=START, containers=(spec,), current=True, changes=("a -> b",)
    )
    return (
        WorkloadState(
            target=WEB,
            uid="u1",
            resource_version="42",
            desired_count=3,
            updated_count=3,
            ready_count=0,
            available_count=0,
            rollout="stalled",
            created_at=START,
            containers=(spec,),
            revisions=(revision,),
            managed_by="Helm",
        ),
        PodState(
            target=POD,
            uid="u2",
            phase="Running",
            status="CrashLoopBackOff",
            ready=False,
            created_at=START,
            owner=WEB,
            containers=(container_state(),),
        ),
        NodeState(
            target=Target(kind="Node", name="n1"),
            ready=False,
            cordoned=True,
            pressures=("MemoryPressure",),
            taints=("a=b:NoSchedule",),
            pods_count=110,
        ),
        EventSummary(
            about=POD,
            type="Warning",
            reason="BackOff",
            message="restarting",
            count=9,
            first_at=START,
            last_at=START,
        ),
        LogTail(pod=POD, container="web", previous=True, lines=("panic: out of memory", "exit 137")),
        ToolText(tool="get_usage", text="12 MiB", ok=False),
    )


def action(key: str = "inc-1/1") -> Action:
    return Action(
        key=key,
        tool="rollback_workload",
        target=WEB,
        arguments={"to_revision": 1, "dry_run": False, "containers": ["web"]},
        reason="the new image crashes",
        expects="3 of 3 pods ready",
    )


def asking(key: str = "inc-1/1") -> Attempt:
    """An attempt that waits for a person."""
    return Attempt(
        action=action(key), verdict=Verdict(answer=Answer.ASK, rule="risk.over_limit", reason="risk 0.7")
    )


def approval(incident_id: str, key: str = "inc-1/1", *, granted: bool = True) -> Approval:
    return Approval(
        incident_id=incident_id, action_key=key, approver="ada", granted=granted, decided_at=START
    )


def outcome(kind: OutcomeKind = OutcomeKind.DONE) -> Outcome:
    return Outcome(
        kind=kind,
        text="rolled back to 1",
        at=START,
        before={"image": "shop/web:2"},
        after={"image": "shop/web:1"},
        undo=ToolCall(tool="rollback_workload", arguments={"to_revision": 2}),
        warnings=("owned by Helm",),
    )


def incident(incident_id: str = "inc-1", *, key: str = "workload/c1/shop/web") -> Incident:
    return Incident(
        id=incident_id, group_key=key, target=WEB, opened_at=START, title="KubePodCrashLooping on web"
    )


def parked(incident_id: str = "inc-1") -> Incident:
    """One that waits for a person's answer."""
    waiting = incident(incident_id)
    waiting.state = IncidentState.PARKED
    waiting.put_attempt(asking())
    return waiting


def full_incident(incident_id: str = "inc-1") -> Incident:
    """Every field of an incident filled in, with every kind of fact."""
    filled = incident(incident_id)
    filled.severity = Severity.CRITICAL
    filled.state = IncidentState.CLOSED
    filled.next = Station.END
    filled.merge_alerts([alert("f1"), resolved(alert("f2"))])
    filled.add_evidence(
        Observation(
            key=f"k{n}", about=WEB, text=f"fact {n}", fact=fact, source="kube_read", observed_at=START
        )
        for n, fact in enumerate(facts())
    )
    filled.hypotheses = [
        Hypothesis(cause="bad_image", title="Bad image", target=WEB, confidence=0.9, evidence_for=("E1",))
    ]
    filled.decisions = [
        Decision(
            kind=DecisionKind.EXECUTE_TOOL,
            analyst="rules",
            cause="bad_image",
            confidence=0.9,
            reasons=("it crashes since the rollout",),
            looks=(ToolCall(tool="list_pods", arguments={"namespace": "shop"}),),
            action=action(),
        )
    ]
    checked = Verification(
        effect=Effect.HELPED, text="3 of 3 ready", checks=("ready",), at=START, took_s=4.25
    )
    filled.attempts = [replace(asking(), approval=approval("inc-1"), outcome=outcome(), verification=checked)]
    filled.used = Usage(steps_count=4, active_s=12.5, tokens_count=900)
    filled.resolution = Resolution.RESOLVED
    filled.closed_at = START + timedelta(minutes=9)
    filled.report_path = "reports/inc-1.md"
    filled.note(at=START, station=Station.RECEIVE, event="incident_opened", text="it began", alerts_count=2)
    filled.note(at=START, station=Station.REPORT, event="incident_closed", text="it ended", took={"s": 1.5})
    return filled
