"""The whole service with an LLM: good answers are carried out, bad ones end in a report all the same."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from domain.attempt import Effect
from domain.incident import Incident, Resolution
from tests.flow.conftest import open_world, quick_settings
from tests.stubs.openai_stub import MODEL, NAMED, Chat, OpenAiStub, Reply, answer, by_request
from utils.settings import LlmSection

WEB: Mapping[str, object] = {"kind": "Deployment", "namespace": "shop", "name": "web"}
SAID: Mapping[str, object] = {
    "evidence_for": ["E1"], "evidence_against": [], "cause": "image-nonexistent", "title": "No such tag",
    "confidence": 0.9, "alternatives": [], "reasons": ["the registry says so"], "kind": "execute_tool",
    "looks": [], "action": None,
}  # fmt: skip
LOOK = {"tool": "list_events", "arguments": [{"name": "namespace", "value": "shop"}]}
ROLLBACK: Mapping[str, object] = {
    "tool": "rollback_workload", "target": WEB, "arguments": [{"name": "to_revision", "value": "1"}],
    "expects": "3 pods are ready",
}  # fmt: skip


def scripted(*decisions: Mapping[str, object], paragraph: str) -> Reply:
    """Decisions in order; a question for a summary is answered with the paragraph."""
    left = list(decisions)

    def choose(chat: Chat) -> Reply:
        if "paragraph" in str(chat.schema):
            return answer({"paragraph": paragraph})
        return answer({**SAID, **(left.pop(0) if len(left) > 1 else left[0])})

    return by_request(choose)


async def run(folder: Path, *replies: Reply, scenario: str = "bad-image") -> tuple[Incident, str]:
    """One incident with the LLM that answers like this; the incident and its report."""
    async with OpenAiStub(*replies) as stub:
        settings = quick_settings(
            folder, analyst="llm", llm=LlmSection(model=MODEL, timeout_s=0.4),
            OPENAI_BASE_URL=stub.url, OPENAI_API_KEY=SecretStr("sk-not-a-key"),
        )  # fmt: skip
        async with open_world(settings, scenario) as world:
            await world.post_alert()
            incident = await world.closed()
    return incident, Path(incident.report_path).read_text(encoding="utf-8")


async def test_an_llm_looks_acts_and_closes_and_its_words_are_in_the_report(tmp_path: Path) -> None:
    reply = scripted(
        {"looks": [LOOK]}, {"action": ROLLBACK}, {"kind": "resolved"}, paragraph="A typo in a tag."
    )
    incident, report = await run(tmp_path, reply)
    assert incident.resolution is Resolution.RESOLVED
    assert [decision.analyst for decision in incident.decisions] == ["llm"] * 3
    assert incident.last_verification is not None
    assert incident.last_verification.effect is Effect.HELPED
    assert incident.used.tokens_count > 0
    assert "A typo in a tag." in report


async def test_an_llm_that_says_resolved_without_any_check_is_not_believed(tmp_path: Path) -> None:
    incident, _ = await run(tmp_path, scripted({"kind": "resolved"}, paragraph="All fine."))
    assert incident.resolution is Resolution.RESOLVED
    assert incident.decisions[0].analyst == "rules"


async def test_an_llm_that_goes_for_another_workload_is_not_obeyed(tmp_path: Path) -> None:
    elsewhere = {**ROLLBACK, "target": {**WEB, "namespace": "kube-system", "name": "coredns"}}
    incident, _ = await run(tmp_path, scripted({"action": elsewhere}, paragraph="Done."))
    assert all(attempt.action.target.name == "web" for attempt in incident.attempts)


@pytest.mark.parametrize(
    "name",
    [
        "html",
        "broken_answer",
        "choices_empty",
        "wrong_schema",
        "length",
        "refusal",
        "unauthorized",
        "cut_off",
    ],
)
async def test_whatever_the_llm_answers_there_is_a_decision_and_a_report_that_says_so(
    tmp_path: Path, name: str
) -> None:
    incident, report = await run(tmp_path, NAMED[name], scenario="unknown-crash")
    assert incident.resolution is Resolution.ESCALATED
    assert {decision.analyst for decision in incident.decisions} == {"rules"}
    remarks = [entry.text for entry in incident.timeline if entry.event == "analyst_remarked"]
    assert remarks and "rules" in remarks[0]
    assert "run_failed" not in [entry.event for entry in incident.timeline]
    assert remarks[0][:40] in report
