"""The changing tools beyond workloads: each tried dry, applied, looked at, and taken back by its way back."""

from collections.abc import Mapping

import pytest

from domain.cluster import ClaimState, ConfigState
from domain.errors import ToolFailed
from tests.contract.tools.manifests import deployment
from tests.contract.tools.world import REAL, World

Arguments = dict[str, object]


def place(world: World, name: str, kind: str = "") -> Arguments:
    """The arguments that name an object."""
    named: Arguments = {"namespace": world.namespace, "name": name}
    return {**named, "kind": kind} if kind else named


async def try_there_and_back(world: World, tool: str, arguments: Arguments, after: Mapping[str, str]) -> None:
    """A dry run changes nothing, the change does, a repeated call does not, and the way back leads back."""
    dry = await world.change(tool, key=f"{tool}-dry", **arguments, dry_run=True)
    assert dry.changed and dry.dry_run and dict(dry.after) == dict(after)
    first = await world.change(tool, key=tool, **arguments)
    assert first.changed and first.before == dry.before, first
    again = await world.change(tool, key=tool, **arguments)
    assert again.repeated and not again.changed
    assert again.undo_arguments == first.undo_arguments
    back = await world.undo(first, key=f"{tool}-back")
    assert back.changed and dict(back.after) == dict(first.before)


async def config(world: World, name: str) -> ConfigState:
    (found,) = await world.items(ConfigState, "get_config", **place(world, name))
    return found


async def test_a_variable_is_set_and_taken_back(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=1))
    asked = {**place(world, "web", "Deployment"), "variable": "LEVEL", "value": "debug"}
    await try_there_and_back(world, "set_env", asked, {"env LEVEL of app": "debug"})
    same = await world.change("set_env", key="none", **{**asked, "value": None})
    assert not same.changed


async def test_a_variable_that_is_a_credential_goes_back_by_its_revision(world: World) -> None:
    made = deployment("web", replicas=1)
    container = made["spec"]["template"]["spec"]["containers"][0]  # type: ignore[index]
    container["env"] = [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}]
    await world.create("Deployment", made)
    await world.until_complete("web")
    asked = {**place(world, "web", "Deployment"), "variable": "DB_PASSWORD", "value": "other-pw-1"}
    done = await world.change("set_env", key="pw", **asked)
    assert "hunter2" not in str(done) and "other-pw" not in str(done)
    assert (done.changed, done.undo_tool, done.undo_arguments["to_revision"]) == (
        True,
        "rollback_workload",
        1,
    )
    with pytest.raises(ToolFailed, match="holds a masked value"):
        await world.change("set_env", key="masked", **{**asked, "value": "(not shown)"})


async def test_a_config_key_is_set_and_taken_back(world: World) -> None:
    data = {"LEVEL": "info", "TOKEN": "abc"}
    await world.create("ConfigMap", {"apiVersion": "v1", "metadata": {"name": "app"}, "data": data})
    asked = {**place(world, "app"), "config_key": "LEVEL", "value": "debug"}
    await try_there_and_back(world, "set_config_key", asked, {"LEVEL": "debug"})
    assert (await config(world, "app")).values["LEVEL"] == "info"
    removed = await world.change("set_config_key", key="off", **{**asked, "value": None})
    assert (await config(world, "app")).keys == ("TOKEN",)
    await world.undo(removed, key="on")
    assert (await config(world, "app")).values["LEVEL"] == "info"
    with pytest.raises(ToolFailed, match=r"would lose what looks like a credential \(TOKEN\)"):
        manifest = {"data": {"LEVEL": "warn"}}
        await world.change(
            "restore_object", key="lose", **place(world, "app", "ConfigMap"), manifest=manifest
        )
    with pytest.raises(ToolFailed, match="looks like a credential; change it"):
        await world.change("set_config_key", key="no", **{**asked, "config_key": "TOKEN"})


