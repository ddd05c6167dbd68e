"""The incident's own bookkeeping: evidence within its bound, each fact once."""

from domain.incident import MAX_EVIDENCE_COUNT
from tests.builders import incident, node, observation, pod, running, workload


def test_what_was_seen_twice_in_one_look_is_filed_once() -> None:
    about = incident()
    seen = observation(workload())
    assert [item.id for item in about.add_evidence([seen, seen])] == ["E1"]


def test_a_large_cluster_does_not_push_out_what_was_seen_of_the_target() -> None:
    about = incident([workload(), pod("web-1", running())])
    about.add_evidence(observation(node(f"node-{number}")) for number in range(2 * MAX_EVIDENCE_COUNT))
    assert len(about.evidence) == MAX_EVIDENCE_COUNT
    assert [item.id for item in about.evidence[:2]] == ["E1", "E2"]
    assert about.evidence[-1].id == f"E{2 + 2 * MAX_EVIDENCE_COUNT}"


def test_of_what_is_near_the_oldest_goes_first() -> None:
    about = incident()
    about.add_evidence(observation(pod(f"web-{number}")) for number in range(MAX_EVIDENCE_COUNT + 1))
    assert [about.evidence[0].id, len(about.evidence)] == ["E2", MAX_EVIDENCE_COUNT]
