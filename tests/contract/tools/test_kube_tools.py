"""What the Kubernetes tools promise, on the sandbox and on a real control plane alike."""

import asyncio

import pytest

from domain.cluster import PodState
from domain.errors import ToolFailed
from tests.contract.tools.manifests import daemon_set, deployment, stateful_set
from tests.contract.tools.world import World


def place(world: World, name: str, kind: str = "Deployment") -> dict[str, str]:
    """The arguments that name a workload."""
    return {"namespace": world.namespace, "kind": kind, "name": name}


async def test_a_bad_image_is_seen_everywhere_and_a_rollback_heals_it(world: World) -> None:
    await world.create("Deployment", deployment("web", deadline_s=10))
    await world.until_complete("web")
    done = await world.change("set_image", key="bad", **place(world, "web"), image="app:bad")
    assert (done.before, done.after) == ({"image app": "app:1"}, {"image app": "app:bad"})

    pods = await world.until(
        lambda: world.pods("Deployment/web", only_unhealthy=True),
        lambda pods: [pod.status for pod in pods] == ["ImagePullBackOff"],
    )
    assert pods[0].owner is not None and str(pods[0].owner) == f"Deployment/{world.namespace}/web"
    warnings = await world.events(kind="Pod", name=pods[0].target.name, warnings_only=True)
    assert any('Failed to pull image "app:bad"' in event.message for event in warnings)
    workload = await world.until(lambda: world.workload("web"), lambda found: found.rollout == "stalled")
    newest, first = workload.revisions
    assert (newest.number, newest.current, newest.changes) == (2, True, ("app image app:1 -> app:bad",))
    assert (first.number, first.current, first.ready_count) == (1, False, 2)

    back = await world.change("rollback_workload", key="back", **place(world, "web"))
    assert back.undo_arguments["to_revision"] == 2
    healed = await world.until_complete("web")
    assert healed.containers[0].image == "app:1"
    assert [(revision.number, revision.current) for revision in healed.revisions] == [(3, True), (2, False)]

    again = await world.undo(back, key="forth")
    assert again.after["image app"] == "app:bad"


async def test_a_container_out_of_memory_tells_why_and_more_memory_heals_it(world: World) -> None:
    needs = {"sandbox/needs-memory": "300Mi"}
    await world.create("Deployment", deployment("api", replicas=1, annotations=needs, memory="128Mi"))

    def crashed(pods: list[PodState]) -> bool:
        return bool(pods) and pods[0].containers[0].restart_count > 0

    pods = await world.until(lambda: world.pods("Deployment/api"), crashed)
    container = pods[0].containers[0]
    assert (container.last_reason, container.last_exit_code) == ("OOMKilled", 137)
    assert container.memory_limit_bytes == 128 * 2**20
    log = await world.log(pods[0].target.name, previous=True)
    assert log.previous and log.lines

    raised = await world.change("set_resources", key="more", **place(world, "api"), memory_limit="512Mi")
    assert (raised.before, raised.after) == ({"memory_limit": "128Mi"}, {"memory_limit": "512Mi"})
    await world.until_complete("api")
    assert raised.undo_arguments["memory_limit"] == "128Mi"


