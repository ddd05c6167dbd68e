"""Whole ways of an alert, from the webhook to the report, on a cluster that really changes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import open_place, scenario_file
from domain.attempt import Answer, Effect, OutcomeKind
from domain.decision import DecisionKind
from domain.incident import Incident, Resolution
from sandbox.scenario import load_scenario
from tests.flow.conftest import open_world, quick_settings, serving
from utils.settings import LimitsSection, Settings

FIXABLE = ("bad-image", "crash-after-rollout", "memory-limit-too-low", "scaled-to-zero", "nodes-cordoned")


def events(incident: Incident) -> list[str]:
    return [entry.event for entry in incident.timeline]


@pytest.mark.parametrize("name", FIXABLE)
async def test_a_known_fault_is_found_fixed_and_verified(settings: Settings, name: str) -> None:
    expect = load_scenario(scenario_file(name)).expect
    async with open_world(settings, name) as world:
        assert await world.post_alert() == 200
        incident = await world.closed()
    assert incident.resolution is Resolution.RESOLVED
    assert incident.hypotheses[0].cause in expect.cause
    done = incident.last_attempt
    assert done is not None and done.outcome is not None and done.verification is not None
    assert done.action.tool in (expect.actions or [])
    assert done.outcome.kind is OutcomeKind.DONE
    assert done.verification.effect is Effect.HELPED
    report = Path(incident.report_path).read_text(encoding="utf-8")
    assert all(f"| {id} |" in report for id in incident.hypotheses[0].evidence_for)


async def test_an_unknown_fault_is_handed_over_untouched(settings: Settings) -> None:
    async with open_world(settings, "unknown-crash") as world:
        await world.post_alert()
        incident = await world.closed()
    assert incident.resolution is Resolution.ESCALATED
    assert incident.attempts == []
    assert "RuntimeError" in Path(incident.report_path).read_text(encoding="utf-8")


async def test_on_a_cluster_a_person_is_asked_and_the_yes_is_carried_out(settings: Settings) -> None:
    async with open_world(settings, "bad-image", judged_as="cluster") as world:
        await world.post_alert()
        parked = await world.parked()
        assert parked.last_attempt is not None and parked.last_attempt.verdict.answer is Answer.ASK
        url = f"{world.service.url}/api/approvals/{parked.id}/approve"
        async with world.http.post(url, json={"approver": "on-call", "reason": "looks right"}) as answer:
            assert answer.status == 200
        incident = await world.closed()
    assert incident.resolution is Resolution.RESOLVED
    assert incident.last_attempt is not None and incident.last_attempt.approval is not None
    assert incident.last_attempt.approval.approver == "on-call"
    assert "on-call: looks right" in Path(incident.report_path).read_text(encoding="utf-8")


async def test_a_no_is_final_and_calls_a_person(settings: Settings) -> None:
    async with open_world(settings, "bad-image", judged_as="cluster") as world:
        await world.post_alert()
        parked = await world.parked()
        url = f"{world.service.url}/api/approvals/{parked.id}/reject"
        async with world.http.post(url, json={"approver": "on-call"}) as answer:
            assert answer.status == 200
        incident = await world.closed()
    assert incident.resolution is Resolution.ESCALATED
    assert "action_applied" not in events(incident)


async def test_a_parked_incident_whose_alert_resolves_closes_without_a_change(settings: Settings) -> None:
    async with open_world(settings, "bad-image", judged_as="cluster") as world:
        await world.post_alert()
        await world.parked()
        ended = datetime.now(UTC).isoformat()
        assert await world.post_alert(status="resolved", endsAt=ended) == 200
        incident = await world.closed()
    assert incident.resolution is Resolution.NO_ACTION
    assert "action_withdrawn" in events(incident)


async def test_a_parked_incident_waits_through_a_restart(settings: Settings) -> None:
    """The sandbox lives on while the service is stopped and started again."""
    async with open_place(settings, sandbox=True, scenario="bad-image") as place:
        async with serving(settings, replace(place, kind="cluster")) as world:
            await world.post_alert()
            parked = await world.parked()
        async with serving(settings, replace(place, kind="cluster")) as world:
            url = f"{world.service.url}/api/approvals/{parked.id}/approve"
            async with world.http.post(url, json={"approver": "on-call"}) as answer:
                assert answer.status == 200
            incident = await world.closed()
    assert incident.resolution is Resolution.RESOLVED
    assert events(incident).count("approval_awaited") == 1


async def test_a_repeated_alert_changes_nothing_and_opens_nothing(settings: Settings) -> None:
    async with open_world(settings, "bad-image") as world:
        for _ in range(3):
            assert await world.post_alert() == 200
        await world.closed()
        assert await world.post_alert() == 200
        rows = await world.service.journal.incidents()
    assert len(rows) == 1


async def test_at_the_limit_of_steps_the_incident_goes_to_a_person(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path, limits=LimitsSection(steps_count=1))
    async with open_world(settings, "scaled-to-zero", judged_as="cluster") as world:
        await world.post_alert()
        parked = await world.parked()
        url = f"{world.service.url}/api/approvals/{parked.id}/reject"
        async with world.http.post(url, json={"approver": "on-call"}) as answer:
            assert answer.status == 200
        incident = await world.closed()
    assert incident.decision is not None
    assert incident.decision.kind is DecisionKind.NEEDS_MANUAL_INTERVENTION
    assert "limit of 1 steps" in incident.decision.reasons[0]


async def test_a_cluster_that_cannot_be_reached_is_said_so_to_a_person(settings: Settings) -> None:
    async with (
        open_place(settings, sandbox=True, scenario="bad-image") as place,
        serving(settings, replace(place, kubeconfig="/nonexistent/kubeconfig")) as world,
    ):
        await world.post_alert()
        incident = await world.closed()
    assert incident.resolution is Resolution.ESCALATED
    assert "evidence_missing" in events(incident)
