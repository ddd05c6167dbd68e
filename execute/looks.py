"""The reading calls that a decision asks for, run at once; their answers become evidence."""

import asyncio
import json

from domain.alert import Target
from domain.clock import Clock
from domain.cluster import ToolText
from domain.errors import LoopError
from domain.evidence import Observation
from domain.tools import Toolbox, ToolCall
from evidence.describe import of_text

MAX_TEXT_LENGTH = 6000  # characters of one answer kept as evidence; tools cut theirs before that


class Looker:
    """Runs reading calls. Calls of changing tools are answered with a refusal, not with a change."""

    def __init__(self, toolbox: Toolbox, clock: Clock, *, call_s: float) -> None:
        self._toolbox = toolbox
        self._clock = clock
        self._call_s = call_s

    async def look(self, calls: tuple[ToolCall, ...], target: Target) -> list[Observation]:
        """One observation a call, in the order asked; a failed call says why it failed."""
        return list(await asyncio.gather(*(self._one(call, target) for call in calls)))

    async def _one(self, call: ToolCall, target: Target) -> Observation:
        key = f"look:{call.tool}:{json.dumps(call.arguments, sort_keys=True, default=str)}"
        answer = await self._ask(call)
        return of_text(answer, about=target, key=key, at=self._clock.now())

    async def _ask(self, call: ToolCall) -> ToolText:
        if not self._reads(call.tool):
            return ToolText(
                tool=call.tool, ok=False, text=f"{call.tool} is not a reading tool and was not called"
            )
        try:
            answer = await self._toolbox.call(call, budget_s=self._call_s)
        except LoopError as error:
            return ToolText(tool=call.tool, ok=False, text=f"{call} failed: {error}")
        return ToolText(tool=call.tool, text=answer.text[:MAX_TEXT_LENGTH])

    def _reads(self, tool: str) -> bool:
        return any(spec.name == tool and spec.read_only for spec in self._toolbox.specs())