async def test_the_same_key_changes_only_once(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    first = await world.change("scale_workload", key="one", **place(world, "web"), replicas=3)
    assert (first.changed, first.repeated) == (True, False)
    await world.change("scale_workload", key="two", **place(world, "web"), replicas=4)
    second = await world.change("scale_workload", key="two", **place(world, "web"), replicas=1)
    assert (second.changed, second.repeated) == (False, True)
    assert second.undo_arguments == {**place(world, "web"), "replicas": 3}
    found = await world.workload("web")
    assert (found.desired_count, found.change_key) == (4, f"{world.namespace}-two")


async def test_what_already_is_as_asked_is_left_alone(world: World) -> None:
    await world.create("Deployment", deployment("web", memory="1Gi"))
    for tool, arguments in (
        ("scale_workload", {"replicas": 2}),
        ("set_image", {"image": "app:1"}),
        ("set_resources", {"memory_limit": "1024Mi"}),
    ):
        result = await world.change(tool, key=tool, **place(world, "web"), **arguments)
        assert not result.changed, result
    assert (await world.workload("web")).change_key == ""


async def test_a_dry_run_changes_nothing(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    before = await world.until_complete("web")
    tried = await world.change("scale_workload", key="dry", **place(world, "web"), replicas=9, dry_run=True)
    assert tried.dry_run and tried.after == {"replicas": "9"}
    after = await world.workload("web")
    assert (after.desired_count, after.change_key) == (2, "")
    assert before.resource_version == after.resource_version


async def test_the_api_server_refuses_what_cannot_be(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    asked = {"memory_limit": "64Mi", "memory_request": "128Mi", "dry_run": True}
    with pytest.raises(ToolFailed, match="must be less than or equal to memory limit"):
        await world.change("set_resources", key="no", **place(world, "web"), **asked)


async def test_changes_at_the_same_time_all_come_through(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    await asyncio.gather(
        world.change("scale_workload", key="a", **place(world, "web"), replicas=3),
        world.change("set_image", key="b", **place(world, "web"), image="app:2"),
        world.change("set_resources", key="c", **place(world, "web"), cpu_request="10m"),
        world.change("restart_workload", key="d", **place(world, "web")),
    )
    found = await world.workload("web")
    container = found.containers[0]
    assert (found.desired_count, container.image, container.cpu_request_cores) == (3, "app:2", 0.01)


@pytest.mark.parametrize(
    ("kind", "made"), [("StatefulSet", stateful_set("db")), ("DaemonSet", daemon_set("db"))]
)
async def test_sets_keep_a_history_and_go_back(world: World, kind: str, made: dict[str, object]) -> None:
    await world.create(kind, made)
    await world.until(lambda: world.pods(f"{kind}/db"), lambda pods: any(pod.ready for pod in pods))
    await world.until_complete("db", kind)
    await world.change("set_image", key="bad", **place(world, "db", kind), image="app:bad")
    await world.until(
        lambda: world.pods(f"{kind}/db", only_unhealthy=True),
        lambda pods: any(pod.status in ("ImagePullBackOff", "ErrImagePull") for pod in pods),
    )
    broken = await world.workload("db", kind)
    assert broken.rollout == "progressing"
    assert broken.revisions[0].current and broken.revisions[0].changes == ("app image app:1 -> app:bad",)

    back = await world.change("rollback_workload", key="back", **place(world, "db", kind))
    assert back.after["image app"] == "app:1"
    if kind == "StatefulSet":  # its controller waits for the broken pod, as documented for forced rollbacks
        (stuck,) = await world.pods(f"{kind}/db", only_unhealthy=True)
        named = {"namespace": world.namespace, "name": stuck.target.name, "uid": stuck.uid}
        await world.change("delete_pod", key="stuck", **named)
    healed = await world.until_complete("db", kind)
    assert healed.containers[0].image == "app:1" and healed.revisions[0].number == 3


async def test_a_restart_replaces_every_pod(world: World) -> None:
    await world.create("Deployment", deployment("web"))
    await world.until_complete("web")
    before = {pod.uid for pod in await world.pods("Deployment/web")}
    done = await world.change("restart_workload", key="again", **place(world, "web"))
    assert done.changed and not done.undo_tool
    found = await world.until_complete("web")
    assert found.revisions[0].changes == (f"restarted at {done.after['restarted_at']}",)
    pods = await world.until(lambda: world.pods("Deployment/web"), lambda pods: len(pods) == 2)
    assert not before & {pod.uid for pod in pods}


async def test_a_deleted_pod_is_replaced_and_its_successor_spared(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=1))
    await world.until_complete("web")
    (pod,) = await world.pods("Deployment/web")
    asked = {"namespace": world.namespace, "name": pod.target.name, "uid": pod.uid}
    assert (await world.change("delete_pod", key="away", **asked)).changed
    assert not (await world.change("delete_pod", key="away", **asked)).changed
    later = await world.until(
        lambda: world.pods("Deployment/web"), lambda pods: [p.ready for p in pods] == [True]
    )
    assert later[0].uid != pod.uid
    other = {"namespace": world.namespace, "name": later[0].target.name, "uid": pod.uid}
    assert not (await world.change("delete_pod", key="other", **other)).changed


async def test_a_node_is_cordoned_and_let_free_again(world: World) -> None:
    assert not (await world.nodes())["node-2"].cordoned
    done = await world.change("cordon_node", key="shut", node="node-2")
    assert (done.before, done.after) == ({"cordoned": "no"}, {"cordoned": "yes"})
    assert (await world.nodes())["node-2"].cordoned
    assert not (await world.change("cordon_node", key="shut-again", node="node-2")).changed
    await world.undo(done, key="open")
    assert not (await world.nodes())["node-2"].cordoned


async def test_unknown_names_come_back_with_near_ones(world: World) -> None:
    await world.create("Deployment", deployment("checkout"))
    with pytest.raises(ToolFailed, match=r"no Deployment 'chekout'.*Near names: checkout"):
        await world.workload("chekout")
    with pytest.raises(ToolFailed, match=r"no Deployment 'chekout'.*Near names: checkout"):
        await world.change("scale_workload", key="no", **place(world, "chekout"), replicas=1)
    with pytest.raises(ToolFailed, match="no namespace 'nowhere'"):
        await world.items(PodState, "describe_pod", namespace="nowhere", name="web")
    with pytest.raises(ToolFailed, match="no container 'sidecar'; choose one of: app"):
        await world.change(
            "set_image", key="no", **place(world, "checkout"), image="app:2", container="sidecar"
        )
    with pytest.raises(ToolFailed, match="does not keep revision 7; kept: 1, current: 1"):
        await world.until_complete("checkout")
        await world.change("rollback_workload", key="no", **place(world, "checkout"), to_revision=7)


async def test_a_described_pod_comes_with_its_events(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=1))
    await world.until_complete("web")
    (pod,) = await world.pods("Deployment/web")
    answer = await world.ask("describe_pod", namespace=world.namespace, name=pod.target.name)
    assert answer.text.startswith(f"{pod.target}: Running, 1/1 ready, 0 restarts")
    assert answer.data is not None
    facts = [item["fact"] for item in answer.data["items"]]  # type: ignore[attr-defined]
    assert facts[0] == "pod" and set(facts[1:]) == {"event"}
    assert "Scheduled" in answer.text and "Started container app" in answer.text


async def test_a_log_is_cut_to_its_last_lines(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=1))
    await world.until_complete("web")
    (pod,) = await world.pods("Deployment/web")
    log = await world.log(pod.target.name, tail_lines=1)
    assert len(log.lines) == 1 and not log.previous
    with pytest.raises(ToolFailed, match="has no container 'web'; choose one of: app"):
        await world.log(pod.target.name, container="web")


async def test_lists_say_when_there_is_more(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=3))
    await world.until_complete("web")
    answer = await world.ask("list_pods", namespace=world.namespace, limit=2)
    assert answer.data is not None and answer.data["truncated"] is True
    assert len(answer.data["items"]) == 2  # type: ignore[arg-type]
