"""Fault rules, one file a family. A rule is a pure function from what is known to hypotheses."""

from collections.abc import Callable

from analyze.rules import images, nodes, resources, scaling
from analyze.scene import Scene
from domain.decision import Hypothesis

Rule = Callable[[Scene], list[Hypothesis]]

RULES: tuple[Rule, ...] = (
    images.cannot_be_pulled,
    images.crashes_since_rollout,
    resources.killed_for_memory,
    scaling.scaled_to_zero,
    nodes.cordoned,
)


def diagnose(scene: Scene) -> tuple[Hypothesis, ...]:
    """What every rule says, most confident first; nothing when no rule recognises the trouble."""
    found = [hypothesis for rule in RULES for hypothesis in rule(scene)]
    return tuple(sorted(found, key=lambda hypothesis: -hypothesis.confidence))
