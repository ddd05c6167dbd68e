"""Volume claims that find no volume: what keeps them pending."""

import re

from analyze.scene import Scene
from domain.decision import Hypothesis

FAULTS = (
    (
        "pvc-storageclass-wrong",
        "asks for a storage class that does not exist",
        re.compile(r"class .*(?:not exist|not found)|no storage class", re.IGNORECASE),
    ),
    (
        "pvc-accessmode",
        "asks for an access mode that no volume offers",
        re.compile(r"access ?mode", re.IGNORECASE),
    ),
    ("pvc-capacity", "asks for more than any volume has", re.compile(r"capacity|larger", re.IGNORECASE)),
    ("pvc-selector", "selects labels that no volume has", re.compile(r"selector|label", re.IGNORECASE)),
    ("pv-already-bound", "wants a volume that is another's", re.compile(r"released|bound to", re.IGNORECASE)),
)
PENDING = frozenset({"Pending", "Lost"})


def find_no_volume(scene: Scene) -> list[Hypothesis]:
    """One hypothesis a pending claim, from what does not fit and from its events."""
    found = []
    for claim in scene.claims:
        if claim.fact.phase not in PENDING:
            continue
        events = [e for e in scene.events if e.fact.about.name == claim.fact.target.name]
        said = [(claim.id, text) for text in claim.fact.mismatches] + [(e.id, e.fact.message) for e in events]
        for cause, words, says in FAULTS:
            hit = next(((id, text) for id, text in said if says.search(text)), None)
            if hit is not None:
                found.append(
                    Hypothesis(
                        cause=cause,
                        title=f"{claim.fact.target} {words}",
                        target=claim.fact.target,
                        confidence=0.85,
                        reasons=(hit[1],),
                        evidence_for=(claim.id, hit[0]) if hit[0] != claim.id else (claim.id,),
                    )
                )
                break
    return found
