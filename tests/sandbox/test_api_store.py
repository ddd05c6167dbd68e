"""The object store: versions, deletion, indexes, watches."""

import asyncio
from typing import Any

import pytest

from sandbox.clock import SimClock
from sandbox.errors import AlreadyExists, Conflict, Gone, NotFound
from sandbox.fields import Obj, meta, with_in
from sandbox.kinds import kind_of
from sandbox.selectors import FieldSelector, Selector
from sandbox.store import Store
from sandbox.tables import Change

CONFIG, POD, DEPLOYMENT, NAMESPACE = (kind_of(k) for k in ("ConfigMap", "Pod", "Deployment", "Namespace"))


@pytest.fixture
def store() -> Store:
    return Store(SimClock(seed=1), history_count=10)


def config(name: str = "a", **data: str) -> Obj:
    return {"metadata": {"name": name, "namespace": "default"}, "data": data}


def pod(name: str = "p", node: str | None = None, **more: Any) -> Obj:
    spec = {"containers": [{"name": "c", "image": "i"}], **({"nodeName": node} if node else {})}
    return {"metadata": {"name": name, "namespace": "default", **more}, "spec": spec}


def deployment(replicas: int = 1) -> Obj:
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": {"replicas": replicas}}


def test_creation_assigns_uid_version_time_and_type(store: Store) -> None:
    made = store.create(CONFIG, config())
    assert made["kind"] == "ConfigMap"
    assert made["apiVersion"] == "v1"
    assert meta(made)["uid"]
    assert meta(made)["resourceVersion"] == str(store.revision)
    assert meta(made)["creationTimestamp"] == store.clock.stamp()


def test_equal_seeds_make_equal_uids() -> None:
    uids = {meta(Store(SimClock(seed=3)).create(CONFIG, config()))["uid"] for _ in range(2)}
    assert len(uids) == 1


def test_a_second_object_of_the_same_name_is_refused(store: Store) -> None:
    store.create(CONFIG, config())
    with pytest.raises(AlreadyExists, match='configmaps "a" already exists'):
        store.create(CONFIG, config())


def test_generate_name_makes_names_apart(store: Store) -> None:
    names = {
        meta(store.create(POD, {"metadata": {"generateName": "web-", "namespace": "x"}, "spec": {}}))["name"]
        for _ in range(30)
    }
    assert len(names) == 30
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


def test_a_missing_object_is_named_with_its_group(store: Store) -> None:
    with pytest.raises(NotFound, match=r'deployments\.apps "nope" not found'):
        store.get(DEPLOYMENT, "default", "nope")


