"""How the sandbox's API bears size: `python tests/bench/bench_sandbox_api.py [nodes] [pods]`.

Prints what it measured and judges nothing: machines differ.
"""

import asyncio
import gc
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[2]))

from sandbox.bootstrap import new_store
from sandbox.clock import SimClock
from sandbox.fields import Obj
from sandbox.kinds import kind_of
from sandbox.server import SandboxServer
from sandbox.store import Store

WATCHERS = 20
CHANGES = 2000
PODS, NODES = kind_of("Pod"), kind_of("Node")
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def memory_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def say(what: str, took_s: float, note: str = "") -> None:
    sys.stdout.write(f"{what:42s} {took_s * 1000:10.1f} ms  {note}\n")


def pod(number: int, nodes: int) -> Obj:
    container = {
        "name": "app",
        "image": "registry.example/shop/app:1.4.2",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "LEVEL", "value": "info"}],
        "resources": {"requests": {"cpu": "10m"}},
    }
    meta = {"name": f"app-{number:05d}", "namespace": "default", "labels": {"app": f"app-{number % 50}"}}
    return {"metadata": meta, "spec": {"nodeName": f"node-{number % nodes}", "containers": [container]}}


def fill(store: Store, nodes: int, pods: int) -> None:
    for number in range(nodes):
        store.create(NODES, {"metadata": {"name": f"node-{number}"}})
    for number in range(pods):
        store.create(PODS, pod(number, nodes))
        store.clock.run_due()


def touch(store: Store, number: int) -> None:
    """One status write, as a kubelet makes it."""

    def report(old: Obj) -> Obj:
        return {**old, "status": {**old["status"], "phase": "Running", "message": f"beat {number}"}}

    store.modify(PODS, "default", f"app-{number:05d}", report, subresource="status")


async def timed(what: str, work: Callable[[], Awaitable[int]]) -> None:
    began = perf_counter()
    size = await work()
    say(what, perf_counter() - began, f"{size / 1e6:.1f} MB" if size > 10_000 else f"{size} B")


async def read(session: aiohttp.ClientSession, url: str, accept: str = "application/json") -> int:
    async with session.get(url, headers={"Accept": accept}) as response:
        return len(await response.read())


async def follow(session: aiohttp.ClientSession, url: str, count: int) -> None:
    async with session.get(url) as response:
        seen = 0
        async for line in response.content:
            json.loads(line)
            seen += 1
            if seen == count:
                return


async def fan_out(session: aiohttp.ClientSession, server: SandboxServer, changes: int) -> None:
    url = f"{server.url}/api/v1/pods?watch=1&resourceVersion={server.store.revision}"
    watchers = [asyncio.create_task(follow(session, url, changes)) for _ in range(WATCHERS)]
    await asyncio.sleep(0.3)
    began = perf_counter()
    for number in range(changes):
        touch(server.store, number)
        if number % 50 == 0:
            await asyncio.sleep(0)
    written_s = perf_counter() - began
    await asyncio.gather(*watchers)
    say(
        f"{changes} changes to {WATCHERS} watchers",
        perf_counter() - began,
        f"writing took {written_s * 1000:.0f} ms",
    )


async def main(nodes: int, pods: int) -> None:
    clock = SimClock()
    began = perf_counter()
    store = new_store(clock)
    say("empty store", perf_counter() - began)
    began = perf_counter()
    fill(store, nodes, pods)
    each_us = (perf_counter() - began) / (nodes + pods) * 1e6
    say(f"creating {nodes} nodes, {pods} pods", perf_counter() - began, f"{each_us:.0f} us each")
    gc.collect()
    sys.stdout.write(f"{'memory':42s} {memory_mb():10.0f} MB\n")
    connector = aiohttp.TCPConnector(limit=0)
    async with SandboxServer(store, clock) as server, aiohttp.ClientSession(connector=connector) as session:
        await measure(session, server, min(CHANGES, pods))
    sys.stdout.write(f"{'memory at the end (client included)':42s} {memory_mb():10.0f} MB\n")


async def measure(session: aiohttp.ClientSession, server: SandboxServer, changes: int) -> None:
    lists = f"{server.url}/api/v1/pods"
    await timed("all pods, first time", lambda: read(session, lists))
    await timed("all pods, again", lambda: read(session, lists))
    await timed("500 pods of them", lambda: read(session, f"{lists}?limit=500"))
    await timed("pods of one node", lambda: read(session, f"{lists}?fieldSelector=spec.nodeName%3Dnode-7"))
    await timed("pods by label", lambda: read(session, f"{lists}?labelSelector=app%3Dapp-7"))
    await timed("all pods as a table", lambda: read(session, lists, TABLE))
    await timed("one pod", lambda: read(session, f"{server.url}/api/v1/namespaces/default/pods/app-00007"))
    await fan_out(session, server, changes)


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    asyncio.run(main(*(numbers or [500, 10_000])))
