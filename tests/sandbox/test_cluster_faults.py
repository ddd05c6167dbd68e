"""Faults that the surroundings bring: what a program misses, what its node, disk or resolver does to it."""

from typing import Any

import pytest

from sandbox.fields import Obj
from tests.sandbox.worlds import World, container_state, deployment, pod, pod_template, waiting_reason

GIB = 2**30


def box(**more: object) -> Obj:
    return {"name": "app", "image": "shop/app:1", **more}


def running(notes: dict[str, str], nodes: int = 1, **spec: Any) -> World:
    world = World(nodes)
    world.apply([pod("one", pod_template(notes=notes, **spec))])
    world.advance(20)
    return world


def is_ready(world: World, name: str = "one") -> bool:
    return world.reason_of("Pod", name, "Ready") == "True"


def last_words(world: World, name: str = "one", container: str = "app") -> str:
    current = world.get("Pod", name)
    return "\n".join([*world.log(current, container, previous=True), *world.log(current, container)])


SHM = {"volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}


def shm_volume(**directory: str) -> list[Obj]:
    return [{"name": "shm", "emptyDir": directory}]


PORTS = "net.ipv4.ip_local_port_range"


@pytest.mark.parametrize(
    ("notes", "poor", "rich", "words"),
    [
        (
            {"needs-shm": "128Mi"},
            {"containers": [box(**SHM)], "volumes": shm_volume(medium="Memory", sizeLimit="32Mi")},
            {"containers": [box(**SHM)], "volumes": shm_volume(medium="Memory", sizeLimit="128Mi")},
            "No space left on device",
        ),
        (
            {"needs-files": "4096"},
            {"containers": [box()]},
            {"containers": [box(command=["sh", "-c", "ulimit -n 65536 && exec /app"])]},
            "too many open files",
        ),
        (
            {"needs-sysctl": f"{PORTS}=1024 65535"},
            {"securityContext": {"sysctls": [{"name": PORTS, "value": "32768 33000"}]}},
            {"securityContext": {"sysctls": [{"name": PORTS, "value": "1024 65535"}]}},
            "cannot assign requested address",
        ),
    ],
)
def test_a_program_ends_until_the_spec_gives_it_what_it_needs(
    notes: dict[str, str], poor: dict[str, Any], rich: dict[str, Any], words: str
) -> None:
    world = running(notes, **poor)
    assert container_state(world.get("Pod", "one"))["restartCount"] > 0
    assert words in last_words(world)
    assert is_ready(running(notes, **rich))


def test_shared_memory_that_is_not_in_memory_or_not_mounted_is_the_small_default() -> None:
    assert "134217728 bytes" in last_words(running({"needs-shm": "128Mi"}))
    on_disk = running({"needs-shm": "128Mi"}, containers=[box(**SHM)], volumes=shm_volume())
    assert not is_ready(on_disk)
    assert is_ready(running({"needs-shm": "64Mi"}))


def test_an_init_container_that_hangs_keeps_the_pod_from_starting_until_it_no_longer_does() -> None:
    inits = [{"name": "wait", "image": "shop/wait:1"}]
    notes = {"container": "wait", "hangs": "true", "logs.wait": "waiting for db", "logs.app": "serving"}
    world = running(notes, initContainers=inits)
    world.advance(600)
    assert "running" in container_state(world.get("Pod", "one"), "wait", "initContainerStatuses")["state"]
    assert world.log(world.get("Pod", "one"), "wait") == ["waiting for db"]
    world.annotate("Pod", "one", "sandbox/hangs", None)
    world.advance(10)
    assert is_ready(world)
    assert world.log(world.get("Pod", "one")) == ["serving"]


def test_a_program_that_sizes_itself_takes_a_share_of_its_limit_or_of_the_node() -> None:
    limited = box(resources={"limits": {"memory": "1Gi"}})
    world = running({"memory-share": "0.75"}, containers=[limited])
    use = world.fleet.usage("default", "one")
    assert use is not None and use["app"].memory_bytes == 0.75 * GIB
    world = running({"memory-share": "0.75"})
    use = world.fleet.usage("default", "one")
    assert use is not None and use["app"].memory_bytes == 6 * GIB


def rights(*resources: str) -> list[Obj]:
    """A role that may get these resources, bound to the default account."""
    api, meta = "rbac.authorization.k8s.io/v1", {"name": "reader", "namespace": "default"}
    rules = [{"apiGroups": [""], "resources": list(resources), "verbs": ["get"]}]
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "default"}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
    return [
        {"apiVersion": api, "kind": "Role", "metadata": meta, "rules": rules},
        {
            "apiVersion": api,
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": reference,
            "subjects": [subject],
        },
    ]


