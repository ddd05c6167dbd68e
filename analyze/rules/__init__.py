"""Fault rules, one file a family. A rule is a pure function from what is known to hypotheses."""

from collections.abc import Callable

from analyze.rules import claims, dependencies, images, nodes, resources, rollouts, scaling, services
from analyze.scene import Scene
from domain.decision import Hypothesis

Rule = Callable[[Scene], list[Hypothesis]]

# Asked once for each workload that was seen: the incident's own, and its neighbours that serve nobody.
OF_WORKLOADS: tuple[Rule, ...] = (
    images.cannot_be_pulled,
    images.crashes_since_rollout,
    resources.killed_for_memory,
    scaling.scaled_to_zero,
    scaling.autoscaler_blind,
    dependencies.name_is_gone,
    rollouts.said_and_changed,
)
OF_SCENES: tuple[Rule, ...] = (nodes.cordoned, nodes.gone, services.lead_nowhere, claims.find_no_volume)


def diagnose(scene: Scene) -> tuple[Hypothesis, ...]:
    """What every rule says, most confident first; nothing when no rule recognises the trouble."""
    found = [hypothesis for rule in OF_SCENES for hypothesis in rule(scene)]
    for part in scene.each_workload():
        found += [hypothesis for rule in OF_WORKLOADS for hypothesis in rule(part)]
    return tuple(sorted(found, key=lambda hypothesis: -hypothesis.confidence))
