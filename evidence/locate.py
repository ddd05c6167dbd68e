"""From what an alert names to the workload that has to be looked at."""

import re

from domain.alert import Target
from domain.cluster import WorkloadState
from domain.errors import ToolFailed
from evidence.cluster_reader import WORKLOAD_KINDS, ClusterReader

POD_SUFFIX = re.compile(r"(-[a-z0-9]{1,10}-[a-z0-9]{5}|-[a-z0-9]{5}|-\d+)$")


async def locate(reader: ClusterReader, target: Target) -> Target:
    """The workload behind a pod; any other target as it is.

    A pod that is gone is found by its name's stem among the namespace's workloads.
    """
    if target.kind != "Pod" or not target.namespace:
        return target
    try:
        pod = await reader.pod(target)
    except ToolFailed:
        return await _by_stem(reader, target)
    owner = pod.owner
    if owner is None or owner.kind not in WORKLOAD_KINDS:
        return target
    return Target(kind=owner.kind, name=owner.name, namespace=target.namespace, cluster=target.cluster)


async def _by_stem(reader: ClusterReader, pod: Target) -> Target:
    stem = POD_SUFFIX.sub("", pod.name)
    for state in await reader.workloads(pod.namespace):
        if state.target.name in (stem, pod.name):
            return _same_cluster(state, pod)
    return pod


def _same_cluster(state: WorkloadState, pod: Target) -> Target:
    return Target(
        kind=state.target.kind, name=state.target.name, namespace=pod.namespace, cluster=pod.cluster
    )