def test_a_program_reads_its_settings_through_the_api_only_when_a_role_lets_it() -> None:
    world = World(1)
    inits = [{"name": "fetch", "image": "shop/kubectl:1"}]
    notes = {"container": "fetch", "reads-config": "routes"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "routes", "namespace": "default"}}
    world.apply([config, *rights("endpoints"), pod("one", pod_template(notes=notes, initContainers=inits))])
    world.advance(10)
    assert waiting_init(world) == "CrashLoopBackOff"
    assert last_words(world, container="fetch").endswith(
        'Error from server (Forbidden): configmaps "routes" is forbidden: '
        'User "system:serviceaccount:default:default" cannot get resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    world.apply(rights("configmaps"))
    world.advance(60)
    assert is_ready(world)


def waiting_init(world: World) -> str:
    state = container_state(world.get("Pod", "one"), "fetch", "initContainerStatuses")["state"]
    return str(state.get("waiting", {}).get("reason", ""))


@pytest.mark.parametrize("image", ["registry.corp.invalid/shop/web:1.2", "registry.example.com/shop/web:1.2"])
def test_a_registry_whose_name_does_not_resolve(image: str) -> None:
    world = World(1)
    world.annotate("Node", "node-0", "sandbox/no-such-host", "registry.example.com")
    world.apply([pod("one", pod_template(image=image))])
    world.advance(30)
    host = image.partition("/")[0]
    assert waiting_reason(world.get("Pod", "one")) == "ImagePullBackOff"
    assert world.messages("one", "Failed")[0].endswith(
        f'failed to do request: Head "https://{host}/v2/shop/web/manifests/1.2": '
        f"dial tcp: lookup {host} on 192.168.0.1:53: no such host"
    )


def test_an_image_that_the_node_has_needs_no_registry() -> None:
    image = "registry.example.com/shop/web:1.2"
    world = World(1)
    world.apply([pod("one", pod_template(image=image))])
    world.settle()
    world.annotate("Node", "node-0", "sandbox/no-such-host", "registry.example.com")
    world.apply([pod("two", pod_template(image=image))])
    world.settle()
    assert is_ready(world, "two")


def test_a_failing_disk_ends_those_who_write_to_it_and_nobody_else() -> None:
    world = World(1)
    disk: dict[str, Any] = {"volumes": [{"name": "data", "hostPath": {"path": "/data"}}]}
    mounted = box(volumeMounts=[{"name": "data", "mountPath": "/var/lib/db"}])
    world.apply([pod("db", pod_template(containers=[mounted], **disk)), pod("web")])
    world.settle()
    world.annotate("Node", "node-0", "sandbox/disk-errors", "true")
    world.advance(20)
    assert waiting_reason(world.get("Pod", "db")) == "CrashLoopBackOff"
    assert "/var/lib/db/wal" in last_words(world, "db")
    assert "Input/output error" in last_words(world, "db")
    assert world.messages("node-0", "IOError")
    assert is_ready(world, "web")
    world.annotate("Node", "node-0", "sandbox/disk-errors", None)
    world.advance(5)
    assert is_ready(world, "db")


def test_a_slow_disk_makes_answers_late() -> None:
    world = World(1)
    disk: dict[str, Any] = {"volumes": [{"name": "data", "hostPath": {"path": "/data"}}]}
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 1}
    mounted = box(volumeMounts=[{"name": "data", "mountPath": "/data"}], readinessProbe=probe)
    world.apply([deployment("db", 1, pod_template(containers=[mounted], **disk))])
    world.settle()
    world.annotate("Node", "node-0", "sandbox/disk-delay", "1.5")
    world.advance(30)
    assert world.get("Deployment", "db")["status"].get("readyReplicas", 0) == 0
    assert "context deadline exceeded" in world.messages("db", "Unhealthy")[-1]
