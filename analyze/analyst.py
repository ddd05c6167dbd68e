"""The analyst as the flow sees it: rules or an LLM behind one protocol."""

from typing import Protocol

from domain.budget import Budget
from domain.decision import Assessment
from domain.incident import Incident


class Analyst(Protocol):
    """Decides the next step of one incident. Looks only at the incident; changes nothing."""

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    async def assess(self, incident: Incident, *, budget: Budget) -> Assessment:
        """Weigh the evidence and decide.

        Raises LoopError when no answer is possible within the budget.
        """
        ...
