"""From what an alert names to the workload that has to be looked at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.alert import Target
from domain.cluster import WorkloadState
from domain.errors import ToolFailed
from evidence.cluster_reader import WORKLOAD_KINDS, ClusterReader

# Objects that are usually named after the workload that they are about, or concern a whole namespace.
BESIDE_WORKLOADS = frozenset({"HorizontalPodAutoscaler", "PodDisruptionBudget", "ResourceQuota", "Ingress"})
POD_SUFFIX = re.compile(r"(-[a-z0-9]{1,10}-[a-z0-9]{5}|-[a-z0-9]{5}|-\d+)$")


async def locate(reader: ClusterReader, target: Target, labels: Mapping[str, str]) -> Target:
    """The workload behind a pod, a service, a claim, an autoscaler, or a container of a namespace.

    What leads to no workload, or to several equally likely ones, stays as it is. `labels` are the alert's.
    """
    if not target.namespace or target.kind in WORKLOAD_KINDS:
        return target
    found = await _behind(reader, target, labels)
    return target if found is None else replace(found, namespace=target.namespace, cluster=target.cluster)


async def _behind(reader: ClusterReader, target: Target, labels: Mapping[str, str]) -> Target | None:
    if target.kind == "Pod":
        return await _of_pod(reader, target)
    if target.kind == "Service":
        return await _of_service(reader, target)
    if target.kind == "PersistentVolumeClaim":
        return await _of_claim(reader, target)
    if target.kind in BESIDE_WORKLOADS or not target.known:
        return _likeliest(await reader.workloads(target.namespace), target, labels)
    return None


async def _of_pod(reader: ClusterReader, pod: Target) -> Target | None:
    """By its owner; a pod that is gone by its name's stem among the namespace's workloads."""
    try:
        owner = (await reader.pod(pod)).owner
    except ToolFailed:
        return _named(await reader.workloads(pod.namespace), POD_SUFFIX.sub("", pod.name), pod.name)
    return owner if owner is not None and owner.kind in WORKLOAD_KINDS else None


async def _of_service(reader: ClusterReader, service: Target) -> Target | None:
    """The one workload behind it; for a service without pods the workload of its name."""
    try:
        owners = (await reader.service(service)).owners
    except ToolFailed:
        owners = ()
    if len(owners) == 1:
        kind, _, name = owners[0].partition("/")
        return Target(kind=kind, name=name)
    return _named(await reader.workloads(service.namespace), service.name)


async def _of_claim(reader: ClusterReader, claim: Target) -> Target | None:
    users = (await reader.claim(claim)).used_by
    return await _of_pod(reader, replace(claim, kind="Pod", name=users[0])) if users else None


def _named(workloads: Sequence[WorkloadState], *names: str) -> Target | None:
    return next((state.target for state in workloads if state.target.name in names), None)


def _likeliest(
    workloads: Sequence[WorkloadState], target: Target, labels: Mapping[str, str]
) -> Target | None:
    """The workload that runs the alert's container or bears its name; else the only one that is unwell."""
    container = labels.get("container", "")
    running = [s for s in workloads if container and container in (c.name for c in s.containers)]
    if len(running) == 1:
        return running[0].target
    if (named := _named(workloads, target.name, container)) is not None:
        return named
    unwell = [s for s in running or workloads if s.ready_count < s.desired_count or s.rollout != "complete"]
    return unwell[0].target if len(unwell) == 1 else None
