"""The API over HTTP: verbs, refusals, lists, watches, subresources."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.fields import meta, with_in
from sandbox.kinds import kind_of
from sandbox.logs import LogOptions
from tests.sandbox.api_objects import (
    APPLY,
    CONFIGS,
    DEPLOYMENTS,
    MERGE,
    OPERATIONS,
    PODS,
    STRATEGIC,
    Client,
    config,
    container,
    deployment,
    pod,
    serving,
)


class Lines:
    """A log source with one known text."""

    def read(self, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        lines = [f"{container} line {number}" for number in range(5)]
        return "".join(f"{line}\n" for line in lines[-(options.tail_lines or 5) :])


@pytest.fixture
async def api() -> AsyncIterator[Client]:
    async with serving(Lines()) as client:
        yield client


async def test_what_is_created_can_be_read_with_its_defaults(api: Client) -> None:
    status, made = await api.call("POST", DEPLOYMENTS, deployment())
    assert status == 201
    assert made["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert await api.get(f"{DEPLOYMENTS}/web") == made


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "code", "reason", "message"),
    [
        ("GET", f"{DEPLOYMENTS}/nope", None, MERGE, 404, "NotFound", 'deployments.apps "nope" not found'),
        (
            "GET",
            "/api/v1/namespaces/default/foos",
            None,
            MERGE,
            404,
            "NotFound",
            "the server could not find the requested resource",
        ),
        (
            "POST",
            f"{DEPLOYMENTS}/web",
            {},
            MERGE,
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (
            "POST",
            DEPLOYMENTS,
            deployment(),
            "text/plain",
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format",
        ),
        (
            "POST",
            DEPLOYMENTS,
            pod(),
            "application/json",
            400,
            "BadRequest",
            'no kind "Pod" is registered for version',
        ),
        ("POST", DEPLOYMENTS, b"{bad", "application/json", 400, "BadRequest", "couldn't get version/kind"),
        (
            "POST",
            DEPLOYMENTS.replace("default", "nope"),
            config(),
            "application/json",
            400,
            "BadRequest",
            "the namespace of the provided object does not match",
        ),
        (
            "POST",
            CONFIGS.replace("default", "nope"),
            {"metadata": {"name": "a"}},
            "application/json",
            404,
            "NotFound",
            'namespaces "nope" not found',
        ),
        ("PATCH", f"{DEPLOYMENTS}/nope", {}, MERGE, 404, "NotFound", 'deployments.apps "nope" not found'),
        ("GET", f"{PODS}?labelSelector=a%20b", None, MERGE, 400, "BadRequest", "unable to parse requirement"),
        (
            "GET",
            f"{PODS}?fieldSelector=spec.foo=1",
            None,
            MERGE,
            400,
            "BadRequest",
            "field label not supported: spec.foo",
        ),
        ("GET", f"{PODS}?limit=abc", None, MERGE, 400, "BadRequest", "invalid syntax"),
        ("GET", f"{PODS}?continue=abc", None, MERGE, 400, "BadRequest", "invalid continue token"),
        (
            "GET",
            f"{PODS}?resourceVersion=99999999",
            None,
            MERGE,
            504,
            "Timeout",
            "Too large resource version",
        ),
        (
            "DELETE",
            f"{CONFIGS}/kube-root-ca.crt?propagationPolicy=Foo",
            None,
            MERGE,
            422,
            "Invalid",
            'Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
        (
            "DELETE",
            "/api/v1/namespaces/default",
            None,
            MERGE,
            403,
            "Forbidden",
            "this namespace may not be deleted",
        ),
    ],
)
async def test_refusals_in_the_servers_words(
    api: Client, method: str, path: str, body: Any, media: str, code: int, reason: str, message: str
) -> None:
    status, answer = await api.call(method, path, body, media=media)
    assert (status, answer["reason"], answer["code"]) == (code, reason, code)
    assert message in answer["message"]


async def test_writing_with_an_old_version_is_a_conflict(api: Client) -> None:
    _, made = await api.call("POST", DEPLOYMENTS, deployment())
    await api.call("PUT", f"{DEPLOYMENTS}/web", with_in(made, ("spec", "replicas"), 2))
    status, answer = await api.call("PUT", f"{DEPLOYMENTS}/web", with_in(made, ("spec", "replicas"), 3))
    assert (status, answer["reason"]) == (409, "Conflict")
    assert answer["message"].startswith(
        'Operation cannot be fulfilled on deployments.apps "web": the object has'
    )


@pytest.mark.parametrize(
    ("media", "body", "replicas"),
    [
        (MERGE, {"spec": {"replicas": 4}}, 4),
        (STRATEGIC, {"spec": {"replicas": 5}}, 5),
        (OPERATIONS, [{"op": "replace", "path": "/spec/replicas", "value": 6}], 6),
        (APPLY, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 7}}, 7),
    ],
)
async def test_every_patch_type(api: Client, media: str, body: Any, replicas: int) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    path = f"{DEPLOYMENTS}/web?fieldManager=me&force=true"
    status, answer = await api.call("PATCH", path, body, media=media)
    assert status == 200, answer
    assert answer["spec"]["replicas"] == replicas
    assert answer["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1"


async def test_a_failed_json_patch_changes_nothing(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    body = [{"op": "test", "path": "/spec/replicas", "value": 9}, {"op": "remove", "path": "/spec/replicas"}]
    status, answer = await api.call("PATCH", f"{DEPLOYMENTS}/web", body, media=OPERATIONS)
    assert (status, answer["message"]) == (
        422,
        "the server rejected our request due to an error in our request",
    )
    assert (await api.get(f"{DEPLOYMENTS}/web"))["spec"]["replicas"] == 1


async def test_a_dry_run_answers_and_keeps_nothing(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    before = api.store.revision
    created = await api.call("POST", f"{CONFIGS}?dryRun=All", config())
    patched = await api.call("PATCH", f"{DEPLOYMENTS}/web?dryRun=All", {"spec": {"replicas": 3}}, media=MERGE)
    deleted = await api.call("DELETE", f"{DEPLOYMENTS}/web?dryRun=All")
    assert [created[0], patched[0], deleted[0]] == [201, 200, 200]
    assert patched[1]["spec"]["replicas"] == 3
    assert api.store.revision == before


async def test_unknown_fields_are_dropped_or_refused(api: Client) -> None:
    body = {**config(a="1"), "extra": 1}
    status, answer = await api.call("POST", f"{CONFIGS}?fieldValidation=Strict", body)
    assert status == 400
    assert 'strict decoding error: unknown field "extra"' in answer["message"]
    status, answer = await api.call("POST", CONFIGS, body)
    assert status == 201
    assert "extra" not in answer


async def test_a_new_object_brings_no_version(api: Client) -> None:
    body = with_in(config(), ("metadata", "resourceVersion"), "5")
    status, answer = await api.call("POST", CONFIGS, body)
    assert (status, answer["message"]) == (500, "resourceVersion should not be set on objects to be created")
    assert "reason" not in answer


async def test_a_strategic_patch_that_makes_no_sense(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    wrong_type = await api.call("PATCH", f"{DEPLOYMENTS}/web", {"spec": "x"}, media=STRATEGIC)
    nameless = {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}
    without_key = await api.call("PATCH", f"{DEPLOYMENTS}/web", nameless, media=STRATEGIC)
    assert (wrong_type[0], "cannot restore struct from: string" in wrong_type[1]["message"]) == (422, True)
    assert (without_key[0], without_key[1]["message"]) == (
        500,
        "map: map[image:x] does not contain declared merge key: name",
    )


async def test_a_stale_scale_is_a_conflict(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    scale = await api.get(f"{DEPLOYMENTS}/web/scale")
    await api.call("PATCH", f"{DEPLOYMENTS}/web", {"spec": {"paused": True}}, media=MERGE)
    status, answer = await api.call("PUT", f"{DEPLOYMENTS}/web/scale", scale)
    assert (status, answer["reason"]) == (409, "Conflict")


async def test_deletion_answers_with_a_status_or_the_pod(api: Client) -> None:
    await api.call("POST", CONFIGS, config())
    await api.call("POST", PODS, pod())
    _, status = await api.call("DELETE", f"{CONFIGS}/conf")
    _, gone = await api.call("DELETE", f"{PODS}/p")
    assert (status["status"], status["details"]["name"]) == ("Success", "conf")
    assert gone["kind"] == "Pod"


async def test_fields_that_must_be_there_are_named(api: Client) -> None:
    body = {"metadata": {"name": "s"}, "spec": {"ports": [{"name": "http"}]}}
    status, answer = await api.call("POST", "/api/v1/namespaces/default/services", body)
    assert (status, answer["message"]) == (422, 'Service "s" is invalid: spec.ports[0].port: Required value')


async def test_a_new_object_has_no_status_yet(api: Client) -> None:
    _, made = await api.call("POST", DEPLOYMENTS, {**deployment(), "status": {"replicas": 5}})
    assert "status" not in made


async def test_scale_changes_the_deployment(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    status, answer = await api.call(
        "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 8}}, media=MERGE
    )
    assert (status, answer["kind"], answer["spec"]) == (200, "Scale", {"replicas": 8})
    assert (await api.get(f"{DEPLOYMENTS}/web"))["spec"]["replicas"] == 8
    status, answer = await api.call(
        "PATCH", f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": -3}}, media=MERGE
    )
    assert (status, "must be greater than or equal to 0" in answer["message"]) == (422, True)


async def test_pages_show_one_state_though_it_changes_meanwhile(api: Client) -> None:
    for name in "abcde":
        await api.call("POST", PODS, pod(name))
    first = await api.get(f"{PODS}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 3
    api.store.delete(kind_of("Pod"), "default", "c")
    await api.call("POST", PODS, pod("bb"))
    rest = await api.get(f"{PODS}?limit=10&continue={first['metadata']['continue']}")
    assert [meta(item)["name"] for item in rest["items"]] == ["c", "d", "e"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_list_as_it_was_at_a_revision(api: Client) -> None:
    await api.call("POST", CONFIGS, config("a"))
    then = api.store.revision
    await api.call("POST", CONFIGS, config("b"))
    past = await api.get(f"{CONFIGS}?resourceVersion={then}&resourceVersionMatch=Exact")
    assert "b" not in [meta(item)["name"] for item in past["items"]]


async def test_a_watch_sees_an_object_come_change_and_go(api: Client) -> None:
    since = api.store.revision
    watching = asyncio.create_task(api.watch(f"{CONFIGS}?watch=1&resourceVersion={since}", count=3))
    await api.call("POST", CONFIGS, config("w"))
    await api.call("PATCH", f"{CONFIGS}/w", {"data": {"k": "v"}}, media=MERGE)
    await api.call("DELETE", f"{CONFIGS}/w")
    events = await asyncio.wait_for(watching, 5)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]


async def test_objects_enter_and_leave_a_selected_watch(api: Client) -> None:
    since = api.store.revision
    path = f"{CONFIGS}?watch=1&resourceVersion={since}&labelSelector=on%3Dyes"
    watching = asyncio.create_task(api.watch(path, count=2))
    await api.call("POST", CONFIGS, config("w"))
    for value in ("yes", "no"):
        await api.call("PATCH", f"{CONFIGS}/w", {"metadata": {"labels": {"on": value}}}, media=MERGE)
    events = await asyncio.wait_for(watching, 5)
    assert [event["type"] for event in events] == ["ADDED", "DELETED"]


async def test_a_watch_ends_in_time_with_a_bookmark(api: Client) -> None:
    path = f"{CONFIGS}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion={api.store.revision}"
    events = await asyncio.wait_for(api.watch(path), 5)
    assert [event["type"] for event in events] == ["BOOKMARK"]
    assert meta(events[0]["object"])["resourceVersion"] == str(api.store.revision)


async def test_initial_events_are_refused_so_that_clients_list_first(api: Client) -> None:
    status, answer = await api.call("GET", f"{CONFIGS}?watch=1&sendInitialEvents=true")
    assert (status, answer["reason"]) == (422, "Invalid")
    assert "sendInitialEvents: Forbidden" in answer["message"]


async def test_a_watch_from_a_forgotten_revision_says_expired(api: Client) -> None:
    api.store.table(kind_of("ConfigMap")).forgotten = api.store.revision
    events = await api.watch(f"{CONFIGS}?watch=1&resourceVersion=1")
    assert [(event["type"], event["object"]["reason"]) for event in events] == [("ERROR", "Expired")]


async def test_tables_have_the_columns_of_kubectl(api: Client) -> None:
    await api.call("POST", DEPLOYMENTS, deployment())
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    table = await api.get(DEPLOYMENTS, accept=accept)
    shown = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert shown == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    assert table["rows"][0]["cells"][:4] == ["web", "0/1", 0, 0]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_deleting_a_collection_spares_what_is_not_selected(api: Client) -> None:
    for name, label in (("a", "x"), ("b", "y")):
        await api.call("POST", CONFIGS, with_in(config(name), ("metadata", "labels"), {"l": label}))
    status, _ = await api.call("DELETE", f"{CONFIGS}?labelSelector=l%3Dx")
    left = [meta(item)["name"] for item in (await api.get(CONFIGS))["items"]]
    assert (status, left) == (200, ["b", "kube-root-ca.crt"])


async def running_pod(api: Client, *containers: str) -> None:
    body = pod("p", nodeName="n1", containers=[container(name) for name in containers])
    made = api.store.create(kind_of("Pod"), body)
    states = [{"name": name, "state": {"running": {}}, "ready": True} for name in containers]
    status = {**made["status"], "phase": "Running", "containerStatuses": states}
    api.store.update(kind_of("Pod"), {**made, "status": status}, subresource="status")


async def test_logs_of_a_running_container(api: Client) -> None:
    await running_pod(api, "c")
    assert await api.get(f"{PODS}/p/log?tailLines=2") == "c line 3\nc line 4\n"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "a container name must be specified for pod p, choose one of: [a b]"),
        ("?container=x", "container x is not valid for pod p"),
        ("?container=a&previous=true", 'previous terminated container "a" in pod "p" not found'),
    ],
)
async def test_logs_that_cannot_be_read(api: Client, query: str, message: str) -> None:
    await running_pod(api, "a", "b")
    status, answer = await api.call("GET", f"{PODS}/p/log{query}")
    assert (status, answer["message"]) == (400, message)


async def test_a_container_that_waits_has_no_log_yet(api: Client) -> None:
    await running_pod(api, "c")
    waiting = {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    api.store.modify(
        kind_of("Pod"),
        "default",
        "p",
        lambda old: with_in(old, ("status", "containerStatuses"), [waiting]),
        subresource="status",
    )
    _, answer = await api.call("GET", f"{PODS}/p/log")
    assert (
        answer["message"] == 'container "c" in pod "p" is waiting to start: trying and failing to pull image'
    )


async def test_a_followed_log_ends_with_its_container(api: Client) -> None:
    await running_pod(api, "c")
    reading = asyncio.create_task(api.get(f"{PODS}/p/log?follow=true&tailLines=1"))
    await asyncio.sleep(0.05)
    ended = {"name": "c", "state": {"terminated": {"exitCode": 0}}}
    api.store.modify(
        kind_of("Pod"),
        "default",
        "p",
        lambda old: with_in(old, ("status", "containerStatuses"), [ended]),
        subresource="status",
    )
    assert await asyncio.wait_for(reading, 5) == "c line 4\n"


async def test_eviction_keeps_to_the_disruption_budget(api: Client) -> None:
    await running_pod(api, "c")
    budget = kind_of("PodDisruptionBudget")
    made = api.store.create(
        budget,
        {
            "metadata": {"name": "b", "namespace": "default"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        },
    )
    state = {"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1}
    made = api.store.update(budget, {**made, "status": state}, subresource="status")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p", "namespace": "default"}}
    status, answer = await api.call("POST", f"{PODS}/p/eviction", body)
    assert (status, answer["reason"]) == (429, "TooManyRequests")
    assert answer["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert answer["details"]["causes"][0]["message"].startswith(
        "The disruption budget b needs 1 healthy pods"
    )
    api.store.update(budget, with_in(made, ("status", "disruptionsAllowed"), 1), subresource="status")
    status, _ = await api.call("POST", f"{PODS}/p/eviction", body)
    assert status == 201
    assert "deletionTimestamp" in meta(await api.get(f"{PODS}/p"))


async def test_a_bound_pod_cannot_be_bound_again(api: Client) -> None:
    await api.call("POST", PODS, pod())
    body = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "n1"}}
    assert (await api.call("POST", f"{PODS}/p/binding", body))[0] == 201
    status, answer = await api.call("POST", f"{PODS}/p/binding", body)
    assert (status, "already assigned to node" in answer["message"]) == (409, True)


async def test_one_event_in_two_api_versions(api: Client) -> None:
    about = {"kind": "Pod", "name": "p", "namespace": "default"}
    body = {
        "metadata": {"name": "e", "namespace": "default"},
        "regarding": about,
        "eventTime": "2026-01-05T08:00:00.000000Z",
        "note": "text",
        "reason": "R",
    }
    path = "/apis/events.k8s.io/v1/namespaces/default/events"
    status, made = await api.call("POST", path, body)
    assert (status, made["note"]) == (201, "text")
    core = await api.get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=p")
    assert [event["message"] for event in core["items"]] == ["text"]


async def test_discovery_names_what_is_served(api: Client) -> None:
    old = await api.get("/apis/apps/v1")
    assert {"deployments", "deployments/scale"} <= {entry["name"] for entry in old["resources"]}
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    new = await api.get("/apis", accept=accept)
    assert "apps" in [group["metadata"]["name"] for group in new["items"]]


async def test_custom_kinds_are_served_once_defined(api: Client) -> None:
    names = {"kind": "Widget", "plural": "widgets"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [{"name": "v1"}]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await api.call("POST", path, {"metadata": {"name": "widgets.example.com"}, "spec": spec})
    api.store.clock.run_due()
    widgets = "/apis/example.com/v1/namespaces/default/widgets"
    status, _ = await api.call("POST", widgets, {"metadata": {"name": "w"}, "spec": {"any": ["thing"]}})
    assert status == 201
    await api.call("DELETE", f"{path}/widgets.example.com")
    api.store.clock.run_due()
    assert (await api.call("GET", widgets))[0] == 404


async def test_everybody_may_do_everything(api: Client) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, answer = await api.call("POST", path, {"spec": {"resourceAttributes": {"verb": "delete"}}})
    assert (status, answer["status"]["allowed"]) == (201, True)
