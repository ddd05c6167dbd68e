"""How long a large cluster takes to start: `python tests/bench/bench_sandbox_cluster.py [NODES] [PODS]`."""

import resource
import sys
import time

from sandbox.cluster import Cluster
from sandbox.fields import Obj
from sandbox.kinds import kind_of
from tests.sandbox.worlds import deployment, pod_template

PODS_EACH = 100  # pods of one Deployment
STARTING_S = 60.0  # cluster time that starting may take


def workloads(pods: int) -> list[Obj]:
    size = {"requests": {"cpu": "100m", "memory": "64Mi"}}
    template = pod_template(containers=[{"name": "app", "image": "shop/app:1", "resources": size}])
    return [deployment(f"web-{number}", PODS_EACH, template) for number in range(pods // PODS_EACH)]


def measure(nodes: int, pods: int) -> None:
    began = time.perf_counter()
    cluster = Cluster(nodes)
    say(f"{nodes} nodes registered", began)
    cluster.apply(workloads(pods))
    began = time.perf_counter()
    cluster.advance(STARTING_S)
    ready = sum(d["status"].get("readyReplicas", 0) for d in cluster.store.list(kind_of("Deployment")))
    say(f"{ready} of {pods} pods ready after {STARTING_S:.0f} s of cluster time", began)
    began = time.perf_counter()
    cluster.advance(60)
    say("a quiet minute", began)
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write(f"memory at its highest: {peak_mib} MiB\n")


def say(what: str, began: float) -> None:
    sys.stdout.write(f"{what}: {time.perf_counter() - began:.2f} s\n")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    measure(*(given or [500, 10_000]))
