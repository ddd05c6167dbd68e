"""The door: intent before change, at most once, and an honest outcome."""

from dataclasses import replace

import pytest

from domain.attempt import Answer, OutcomeKind
from domain.errors import ToolFailed, ToolTimeout, ToolUnavailable
from execute.actions import Door
from policy.judge import Policy
from policy.table import PolicyTable
from tests.builders import action, incident, pod, running
from tests.execute.world import MemoryLedger, ScriptedToolbox, changed
from tests.fakes import FakeClock

POLICY = Policy(PolicyTable.model_validate({"version": 1, "actions": {"restart_workload": {}}}), "sandbox")


def door(toolbox: ScriptedToolbox, ledger: MemoryLedger) -> Door:
    return Door(toolbox, POLICY, ledger, FakeClock(), call_s=1)


async def test_an_allowed_action_is_intended_then_applied_then_settled() -> None:
    toolbox, ledger = ScriptedToolbox(changed(undo_tool="rollback_workload")), MemoryLedger()
    outcome = await door(toolbox, ledger).apply(action(), incident())
    assert outcome.kind is OutcomeKind.DONE
    assert outcome.undo is not None
    assert ledger.intents["inc-1-1"].outcome == outcome
    assert toolbox.calls[0].arguments == {
        "namespace": "shop", "kind": "Deployment", "name": "web", "key": "inc-1-1",
    }  # fmt: skip


async def test_a_settled_intent_is_never_applied_again() -> None:
    toolbox, ledger = ScriptedToolbox(changed()), MemoryLedger()
    first = await door(toolbox, ledger).apply(action(), incident())
    assert await door(toolbox, ledger).apply(action(), incident()) == first
    assert len(toolbox.calls) == 1


async def test_an_intent_without_outcome_is_asked_for_under_the_same_key() -> None:
    ledger = MemoryLedger()
    await ledger.intend("inc-1", action(), at=FakeClock().now())
    toolbox = ScriptedToolbox(changed(changed=False, repeated=True))
    assert (await door(toolbox, ledger).apply(action(), incident())).kind is OutcomeKind.DONE
    assert toolbox.calls[0].arguments["key"] == "inc-1-1"


async def test_a_lost_answer_is_asked_for_again_and_then_unknown() -> None:
    toolbox = ScriptedToolbox(ToolTimeout("no answer"), changed(repeated=True, changed=False))
    assert (await door(toolbox, MemoryLedger()).apply(action(), incident())).kind is OutcomeKind.DONE
    silent = ScriptedToolbox(*[ToolUnavailable("gone")] * 3)
    outcome = await door(silent, MemoryLedger()).apply(action(), incident())
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert "may have been applied" in outcome.text


async def test_a_target_that_is_already_so_is_unchanged() -> None:
    outcome = await door(ScriptedToolbox(changed(changed=False)), MemoryLedger()).apply(action(), incident())
    assert outcome.kind is OutcomeKind.UNCHANGED


async def test_a_tool_that_refuses_is_a_failure_with_its_words() -> None:
    toolbox = ScriptedToolbox(ToolFailed('deployments.apps "web" not found'))
    outcome = await door(toolbox, MemoryLedger()).apply(action(), incident())
    assert (outcome.kind, outcome.text) == (OutcomeKind.FAILED, 'deployments.apps "web" not found')


async def test_a_pod_is_deleted_by_the_uid_that_was_seen() -> None:
    seen = pod("web-1", running())
    toolbox = ScriptedToolbox(changed())
    await door(toolbox, MemoryLedger()).apply(action("delete_pod", target=seen.target), incident([seen]))
    assert toolbox.calls[0].arguments["uid"] == "uid-web-1"


async def test_of_a_pod_seen_more_than_once_the_newest_look_counts() -> None:
    earlier = pod("web-0", running())
    later = replace(earlier, uid="uid-of-its-successor")
    toolbox = ScriptedToolbox(changed())
    about = incident([earlier, later])
    await door(toolbox, MemoryLedger()).apply(action("delete_pod", target=earlier.target), about)
    assert toolbox.calls[0].arguments["uid"] == "uid-of-its-successor"


async def test_a_pod_that_was_not_looked_at_is_not_deleted() -> None:
    unseen = action("delete_pod", target=pod("web-1", running()).target)
    attempt = await door(ScriptedToolbox(), MemoryLedger()).judge(unseen, incident())
    assert (attempt.verdict.answer, attempt.verdict.rule) == (Answer.DENY, "bad-arguments")
    assert "look at it first" in attempt.verdict.reason


@pytest.mark.parametrize(
    "bad",
    [
        action("delete_workload"),
        action(force=True),
        action("set_resources", container="c"),
        action("set_resources", memory_limit="lots"),
    ],
)
async def test_an_unknown_action_or_argument_is_denied_before_policy_is_asked(bad: object) -> None:
    attempt = await door(ScriptedToolbox(), MemoryLedger()).judge(bad, incident())  # type: ignore[arg-type]
    assert (attempt.verdict.answer, attempt.verdict.rule) == (Answer.DENY, "bad-arguments")
