"""The three patch types, on plain JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api.patch_json import PatchError, apply_operations, merge
from sandbox.api.patch_strategic import strategic

DOC = {"a": {"b": 1, "c": [1, 2, 3]}, "d": "x", "e/f": 1}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"d": None}, {"a": DOC["a"], "e/f": 1}),
        ({"a": {"b": None, "z": {"y": None, "k": 1}}}, {**DOC, "a": {"c": [1, 2, 3], "z": {"k": 1}}}),
        ({"a": {"c": [9]}}, {**DOC, "a": {"b": 1, "c": [9]}}),
        ({"d": {"now": "object"}}, {**DOC, "d": {"now": "object"}}),
    ],
)
def test_merge_patch(patch: Any, expected: Any) -> None:
    assert merge(DOC, patch) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/a/c/-", "value": 4}], [1, 2, 3, 4]),
        ([{"op": "add", "path": "/a/c/1", "value": 9}], [1, 9, 2, 3]),
        ([{"op": "remove", "path": "/a/c/0"}], [2, 3]),
        ([{"op": "replace", "path": "/a/c/2", "value": 7}], [1, 2, 7]),
        ([{"op": "move", "from": "/a/c/0", "path": "/a/c/2"}], [2, 3, 1]),
        ([{"op": "copy", "from": "/a/b", "path": "/a/c/0"}], [1, 1, 2, 3]),
        ([{"op": "test", "path": "/e~1f", "value": 1}], [1, 2, 3]),
    ],
)
def test_json_patch_operations(operations: list[dict[str, Any]], expected: list[int]) -> None:
    before = {"a": {"b": 1, "c": [1, 2, 3]}, "d": "x", "e/f": 1}
    assert apply_operations(DOC, operations)["a"]["c"] == expected
    assert before == DOC


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/d", "value": "y"},
        {"op": "remove", "path": "/nope"},
        {"op": "twist", "path": "/d"},
        {"op": "replace", "path": "/nope", "value": 1},
        {"op": "add", "path": "/a/c/9", "value": 1},
        {"op": "add", "path": "/d/x", "value": 1},
        {"op": "add", "path": "/z"},
        {"op": "add", "path": "z", "value": 1},
    ],
)
def test_an_operation_that_cannot_be(operation: dict[str, Any]) -> None:
    with pytest.raises(PatchError):
        apply_operations(DOC, [operation])


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_merging_twice_is_merging_once(doc: Any, patch: Any) -> None:
    once = merge(doc, patch)
    assert merge(once, patch) == once


SPEC = {
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "a",
                        "image": "a:1",
                        "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                        "ports": [{"containerPort": 80, "name": "http"}],
                    },
                    {"name": "b", "image": "b:1"},
                ],
                "tolerations": [{"key": "k"}],
                "volumes": [{"name": "v", "emptyDir": {}}],
            }
        }
    }
}


def patched(spec: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = strategic("Deployment", SPEC, {"spec": {"template": {"spec": spec}}})
    result: dict[str, Any] = found["spec"]["template"]["spec"]
    return result


def test_containers_merge_by_name_and_env_inside_them() -> None:
    change = {"containers": [{"name": "a", "image": "a:2", "env": [{"name": "Y", "value": "9"}]}]}
    first, second = patched(change)["containers"]
    assert first["image"] == "a:2"
    assert first["env"] == [{"name": "X", "value": "1"}, {"name": "Y", "value": "9"}]
    assert second == {"name": "b", "image": "b:1"}


def test_items_are_deleted_and_lists_replaced_on_demand() -> None:
    gone = patched({"containers": [{"name": "b", "$patch": "delete"}]})["containers"]
    only = patched({"containers": [{"$patch": "replace"}, {"name": "z", "image": "z"}]})["containers"]
    assert [item["name"] for item in gone] == ["a"]
    assert only == [{"name": "z", "image": "z"}]


def test_ports_merge_by_number_and_tolerations_are_replaced() -> None:
    ports = patched({"containers": [{"name": "a", "ports": [{"containerPort": 81}]}]})["containers"][0][
        "ports"
    ]
    assert [port["containerPort"] for port in ports] == [80, 81]
    assert patched({"tolerations": [{"key": "new"}]})["tolerations"] == [{"key": "new"}]


def test_a_map_can_be_deleted_or_replaced_and_keys_retained() -> None:
    labels = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    replaced = strategic("Pod", labels, {"metadata": {"labels": {"$patch": "replace", "c": "3"}}})
    deleted = strategic("Pod", labels, {"metadata": {"labels": {"$patch": "delete"}}})
    kept = strategic("Pod", {"v": {"x": 1, "y": 2}}, {"v": {"$retainKeys": ["y"], "y": 3}})
    assert replaced["metadata"]["labels"] == {"c": "3"}
    assert deleted["metadata"] == {}
    assert kept["v"] == {"y": 3}


def test_the_order_that_a_patch_asks_for() -> None:
    order = {
        "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
        "containers": [{"name": "b", "tty": True}],
    }
    assert [item["name"] for item in patched(order)["containers"]] == ["b", "a"]


def test_finalizers_are_a_set_and_can_be_taken_out() -> None:
    obj = {"metadata": {"finalizers": ["a/a", "b/b"]}}
    added = strategic("Pod", obj, {"metadata": {"finalizers": ["b/b", "c/c"]}})
    gone = strategic("Pod", obj, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}})
    assert added["metadata"]["finalizers"] == ["a/a", "b/b", "c/c"]
    assert gone["metadata"]["finalizers"] == ["b/b"]


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(PatchError, match=r"map\[image:x\] does not contain declared merge key: name"):
        patched({"containers": [{"image": "x"}]})
