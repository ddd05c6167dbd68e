"""How much a step may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Seconds and LLM tokens that are left for one step."""

    seconds: float
    tokens_count: int = 0
