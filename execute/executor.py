"""What Execute does with a decision: look, or bring one change through the door and check its effect."""

from dataclasses import dataclass, replace

from domain.attempt import Answer, Attempt, OutcomeKind
from domain.decision import Action
from domain.evidence import Observation
from domain.incident import Incident
from execute.actions import Door
from execute.locks import TargetLocks
from execute.looks import Looker
from execute.verify import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What one visit of Execute brought."""

    observations: tuple[Observation, ...] = ()
    attempt: Attempt | None = None
    withdrawn: bool = False  # nothing fires any more, so nothing was changed

    @property
    def waits(self) -> bool:
        """Whether a person has to answer first."""
        return self.attempt is not None and self.attempt.verdict.answer is Answer.ASK


class Executor:
    """Carries out the decision in force of an incident."""

    def __init__(self, door: Door, looker: Looker, verifier: Verifier) -> None:
        self._door = door
        self._looker = looker
        self._verifier = verifier
        self._locks = TargetLocks()

    async def carry_out(self, incident: Incident) -> Progress:
        """Do it. The incident itself is not touched; the caller files what comes back."""
        decision = incident.decision
        if decision is None:
            raise ValueError(f"{incident.id} came to Execute without a decision")
        if decision.action is None:
            seen = await self._looker.look(decision.looks, incident.target)
            return Progress(observations=tuple(seen))
        async with self._locks.hold(str(decision.action.target)):
            begun = await self._door.begun(decision.action, incident)
            if begun is not None:  # whatever has changed since that run, what it did is seen through
                seen_through = await self._verifier.verify(begun.action, incident.target, None)
                return Progress(attempt=replace(begun, verification=seen_through))
            if not incident.firing:
                return Progress(withdrawn=True)
            return Progress(attempt=await self._attempt(incident, decision.action))

    async def _attempt(self, incident: Incident, action: Action) -> Attempt:
        attempt = await self._door.judge(action, incident)
        if attempt.verdict.answer is not Answer.ALLOW:
            return attempt
        before = await self._verifier.look(incident.target)
        outcome = await self._door.apply(action, incident)
        attempt = replace(attempt, outcome=outcome)
        if outcome.kind is OutcomeKind.FAILED:
            return attempt
        verification = await self._verifier.verify(action, incident.target, before)
        return replace(attempt, verification=verification)
