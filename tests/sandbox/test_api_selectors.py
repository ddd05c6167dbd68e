"""Label and field selectors as the API's query parameters spell them."""

import pytest

from sandbox.errors import BadRequest
from sandbox.kinds import kind_of
from sandbox.selectors import FieldSelector, Selector

WEB = {"app": "web", "tier": "front", "example.com/team": "a"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app=web",
        "app==web",
        "app=web,tier!=back",
        "tier in (front, back)",
        "app notin (db)",
        "app",
        "!old",
        "missing!=x",
        "missing notin (x)",
        "example.com/team=a",
        "tier in (front),app in (web,db)",
    ],
)
def test_a_selector_that_matches(text: str) -> None:
    assert Selector.parse(text).matches(WEB)


@pytest.mark.parametrize(
    "text", ["app=db", "app!=web", "tier in (back)", "app notin (web)", "old", "!app", "old in (x)"]
)
def test_a_selector_that_does_not_match(text: str) -> None:
    assert not Selector.parse(text).matches(WEB)


@pytest.mark.parametrize("text", ["a b", "=x", "app in web", "-bad=1"])
def test_nonsense_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest, match="unable to parse requirement"):
        Selector.parse(text)


def test_a_label_selector_object() -> None:
    selector = Selector.from_obj(
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        }
    )
    assert selector.matches(WEB)
    assert not selector.matches({**WEB, "old": "1"})


POD = kind_of("Pod")
RUNNING = {"metadata": {"name": "p"}, "spec": {"nodeName": "n1"}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spec.nodeName=n1", True),
        ("spec.nodeName!=n1", False),
        ("metadata.name=p,status.phase=Running", True),
        ("status.phase!=Succeeded,status.phase!=Failed", True),
        ("status.podIP=", True),
    ],
)
def test_field_selectors(text: str, expected: bool) -> None:
    assert FieldSelector.parse(text, POD).matches(RUNNING) is expected


def test_an_unset_flag_reads_as_false() -> None:
    assert FieldSelector.parse("spec.unschedulable=false", kind_of("Node")).matches({"spec": {}})
    assert FieldSelector.parse("spec.unschedulable=true", kind_of("Node")).matches(
        {"spec": {"unschedulable": True}}
    )


def test_a_field_by_which_nobody_can_select() -> None:
    with pytest.raises(BadRequest, match=r"field label not supported: spec\.image"):
        FieldSelector.parse("spec.image=x", POD)
