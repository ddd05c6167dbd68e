"""Services that lead nowhere: held against their pods, they say themselves what does not fit."""

import re

from analyze.scene import Scene
from domain.decision import Hypothesis

FAULTS = (
    ("svc-target-port", "leads to a port that nobody listens on", re.compile(r"targetPort"), 0.9),
    ("svc-selector-none", "selects no pod", re.compile(r"selects no pod|matches no pod|no pod has"), 0.9),
)


def lead_nowhere(scene: Scene) -> list[Hypothesis]:
    """One hypothesis a service that does not fit its pods."""
    found = []
    for service in scene.services:
        for cause, words, says, confidence in FAULTS:
            mismatch = next((text for text in service.fact.mismatches if says.search(text)), None)
            if mismatch is not None:
                found.append(
                    Hypothesis(
                        cause=cause,
                        title=f"{service.fact.target} {words}",
                        target=service.fact.target,
                        confidence=confidence,
                        reasons=(mismatch,),
                        evidence_for=(service.id,),
                    )
                )
    return found