async def test_a_service_is_patched_within_its_allow_list(world: World) -> None:
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"selector": {"app": "wbe"}, "ports": ports}
    await world.create("Service", {"apiVersion": "v1", "metadata": {"name": "web"}, "spec": spec})
    named = place(world, "web", "Service")
    patch = [
        {"op": "replace", "path": "/spec/selector/app", "value": "web"},
        {"op": "add", "path": "/spec/selector/tier", "value": "front"},
    ]
    after = {"/spec/selector/app": "web", "/spec/selector/tier": "front"}
    await try_there_and_back(world, "patch_resource", {**named, "patch": patch}, after)
    for bad, said in (
        (
            [{"op": "replace", "path": "/spec/type", "value": "NodePort"}],
            "/spec/type of a Service may not be",
        ),
        ([{"op": "remove", "path": "/spec/selector/nothing"}], "there is nothing to remove"),
        ([{"op": "test", "path": "/spec/selector/app", "value": "x"}], "not as the patch's test expects"),
    ):
        with pytest.raises(ToolFailed, match=said):
            await world.change("patch_resource", key="bad", **named, patch=bad)
    with pytest.raises(ToolFailed, match="Secret may not be patched here"):
        await world.change("patch_resource", key="bad", **place(world, "db", "Secret"), patch=patch)


async def test_an_object_is_created_deleted_and_created_again(world: World) -> None:
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    asked = {**place(world, "closed", "NetworkPolicy"), "manifest": {"spec": spec}}
    assert (await world.change("create_resource", key="dry", **asked, dry_run=True)).dry_run
    made = await world.change("create_resource", key="new", **asked)
    assert made.changed and made.undo_arguments["uid"] == made.uid
    assert (await world.change("create_resource", key="new", **asked)).repeated
    with pytest.raises(ToolFailed, match="exists already; use patch_resource or restore_object"):
        await world.change("create_resource", key="other", **asked)
    gone = await world.undo(made, key="away")
    assert gone.changed and not (await world.undo(made, key="away")).changed
    back = await world.undo(gone, key="back")
    assert back.changed and back.uid != made.uid
    for kind in ("Deployment", "Namespace", "PersistentVolume", "Secret", "CustomResourceDefinition"):
        with pytest.raises(ToolFailed, match=f"{kind} may not be deleted here"):
            await world.change("delete_resource", key="no", **place(world, "x", kind))


async def test_an_object_is_restored_to_what_was_seen_before(world: World) -> None:
    await world.create("Deployment", deployment("web", replicas=2))
    seen = await world.until_complete("web")
    changed = await world.change(
        "scale_workload", key="more", **place(world, "web", "Deployment"), replicas=3
    )
    assert changed.changed
    container = {"name": "app", "image": "app:1"}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    asked = {**place(world, "web", "Deployment"), "manifest": {"spec": spec}}
    restored = await world.change("restore_object", key="back", **asked)
    assert restored.after["/spec/replicas"] == "2" and restored.undo_tool == "restore_object"
    assert (await world.until_complete("web")).desired_count == seen.desired_count
    await world.undo(restored, key="forth")
    assert (await world.workload("web")).desired_count == 3


async def test_taints_are_set_and_taken_back(world: World) -> None:
    mark = f"contract/{world.namespace}"
    asked: Arguments = {"node": "node-2", "add": [f"{mark}=a:PreferNoSchedule"]}
    before = (await world.nodes())["node-2"].taints
    after = ", ".join(sorted([*before, f"{mark}=a:PreferNoSchedule"]))
    await try_there_and_back(world, "set_taints", asked, {"taints": after})
    assert (await world.nodes())["node-2"].taints == before
    with pytest.raises(ToolFailed, match="is no taint such as"):
        await world.change("set_taints", key="bad", node="node-2", add=["x:Never"])


def job_template() -> dict[str, object]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}
    return {"spec": {"template": {"spec": pod}}}


async def test_jobs_are_deleted_and_cron_jobs_suspended(world: World) -> None:
    await world.create("Job", {"apiVersion": "batch/v1", "metadata": {"name": "once"}, **job_template()})
    gone = await world.change("delete_job", key="away", **place(world, "once"))
    assert gone.changed and not gone.undo_tool
    repeated = await world.change("delete_job", key="away", **place(world, "once"), uid=gone.uid)
    assert not repeated.changed
    await world.make_cron_job("nightly", job_template())
    await try_there_and_back(world, "suspend_cronjob", place(world, "nightly"), {"suspended": "true"})


