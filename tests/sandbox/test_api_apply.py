"""Server-side apply and the ownership of fields."""

import pytest

from sandbox.api.managed import ApplyConflict, Owner, apply, record_update
from sandbox.api.owned_fields import from_fields_v1, leaves, to_fields_v1
from sandbox.fields import Obj, meta, with_in
from tests.sandbox.api_objects import container, deployment


def writer(name: str, operation: str = "Apply") -> Owner:
    return Owner(
        manager=name,
        operation=operation,
        api_version="apps/v1",
        subresource=None,
        time="2026-01-05T08:00:00Z",
        paths=frozenset(),
    )


def managers(obj: Obj) -> set[str]:
    return {entry["manager"] for entry in meta(obj)["managedFields"]}


def test_the_first_apply_makes_the_object_and_owns_it() -> None:
    made = apply(None, deployment(), writer("me"), force=False)
    assert managers(made) == {"me"}
    assert "f:replicas" in meta(made)["managedFields"][0]["fieldsV1"]["f:spec"]


def test_a_different_value_of_anothers_field_is_a_conflict() -> None:
    made = record_update(None, deployment(), writer("kubectl", "Update"))
    with pytest.raises(ApplyConflict) as caught:
        apply(made, deployment(replicas=7), writer("me"), force=False)
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas'
    )


def test_the_same_value_is_owned_together() -> None:
    made = record_update(None, deployment(), writer("kubectl", "Update"))
    assert managers(apply(made, deployment(), writer("me"), force=False)) == {"kubectl", "me"}


def test_force_takes_the_field_over() -> None:
    made = record_update(None, deployment(), writer("kubectl", "Update"))
    done = apply(made, deployment(replicas=7), writer("me"), force=True)
    fields = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in meta(done)["managedFields"]}
    assert done["spec"]["replicas"] == 7
    assert "f:replicas" in fields["me"]
    assert "f:replicas" not in fields["kubectl"]


def test_what_is_no_longer_applied_goes_unless_another_owns_it() -> None:
    labelled = with_in(deployment(), ("metadata", "labels"), {"mine": "1", "shared": "1"})
    made = apply(None, labelled, writer("me"), force=False)
    shared = with_in(deployment(), ("metadata", "labels"), {"shared": "1"})
    made = apply(made, shared, writer("you"), force=False)
    done = apply(made, deployment(), writer("me"), force=False)
    assert meta(done)["labels"] == {"shared": "1"}


def test_containers_are_told_apart_by_name() -> None:
    path = ("spec", "template", "spec", "containers")
    made = apply(None, deployment(), writer("me"), force=False)
    sidecar = with_in(deployment(), path, [container("side", image="side:1")])
    both = apply(made, sidecar, writer("you"), force=False)
    names = [item["name"] for item in both["spec"]["template"]["spec"]["containers"]]
    assert names == ["c", "side"]
    alone = apply(both, with_in(deployment(), path, []), writer("you"), force=False)
    assert [item["name"] for item in alone["spec"]["template"]["spec"]["containers"]] == ["c"]


def test_an_update_takes_over_what_it_changes() -> None:
    made = apply(None, deployment(), writer("me"), force=False)
    done = record_update(made, with_in(made, ("spec", "replicas"), 3), writer("scaler", "Update"))
    fields = {entry["manager"]: entry["fieldsV1"]["f:spec"] for entry in meta(done)["managedFields"]}
    assert fields["scaler"] == {"f:replicas": {}}
    assert "f:replicas" not in fields["me"]


def test_paths_survive_their_written_form() -> None:
    paths = set(leaves("Deployment", deployment()))
    assert from_fields_v1(to_fields_v1(paths)) == paths
