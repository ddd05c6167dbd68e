"""Whatever is done to a cluster in whichever order, it comes back to what was asked for."""

from collections.abc import Callable
from random import Random

import pytest

from sandbox.errors import ApiError
from sandbox.fields import Obj, controller_of, labels_of, name_of
from sandbox.kinds import kind_of
from sandbox.state import is_active, is_finished, is_ready
from tests.sandbox.worlds import World, deployment, pod_template

APPS = ("web", "api", "db")
TAGS = ("1", "2", "bad", "crash")
FAULTS = ("crashloop", "oom", "unready", "imagepull", "error-exit", "")
NODES = 4
POD = kind_of("Pod")


def app_of(name: str, tag: str, replicas: int) -> Obj:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 3}
    ports = [{"containerPort": 8080}]
    box = {"name": "app", "image": f"shop/app:{tag}", "readinessProbe": probe, "ports": ports}
    return deployment(name, replicas, pod_template(containers=[box]), progressDeadlineSeconds=60)


def service(name: str) -> Obj:
    spec: Obj = {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


class Trouble:
    """Random deeds, as users, operators and machines do them."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(seed)
        self.deeds: tuple[Callable[[], None], ...] = (
            self.roll,
            self.delete_pod,
            self.break_pod,
            self.break_node,
            self.cordon,
            self.relabel,
            self.delete_replica_set,
        )

    def act(self) -> None:
        try:
            self._random.choice(self.deeds)()
        except ApiError:
            return  # the object was gone, or the change was refused: nothing was done
        finally:
            self._world.advance(self._random.choice((0, 0.1, 1, 5, 20)))

    def roll(self) -> None:
        tag, size = self._random.choice(TAGS), self._random.randrange(6)
        self._world.apply([app_of(self._random.choice(APPS), tag, size)])

    def delete_pod(self) -> None:
        pod = self._random.choice(self._world.pods() or [{}])
        grace_s = self._random.choice((None, 0))
        if pod:
            self._world.store.delete(POD, "default", name_of(pod), grace_s=grace_s)

    def break_pod(self) -> None:
        if pods := self._world.pods():
            fault = self._random.choice(FAULTS)
            self._world.annotate("Pod", name_of(self._random.choice(pods)), "sandbox/fault", fault or None)

    def break_node(self) -> None:
        fault = self._random.choice(("lost", "notready", "memorypressure", None, None))
        self._world.annotate("Node", self._node(), "sandbox/fault", fault)

    def cordon(self) -> None:
        self._world.change("Node", self._node(), "spec.unschedulable", self._random.random() < 0.5)

    def relabel(self) -> None:
        if pods := self._world.pods():
            self._world.change("Pod", name_of(self._random.choice(pods)), "metadata.labels", {"app": "stray"})

    def delete_replica_set(self) -> None:
        if sets := self._world.all("ReplicaSet"):
            mode = self._random.choice(("Background", "Foreground", "Orphan"))
            self._world.delete("ReplicaSet", name_of(self._random.choice(sets)), propagation=mode)

    def _node(self) -> str:
        return f"node-{self._random.randrange(NODES)}"


def heal(world: World) -> None:
    for number in range(NODES):
        world.annotate("Node", f"node-{number}", "sandbox/fault", None)
        world.change("Node", f"node-{number}", "spec.unschedulable", False)
    for pod in world.pods():
        if controller_of(pod) is None:  # what nobody controls stays for ever, on real clusters too
            world.store.delete(POD, "default", name_of(pod), grace_s=0)
    world.apply([app_of(name, "9", 3) for name in APPS])
    world.advance(900)


@pytest.mark.parametrize("seed", range(6))
def test_a_cluster_recovers_from_anything(seed: int) -> None:
    world = World(NODES)
    world.apply([*(app_of(name, "1", 3) for name in APPS), *(service(name) for name in APPS)])
    world.settle()
    trouble = Trouble(world, seed)
    for _ in range(60):
        trouble.act()
    heal(world)
    for name in APPS:
        check_app(world, name)
    check_nodes(world)


def check_app(world: World, name: str) -> None:
    status = world.get("Deployment", name)["status"]
    counts = [status.get(f"{field}Replicas", 0) for field in ("updated", "ready", "available")]
    assert [*counts, status["replicas"]] == [3] * 4
    pods = [pod for pod in world.pods(app=name) if is_active(pod)]
    assert len(pods) == 3
    assert all(is_ready(pod) for pod in pods)
    addresses = world.get("Endpoints", name)["subsets"][0]["addresses"]
    assert {a["targetRef"]["name"] for a in addresses} == {name_of(pod) for pod in pods}
    assert world.reason_of("Deployment", name, "Progressing") == "True NewReplicaSetAvailable"


def check_nodes(world: World) -> None:
    """The scheduler's picture agrees with the store, and every running pod has its kubelet."""
    bound = {p["metadata"]["uid"] for p in world.pods() if p["spec"].get("nodeName") and not is_finished(p)}
    seen = {uid for node in world.scheduler.cluster.nodes.values() for uid in node.pods}
    assert seen == bound
    assert {run.pod["metadata"]["uid"] for run in world.fleet.runs()} >= bound
    for node in world.all("Node"):
        assert "taints" not in node["spec"]
        assert labels_of(node)["kubernetes.io/hostname"] == name_of(node)