def test_a_stale_version_is_a_conflict(store: Store) -> None:
    made = store.create(CONFIG, config())
    store.update(CONFIG, {**made, "data": {"k": "1"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        store.update(CONFIG, {**made, "data": {"k": "2"}})


def test_a_write_that_changes_nothing_makes_no_revision(store: Store) -> None:
    made = store.create(CONFIG, config(k="1"))
    again = store.update(CONFIG, made)
    assert meta(again)["resourceVersion"] == meta(made)["resourceVersion"]


def test_generation_counts_changes_of_spec_only(store: Store) -> None:
    made = store.create(DEPLOYMENT, deployment())
    labelled = store.update(DEPLOYMENT, with_in(made, ("metadata", "labels"), {"a": "b"}))
    reported = store.update(DEPLOYMENT, with_in(labelled, ("status", "replicas"), 1), subresource="status")
    scaled = store.update(DEPLOYMENT, with_in(reported, ("spec", "replicas"), 2))
    assert [meta(obj)["generation"] for obj in (made, labelled, reported, scaled)] == [1, 1, 1, 2]


def test_status_and_spec_have_doors_of_their_own(store: Store) -> None:
    made = store.create(DEPLOYMENT, deployment())
    both = with_in(with_in(made, ("spec", "replicas"), 9), ("status", "replicas"), 9)
    assert "status" not in store.update(DEPLOYMENT, with_in(both, ("spec", "replicas"), 1))
    reported = store.update(DEPLOYMENT, both, subresource="status")
    assert (reported["spec"]["replicas"], reported["status"]["replicas"]) == (1, 9)


def test_a_dry_run_stores_nothing(store: Store) -> None:
    store.create(CONFIG, config("kept", k="1"))
    before = store.revision
    store.create(CONFIG, config("new"), dry_run=True)
    store.update(CONFIG, config("kept", k="2"), dry_run=True)
    store.delete(CONFIG, "default", "kept", dry_run=True)
    assert store.revision == before
    assert [meta(obj)["name"] for obj in store.list(CONFIG)] == ["kept"]


def test_modify_reads_and_writes_in_one_step(store: Store) -> None:
    store.create(CONFIG, config(k="1"))
    made = store.modify(CONFIG, "default", "a", lambda old: with_in(old, ("data", "k"), "2"))
    assert made["data"] == {"k": "2"}


def test_an_unbound_pod_goes_at_once(store: Store) -> None:
    store.create(POD, pod())
    store.delete(POD, "default", "p")
    assert store.find(POD, "default", "p") is None


def test_a_bound_pod_waits_for_its_kubelet(store: Store) -> None:
    store.create(POD, pod(node="n1"))
    marked = store.delete(POD, "default", "p")
    assert meta(marked)["deletionGracePeriodSeconds"] == 30
    assert meta(marked)["deletionTimestamp"] == store.clock.stamp(after_s=30)
    assert store.delete(POD, "default", "p") == marked
    store.delete(POD, "default", "p", grace_s=0)
    assert store.find(POD, "default", "p") is None


def test_finalizers_hold_an_object_until_the_last_is_gone(store: Store) -> None:
    store.create(CONFIG, with_in(config(), ("metadata", "finalizers"), ["a/b"]))
    marked = store.delete(CONFIG, "default", "a")
    assert store.find(CONFIG, "default", "a") == marked
    store.update(CONFIG, with_in(marked, ("metadata", "finalizers"), []))
    assert store.find(CONFIG, "default", "a") is None


def test_a_namespace_waits_until_its_contents_are_finalized(store: Store) -> None:
    store.create(NAMESPACE, {"metadata": {"name": "shop"}, "spec": {"finalizers": ["kubernetes"]}})
    marked = store.delete(NAMESPACE, None, "shop")
    assert marked["status"]["phase"] == "Terminating"
    store.update(NAMESPACE, with_in(marked, ("spec", "finalizers"), []), subresource="finalize")
    assert store.find(NAMESPACE, None, "shop") is None


@pytest.mark.parametrize(
    ("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_propagation_leaves_its_finalizer_for_the_collector(
    store: Store, propagation: str, finalizer: str
) -> None:
    store.create(DEPLOYMENT, deployment())
    marked = store.delete(DEPLOYMENT, "default", "web", propagation=propagation)
    assert meta(marked)["finalizers"] == [finalizer]


def test_delete_preconditions_are_checked(store: Store) -> None:
    store.create(CONFIG, config())
    with pytest.raises(Conflict, match=r"the UID in the precondition \(other\) does not match"):
        store.delete(CONFIG, "default", "a", uid="other")
    with pytest.raises(Conflict, match="ResourceVersion in the precondition"):
        store.delete(CONFIG, "default", "a", resource_version="1")


def test_indexes_follow_changes(store: Store) -> None:
    store.create(POD, pod("p", ownerReferences=[{"uid": "u1", "kind": "ReplicaSet", "name": "r"}]))
    store.modify(POD, "default", "p", lambda old: with_in(old, ("spec", "nodeName"), "n1"))
    assert [meta(obj)["name"] for obj in store.pods_on(POD, "n1")] == ["p"]
    assert [meta(obj)["name"] for obj in store.owned(POD, "u1")] == ["p"]
    store.delete(POD, "default", "p", grace_s=0)
    assert store.pods_on(POD, "n1") == store.owned(POD, "u1") == []


def test_lists_are_sorted_and_selected(store: Store) -> None:
    for name, node in (("b", "n1"), ("a", "n2"), ("c", "n1")):
        store.create(POD, pod(name, node, labels={"on": node}))
    assert [meta(obj)["name"] for obj in store.list(POD)] == ["a", "b", "c"]
    by_label = store.list(POD, "default", labels=Selector.parse("on=n1"))
    by_field = store.list(POD, fields=FieldSelector.parse("spec.nodeName=n1,metadata.name!=b", POD))
    assert [meta(obj)["name"] for obj in by_label] == ["b", "c"]
    assert [meta(obj)["name"] for obj in by_field] == ["c"]


def test_subscribers_hear_of_commits_through_the_clock(store: Store) -> None:
    seen: list[Change] = []
    store.subscribe(CONFIG, seen.append)
    store.create(CONFIG, config())
    assert seen == []
    store.clock.run_due()
    assert [change.type for change in seen] == ["ADDED"]
    store.modify(CONFIG, "default", "a", lambda old: {**old, "data": {"x": "y"}})
    store.clock.run_due()
    assert seen[1].old == seen[0].object


async def test_a_watch_sees_what_happens_after_its_revision(store: Store) -> None:
    made = store.create(CONFIG, config())
    with store.watch(CONFIG, store.revision) as watch:
        store.update(CONFIG, {**made, "data": {"k": "v"}})
        store.delete(CONFIG, "default", "a")
        changes = await watch.batch()
    assert [change.type for change in changes] == ["MODIFIED", "DELETED"]


async def test_a_waiting_watch_is_woken(store: Store) -> None:
    with store.watch(CONFIG, store.revision) as watch:
        waiting = asyncio.create_task(watch.batch())
        await asyncio.sleep(0)
        store.create(CONFIG, config())
        assert [change.type for change in await waiting] == ["ADDED"]


def test_history_is_bounded(store: Store) -> None:
    for number in range(25):
        store.create(CONFIG, config(f"c{number}"))
    with pytest.raises(Gone, match="too old resource version"):
        store.watch(CONFIG, 2)
    assert len(list(store.table(CONFIG).changes_since(store.revision - 3))) == 3
