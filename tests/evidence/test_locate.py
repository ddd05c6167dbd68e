"""From what an alert names to its workload."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.alert import Target
from domain.cluster import ClaimState, PodState, ServiceState, WorkloadState
from domain.errors import ToolFailed
from evidence.cluster_reader import ClusterReader
from evidence.locate import locate
from tests.builders import WEB, pod, running, workload
from tests.execute.world import ScriptedToolbox

DB = Target(kind="StatefulSet", namespace="shop", name="db")


class Town(ClusterReader):
    """A namespace with a web deployment that is well and a database that is not."""

    def __init__(self) -> None:
        super().__init__(ScriptedToolbox())

    async def workloads(self, namespace: str) -> list[WorkloadState]:
        well = workload(desired=1, ready=1)
        return [well, replace(workload(desired=2, ready=1), target=DB)]

    async def pod(self, target: Target) -> PodState:
        if target.name == "web-aaa-1":
            return pod("web-aaa-1", running())
        raise ToolFailed(f"{target} is not there")

    async def service(self, target: Target) -> ServiceState:
        owners = {"web": ("Deployment/web",), "both": ("Deployment/web", "StatefulSet/db")}
        return ServiceState(target=target, type="ClusterIP", owners=owners.get(target.name, ()))

    async def claim(self, target: Target) -> ClaimState:
        return ClaimState(target=target, phase="Bound", used_by=("web-aaa-1",))


async def found(kind: str = "", name: str = "", labels: Mapping[str, str] | None = None) -> Target:
    return await locate(Town(), Target(kind=kind, namespace="shop", name=name), labels or {})


@pytest.mark.parametrize(
    ("kind", "name", "target"),
    [
        ("Pod", "web-aaa-1", WEB),
        ("Pod", "web-7d9f8b6c5-x2x4z", WEB),  # gone; by its stem
        ("Pod", "db-0", DB),
        ("Service", "web", WEB),
        ("Service", "db", DB),  # without pods; by its name
        ("PersistentVolumeClaim", "data", WEB),
        ("HorizontalPodAutoscaler", "web", WEB),
        ("", "", DB),  # the only one that is unwell
    ],
)
async def test_the_workload_is_found(kind: str, name: str, target: Target) -> None:
    assert await found(kind, name) == target


async def test_what_leads_to_several_or_to_none_stays_as_it_is() -> None:
    assert (await found("Service", "both")).kind == "Service"
    assert (await found("Service", "unknown")).kind == "Service"
    assert (await found("Pod", "stranger-1")).kind == "Pod"


async def test_a_cluster_wide_object_is_not_looked_for_in_a_namespace() -> None:
    node = Target(kind="Node", name="node-1")
    assert await locate(Town(), node, {}) == node
