"""What is filed as evidence has no credentials in it, neither in its sentence nor in its fact."""

import pytest
from pydantic import TypeAdapter

from domain.cluster import LogTail, ToolText
from domain.evidence import Observation
from evidence.describe import of_event, of_log, of_pod, of_text, of_workload
from tests.builders import NOW, WEB, container, event, pod, workload

SAID = "pull of https://ada:hunter2@registry.example/web failed, password=hunter2"
POD = pod("web-1", container(state="waiting", reason="ErrImagePull", message=SAID))
OBSERVATIONS = (
    of_event(event(WEB, "Failed", SAID), at=NOW),
    of_pod(POD, at=NOW),
    of_log(LogTail(pod=POD.target, container="web", previous=False, lines=(SAID,)), at=NOW),
    of_text(ToolText(tool="query_logs", text=SAID), about=WEB, key="k", at=NOW),
)


@pytest.mark.parametrize("seen", OBSERVATIONS, ids=lambda seen: seen.source)
def test_credentials_are_masked_for_good(seen: Observation) -> None:
    filed = TypeAdapter(Observation).dump_json(seen).decode()
    assert "registry.example/web failed" in filed
    assert "hunter2" not in filed


def test_a_sentence_has_none_either_where_the_fact_is_kept_as_it_is() -> None:
    assert "hunter2" not in of_workload(workload(rollout="failed", rollout_message=SAID), at=NOW).text
