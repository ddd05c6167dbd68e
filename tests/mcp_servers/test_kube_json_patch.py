"""Patches played through: what comes out, and the way back."""

from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadInput
from mcp_servers.kube.json_patch import differences, play, value_at

DOCUMENT = {"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}, {"port": 81}]}, "a/b": {"~c": 1}}
ANYTHING: Any = DOCUMENT


@pytest.mark.parametrize(
    "op",
    [
        {"op": "replace", "path": "/spec/selector/app", "value": "db"},
        {"op": "add", "path": "/spec/selector/tier", "value": "front"},
        {"op": "add", "path": "/spec/selector/app", "value": "db"},
        {"op": "remove", "path": "/spec/selector"},
        {"op": "add", "path": "/spec/ports/0", "value": {"port": 79}},
        {"op": "add", "path": "/spec/ports/-", "value": {"port": 82}},
        {"op": "remove", "path": "/spec/ports/1"},
        {"op": "replace", "path": "/spec/ports/0/port", "value": 8080},
        {"op": "replace", "path": "/a~1b/~0c", "value": 2},
    ],
)
def test_a_patch_comes_out_as_the_standard_says_and_goes_back(op: dict[str, object]) -> None:
    played = play(DOCUMENT, [op])
    assert played.document == jsonpatch.apply_patch(DOCUMENT, [op])
    assert played.document != DOCUMENT
    assert play(played.document, played.back).document == DOCUMENT


SETS = st.builds(
    lambda key, value: {"op": "add", "path": f"/spec/selector/{key}", "value": value},
    st.sampled_from("abc"),
    st.integers(0, 3),
)
LISTS = st.builds(
    lambda place, value: {"op": "add", "path": f"/spec/ports/{place}", "value": value},
    st.sampled_from(["0", "1", "-"]),
    st.integers(0, 3),
)
DROPS = st.sampled_from([{"op": "remove", "path": "/spec/ports/0"}])


@settings(max_examples=60, deadline=None)
@given(st.lists(SETS | LISTS, max_size=6), st.lists(DROPS, max_size=2))
def test_any_row_of_operations_goes_back(
    ops: list[dict[str, object]], drops: list[dict[str, object]]
) -> None:
    played = play(DOCUMENT, [*ops, *drops])
    assert played.document == jsonpatch.apply_patch(DOCUMENT, [*ops, *drops])
    assert play(played.document, played.back).document == DOCUMENT


@pytest.mark.parametrize(
    ("op", "said"),
    [
        ({"op": "replace", "path": "/spec/nothing", "value": 1}, "nothing to replace"),
        ({"op": "remove", "path": "/spec/ports/5"}, "the list has 2 items"),
        ({"op": "add", "path": "/nowhere/x", "value": 1}, "there is no 'nowhere' on the way"),
        ({"op": "test", "path": "/spec/selector/app", "value": "db"}, "is not as the patch's test expects"),
        ({"op": "add", "path": "spec", "value": 1}, "is no JSON pointer"),
    ],
)
def test_what_cannot_be_applied_is_said(op: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        play(DOCUMENT, [op])


def test_the_document_itself_stays_as_it_is() -> None:
    play(DOCUMENT, [{"op": "remove", "path": "/spec/ports/0"}])
    assert value_at(DOCUMENT, "/spec/ports/0/port") == 80


def test_differences_are_told_by_their_paths() -> None:
    changed = {**ANYTHING, "spec": {**ANYTHING["spec"], "selector": {"app": "db"}}, "a/b": {}}
    assert list(differences(DOCUMENT, changed)) == ["/a~1b/~0c", "/spec/selector/app"]
