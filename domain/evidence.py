"""Evidence: one observed fact with its source and time; no opinion."""

from dataclasses import dataclass
from datetime import datetime

from domain.alert import Target
from domain.cluster import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A fact as a collector found it, not yet part of an incident.

    `key` names what was looked at, so that a later look at the same thing replaces this one.
    """

    key: str
    about: Target
    text: str
    fact: Fact
    source: str
    observed_at: datetime
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An observation in an incident's file; hypotheses and reports cite it by `id` (E1, E2 …)."""

    id: str
    seen: Observation

    @property
    def fact(self) -> Fact:
        """What was observed."""
        return self.seen.fact

    @property
    def text(self) -> str:
        """The observation in one line for people."""
        return self.seen.text
