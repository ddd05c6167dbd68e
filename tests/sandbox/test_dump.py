"""A cluster's copy on disk is served as it was."""

import json
from pathlib import Path

import pytest

from domain.errors import BadInput
from sandbox.clock import SimClock
from sandbox.dump import DumpLogs, fill, read_dump
from sandbox.kinds import Registry, kind_of
from sandbox.logs import LogOptions
from sandbox.store import Store

POD = {
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {
        "name": "web-1", "namespace": "shop", "uid": "uid-1", "creationTimestamp": "2026-01-01T00:00:00Z"
    },
    "spec": {"containers": [{"name": "web", "image": "web:1"}], "nodeName": "node-1"},
    "status": {"phase": "Running"},
}  # fmt: skip
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, creationTimestamp: 2026-01-01T00:00:00Z}
spec: {replicas: 3}
---
apiVersion: example.com/v1beta1
kind: Widget
metadata: {name: w, namespace: shop}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop" / "web-1").mkdir(parents=True)
    pods = {"kind": "PodList", "apiVersion": "v1", "items": [{k: v for k, v in POD.items() if k != "kind"}]}
    (tmp_path / "shop" / "pods.json").write_text(json.dumps(pods))
    (tmp_path / "rest.yaml").write_text(DEPLOYMENT)
    (tmp_path / "shop" / "web-1" / "logs.txt").write_text("2026-01-01T00:00:01.5Z one\ntwo\nthree\n")
    (tmp_path / "shop" / "web-1" / "logs-web-previous.txt").write_text("boom\n")
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


def test_objects_keep_their_uid_times_and_status(folder: Path) -> None:
    store, registry = Store(SimClock()), Registry()
    fill(store, read_dump(folder), registry)
    pod = store.get(kind_of("Pod"), "shop", "web-1")
    assert (pod["metadata"]["uid"], pod["status"]) == ("uid-1", {"phase": "Running"})
    assert pod["metadata"]["creationTimestamp"] == "2026-01-01T00:00:00Z"
    assert store.get(kind_of("Deployment"), "shop", "web")["spec"] == {"replicas": 3}


def test_kinds_that_nobody_defined_are_served_all_the_same(folder: Path) -> None:
    store, registry = Store(SimClock()), Registry()
    fill(store, read_dump(folder), registry)
    widget = registry.by_path("example.com", "v1beta1", "widgets")
    assert widget is not None
    assert store.get(widget, "shop", "w")["metadata"]["name"] == "w"


def test_namespaces_that_the_copy_leaves_out_are_there(folder: Path) -> None:
    store = Store(SimClock())
    fill(store, read_dump(folder), Registry())
    assert store.get(kind_of("Namespace"), None, "shop")["status"] == {"phase": "Active"}


def test_a_broken_file_is_named_and_the_others_are_read(folder: Path) -> None:
    dump = read_dump(folder)
    assert len(dump.objects) == 3
    assert [problem.split(":")[0] for problem in dump.problems] == [str(folder / "broken.json")]


def test_logs_are_found_by_container_and_run(folder: Path) -> None:
    logs = DumpLogs(read_dump(folder))
    assert logs.read("shop", "web-1", "web", LogOptions(tail_lines=3)) == "one\ntwo\nthree\n"
    assert logs.read("shop", "web-1", "web", LogOptions(tail_lines=1)) == "three\n"
    assert logs.read("shop", "web-1", "web", LogOptions(previous=True)) == "boom\n"
    assert logs.read("shop", "other", "web", LogOptions()) == ""


def test_several_containers_in_one_file_are_told_apart(folder: Path) -> None:
    parts = [
        f"==== START logs for container {name} of pod shop/web-1 ====\n{name} said\n"
        f"==== END logs for container {name} of pod shop/web-1 ====\n"
        for name in ("web", "side")
    ]
    (folder / "shop" / "web-1" / "logs.txt").write_text("".join(parts))
    logs = DumpLogs(read_dump(folder))
    assert logs.read("shop", "web-1", "side", LogOptions()) == "side said\n"
    assert logs.read("shop", "web-1", "third", LogOptions()) == ""


def test_a_folder_without_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no Kubernetes object"):
        read_dump(tmp_path)