async def test_an_autoscaler_gets_other_bounds_and_its_old_ones_back(world: World) -> None:
    await world.make_autoscaler("web", least=2, most=4)
    asked = {**place(world, "web"), "max_replicas": 8}
    after = {"min_replicas": "2", "max_replicas": "8"}
    await try_there_and_back(world, "set_autoscaler_bounds", asked, after)
    with pytest.raises(ToolFailed, match="min_replicas would be above max_replicas"):
        await world.change("set_autoscaler_bounds", key="no", **place(world, "web"), min_replicas=9)


async def claim(world: World, name: str) -> ClaimState:
    (found,) = await world.items(ClaimState, "describe_volume_claim", **place(world, name))
    return found


async def make_claim(world: World, name: str, *, may_grow: bool) -> None:
    """A claim of 1Gi with a storage class of its own, and a volume that fits it."""
    class_name = f"{world.namespace}-{name}"
    made = {"provisioner": "contract/none", "allowVolumeExpansion": may_grow}
    v1, modes = {"apiVersion": "v1"}, ["ReadWriteOnce"]
    meta: Arguments = {"name": class_name}
    await world.create("StorageClass", {"apiVersion": "storage.k8s.io/v1", "metadata": meta, **made})
    held = {"capacity": {"storage": "4Gi"}, "hostPath": {"path": "/none"}}
    usual: Arguments = {"storageClassName": class_name, "accessModes": modes}
    await world.create("PersistentVolume", {**v1, "metadata": meta, "spec": {**usual, **held}})
    asked = {**usual, "resources": {"requests": {"storage": "1Gi"}}}
    await world.create("PersistentVolumeClaim", {**v1, "metadata": {"name": name}, "spec": asked})
    await world.until(lambda: claim(world, name), lambda found: found.phase == "Bound")


async def test_a_claim_grows_only_where_its_class_allows(world: World) -> None:
    await make_claim(world, "fixed", may_grow=False)
    await make_claim(world, "grows", may_grow=True)
    with pytest.raises(ToolFailed, match="does not let claims grow"):
        await world.change("expand_volume_claim", key="no", **place(world, "fixed"), size="2Gi")
    with pytest.raises(ToolFailed, match="a claim cannot shrink"):
        await world.change("expand_volume_claim", key="less", **place(world, "grows"), size="1Mi")
    same = await world.change("expand_volume_claim", key="same", **place(world, "grows"), size="1024Mi")
    assert not same.changed
    done = await world.change("expand_volume_claim", key="more", **place(world, "grows"), size="2Gi")
    assert (done.before, done.after, done.undo_tool) == ({"size": "1Gi"}, {"size": "2Gi"}, "")
    assert (await claim(world, "grows")).requested_bytes == 2 * 2**30


async def test_a_drained_node_keeps_what_a_budget_protects(world: World) -> None:
    await world.create("Deployment", deployment("free", replicas=2))
    await world.create("Deployment", deployment("kept", replicas=1))
    await world.make_budget("kept", min_available=1)
    for name in ("free", "kept"):
        await world.until_complete(name)
    (kept,) = await world.pods("Deployment/kept")
    node, within_s = kept.node, 5 if REAL else 1
    await world.until(lambda: world.budget_is_seen("kept"), bool)
    try:
        dry = await world.change("drain_node", key="dry", node=node, dry_run=True)
        assert dry.dry_run and not (await world.nodes())[node].cordoned
        assert any("disruption budget" in warning for warning in dry.warnings), dry
        done = await world.change("drain_node", key="empty", node=node, within_s=within_s)
        assert (await world.nodes())[node].cordoned
        assert done.undo_tool == "uncordon_node"
        assert any(f"{kept.target.name} is still there" in warning for warning in done.warnings), done
        assert [pod.uid for pod in await world.pods("Deployment/kept")] == [kept.uid]
        moved = await world.until(
            lambda: world.pods("Deployment/free"),
            lambda pods: len(pods) == 2 and all(pod.node != node and pod.ready for pod in pods),
        )
        assert len(moved) == 2
    finally:
        await world.change("uncordon_node", key="open", node=node)


async def test_what_a_gitops_tool_owns_is_named(world: World) -> None:
    notes = {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}
    made = deployment("web", replicas=1)
    made["metadata"]["annotations"] = notes  # type: ignore[index]
    await world.create("Deployment", made)
    done = await world.change("scale_workload", key="two", **place(world, "web", "Deployment"), replicas=2)
    assert done.warnings == (
        "Argo CD manages this object: it will be reverted, or drift; change its source too.",
    )
