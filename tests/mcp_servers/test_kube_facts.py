"""Template differences, events and nodes, from objects as the API sends them."""

import pytest

from mcp_servers.kube.doc import Doc
from mcp_servers.kube.events import merge_events
from mcp_servers.kube.nodes import maintenance, node_state
from mcp_servers.kube.secrecy import HIDDEN, shown
from mcp_servers.kube.template_diff import template_changes


def template(**container: object) -> Doc:
    return Doc({"spec": {"containers": [{"name": "web", "image": "app:1", **container}]}})


def env(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_changes_between_templates_are_told_in_short_sentences() -> None:
    before = template(env=env(LEVEL="info"), resources={"limits": {"memory": "1Gi"}}, args=["a"])
    after = template(
        image="app:2", env=env(LEVEL="debug", NEW="1"), resources={"limits": {"memory": "64Mi"}}, args=["b"]
    )
    assert template_changes(before, after) == (
        "web image app:1 -> app:2",
        "web limits.memory 1Gi -> 64Mi",
        "web env LEVEL info -> debug",
        "web env NEW (none) -> 1",
        "web args changed",
    )
    assert template_changes(before, before) == ()


def test_the_hash_label_of_a_replica_set_is_no_change() -> None:
    one = Doc({"metadata": {"labels": {"app": "web", "pod-template-hash": "abc"}}})
    two = Doc({"metadata": {"labels": {"app": "web", "pod-template-hash": "def"}}})
    assert template_changes(one, two) == ()


def test_credentials_in_the_environment_are_never_quoted() -> None:
    before = template(env=env(DB_PASSWORD="old-hunter2", URL="http://u:s3cret@db/"))
    after = template(env=env(DB_PASSWORD="new-hunter3", URL="http://db/"))
    told = " ".join(template_changes(before, after))
    assert "DB_PASSWORD changed" in told and "http://db/" in told
    assert not any(secret in told for secret in ("hunter", "s3cret"))


def test_references_to_secrets_are_told_by_their_names() -> None:
    source = {"secretKeyRef": {"name": "db", "key": "password"}}
    after = template(env=[{"name": "DB_PASSWORD", "valueFrom": source}])
    assert template_changes(template(), after) == (
        "web env DB_PASSWORD (none) -> <secretKeyRef db/password>",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_TOKEN", "x"),
        ("STRIPE_KEY", "x"),
        ("DATABASE_URL", "postgres://app:pw@db/app"),
        ("BLOB", "x1" * 20),
        ("JWT", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0ZXN0In0.c2ln"),
        ("SETTINGS", "user=app;password=x"),
    ],
)
def test_what_looks_like_a_credential_is_not_shown(name: str, value: str) -> None:
    assert shown(name, value) == HIDDEN


@pytest.mark.parametrize("value", ["info", "http://orders:8080/v1", "app-7c9d8f6b5", "a" * 40])
def test_plain_values_are_shown(value: str) -> None:
    assert shown("SETTING", value) == value


def event(reason: str, message: str, at: str, **fields: object) -> Doc:
    about = {"kind": "Pod", "namespace": "shop", "name": "web-1"}
    return Doc({"involvedObject": about, "reason": reason, "message": message, "lastTimestamp": at, **fields})


def test_events_of_one_reason_are_merged_newest_first() -> None:
    failed, back_off, started = merge_events(
        [
            event("Started", "started", "2026-11-20T12:00:00Z"),
            event("Failed", "not found", "2026-11-20T12:02:00Z", type="Warning", count=2),
            event("Failed", "Error: ErrImagePull", "2026-11-20T12:03:00Z", type="Warning", count=3),
            event("BackOff", "waiting", "2026-11-20T12:01:00Z", type="Warning"),
        ]
    )
    assert (failed.message, failed.count) == ("Error: ErrImagePull | not found", 5)
    assert failed.first_at < failed.last_at
    assert (back_off.reason, started.type) == ("BackOff", "Normal")


def test_credentials_in_events_are_masked() -> None:
    said = 'Liveness probe failed: Get "http://admin:hunter2@10.0.0.7/": refused'
    (merged,) = merge_events([event("Unhealthy", said, "2026-11-20T12:00:00Z", type="Warning")])
    assert "hunter2" not in merged.message and "10.0.0.7" in merged.message


def test_events_of_newer_recorders_carry_their_time_elsewhere() -> None:
    series = {"count": 7, "lastObservedTime": "2026-11-20T12:09:00.000000Z"}
    about = {"kind": "Pod", "namespace": "shop", "name": "web-1"}
    seen = Doc({"involvedObject": about, "eventTime": "2026-11-20T12:00:00.000000Z", "series": series})
    (merged,) = merge_events([seen])
    assert (merged.count, merged.first_at.minute, merged.last_at.minute) == (7, 0, 9)


def node(*, labels: object = None, annotations: object = None, **spec: object) -> Doc:
    return Doc(
        {
            "kind": "Node",
            "metadata": {"name": "n", "labels": labels, "annotations": annotations},
            "spec": spec,
        }
    )


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (node(labels={"maintenance": "true"}), "label maintenance=true"),
        (node(annotations={"ops/planned-work": "disk swap"}), "annotation ops/planned-work=disk swap"),
        (
            node(taints=[{"key": "node.example/maintenance", "effect": "NoSchedule"}]),
            "taint node.example/maintenance:NoSchedule",
        ),
        (node(labels={"maintenance": "false"}), ""),
        (
            node(
                unschedulable=True,
                taints=[{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
            ),
            "",
        ),
    ],
)
def test_only_announced_work_counts_as_maintenance(seen: Doc, said: str) -> None:
    assert maintenance(seen) == said


def test_a_node_that_is_not_ready_says_why() -> None:
    conditions = [
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "stopped posting"},
        {"type": "DiskPressure", "status": "True"},
    ]
    seen = Doc({"kind": "Node", "metadata": {"name": "n"}, "status": {"conditions": conditions}})
    state = node_state(seen)
    assert not state.ready and state.ready_message == "NodeStatusUnknown: stopped posting"
    assert state.pressures == ("DiskPressure",)
