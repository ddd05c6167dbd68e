"""The only door to changes: verdict, intent, apply, outcome. Nothing else here calls a changing tool."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from domain.attempt import Answer, Approval, Attempt, Intent, Outcome, OutcomeKind, Verdict
from domain.clock import Clock
from domain.cluster import ChangeResult, PodState
from domain.decision import Action
from domain.errors import BadInput, LoopError, Transient
from domain.incident import Incident
from domain.tools import ToolAnswer, Toolbox, ToolCall
from execute.arguments import checked
from policy.judge import Policy

APPLY_TRIES_COUNT = 3  # safe to repeat: a tool does nothing for a key that it has seen on the object
RETRY_PAUSE_S = 1.0

BEGUN = Verdict(answer=Answer.ALLOW, rule="begun", reason="it was allowed and begun in an earlier run")

CHANGE = TypeAdapter(ChangeResult)


class Ledger(Protocol):
    """What the door writes down before and after; the journal fits."""

    async def intend(self, incident_id: str, action: Action, *, at: datetime) -> Intent: ...

    async def intent_of(self, action_key: str) -> Intent | None: ...

    async def settle(self, action_key: str, outcome: Outcome) -> None: ...

    async def approval_of(self, action_key: str) -> Approval | None: ...


class Door:
    """Judges an action and applies it at most once."""

    def __init__(
        self, toolbox: Toolbox, policy: Policy, ledger: Ledger, clock: Clock, *, call_s: float
    ) -> None:
        self._toolbox = toolbox
        self._policy = policy
        self._ledger = ledger
        self._clock = clock
        self._call_s = call_s

    async def judge(self, action: Action, incident: Incident) -> Attempt:
        """The attempt with its verdict and, where one was given, the approval."""
        try:
            arguments_of(action, incident)
        except BadInput as error:
            verdict = Verdict(answer=Answer.DENY, rule="bad-arguments", reason=str(error))
            return Attempt(action=action, verdict=verdict, judged_at=self._clock.now())
        approval = await self._ledger.approval_of(action.key)
        verdict = self._policy.judge(action, incident, approval)
        return Attempt(action=action, verdict=verdict, judged_at=self._clock.now(), approval=approval)

    async def apply(self, action: Action, incident: Incident) -> Outcome:
        """Apply an allowed action. An intent left by a crash is looked up, never blindly repeated."""
        intent = await self._ledger.intend(incident.id, action, at=self._clock.now())
        if intent.outcome is not None and intent.outcome.kind is not OutcomeKind.UNKNOWN:
            return intent.outcome
        outcome = await self._call(action, incident)
        await self._ledger.settle(action.key, outcome)
        return outcome

    async def begun(self, action: Action, incident: Incident) -> Attempt | None:
        """The attempt that arrived at its target in an earlier run, with its outcome; None when none did.

        Looks under the action's key and changes nothing.
        """
        intent = await self._ledger.intent_of(action.key)
        if intent is None:
            return None
        outcome = intent.outcome or await self._call(action, incident, dry_run=True)
        if outcome.kind not in (OutcomeKind.DONE, OutcomeKind.UNKNOWN):
            return None
        await self._ledger.settle(action.key, outcome)
        approval = await self._ledger.approval_of(action.key)
        return Attempt(
            action=action, verdict=BEGUN, judged_at=intent.intended_at, approval=approval, outcome=outcome
        )

    async def _call(self, action: Action, incident: Incident, *, dry_run: bool = False) -> Outcome:
        arguments = {**arguments_of(action, incident), **({"dry_run": True} if dry_run else {})}
        call = ToolCall(tool=action.tool, arguments=arguments)
        trouble = ""
        for _ in range(APPLY_TRIES_COUNT):
            try:
                return self._outcome(await self._toolbox.call(call, budget_s=self._call_s))
            except Transient as error:
                trouble = str(error)
                await self._clock.sleep(RETRY_PAUSE_S)
            except LoopError as error:
                return self._said(OutcomeKind.FAILED, str(error))
        return self._said(OutcomeKind.UNKNOWN, f"no answer, it may have been applied: {trouble}")

    def _outcome(self, answer: ToolAnswer) -> Outcome:
        try:
            change = CHANGE.validate_python(answer.data)
        except ValidationError:
            return self._said(
                OutcomeKind.UNKNOWN, f"the tool answered in an unknown shape: {answer.text[:200]}"
            )
        did_it = change.repeated or (change.changed and not change.dry_run)
        return Outcome(
            kind=OutcomeKind.DONE if did_it else OutcomeKind.UNCHANGED,
            text=change.summary,
            at=self._clock.now(),
            before=change.before,
            after=change.after,
            undo=_undo(change.undo_tool, change.undo_arguments),
            warnings=change.warnings,
        )

    def _said(self, kind: OutcomeKind, text: str) -> Outcome:
        return Outcome(kind=kind, text=text, at=self._clock.now())


def arguments_of(action: Action, incident: Incident) -> dict[str, object]:
    """All that the tool is called with. Raises BadInput naming what is wrong or missing."""
    pinned = {"uid": _seen_uid(action, incident)} if action.tool == "delete_pod" else {}
    return {**checked(action), **pinned}


def _seen_uid(action: Action, incident: Incident) -> str:
    """Of the pod as last seen: a deleted pod carries no key, and its successor must not go, too."""
    for item in reversed(incident.evidence):
        if isinstance(item.fact, PodState) and item.fact.target == action.target:
            return item.fact.uid
    raise BadInput(f"{action.target} may have a successor by now; look at it first", field="target")


def _undo(tool: str, arguments: Mapping[str, object]) -> ToolCall | None:
    return ToolCall(tool=tool, arguments=arguments) if tool else None
