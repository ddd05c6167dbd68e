"""A toolbox and a ledger for tests of the door: a script of answers, and what was called."""

from collections.abc import Sequence
from datetime import datetime

from domain.attempt import Approval, Intent, Outcome
from domain.decision import Action
from domain.tools import ToolAnswer, ToolCall, ToolSpec

CHANGED = {
    "target": {"kind": "Deployment", "namespace": "shop", "name": "web"},
    "changed": True,
    "summary": "restarted",
}


class ScriptedToolbox:
    """Answers call after call from a list; an exception in it is raised."""

    def __init__(self, *script: ToolAnswer | Exception, specs: Sequence[ToolSpec] = ()) -> None:
        self._script = list(script)
        self._specs = specs
        self.calls: list[ToolCall] = []

    def specs(self) -> Sequence[ToolSpec]:
        return self._specs

    async def call(self, call: ToolCall, *, budget_s: float) -> ToolAnswer:
        self.calls.append(call)
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class MemoryLedger:
    """Keeps intents as the journal does: the first one stands."""

    def __init__(self, approval: Approval | None = None) -> None:
        self.intents: dict[str, Intent] = {}
        self._approval = approval

    async def intend(self, incident_id: str, action: Action, *, at: datetime) -> Intent:
        return self.intents.setdefault(action.key, Intent(action=action, intended_at=at))

    async def intent_of(self, action_key: str) -> Intent | None:
        return self.intents.get(action_key)

    async def settle(self, action_key: str, outcome: Outcome) -> None:
        known = self.intents[action_key]
        self.intents[action_key] = Intent(action=known.action, intended_at=known.intended_at, outcome=outcome)

    async def approval_of(self, action_key: str) -> Approval | None:
        return self._approval


def changed(**facts: object) -> ToolAnswer:
    return ToolAnswer(text="restarted", data={**CHANGED, **facts})
