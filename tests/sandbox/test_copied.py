"""A copy is served frozen, or lives on under the controllers."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from sandbox.cluster import Cluster
from sandbox.copied import open_copy
from sandbox.kinds import KINDS
from sandbox.kubelet.timings import Timings

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/web"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a running cluster looks like on disk."""
    cluster = Cluster(1, timings=Timings.brisk())
    cluster.apply(WEB)
    cluster.settle()
    for kind in KINDS:
        if kind.view_of is None and (found := cluster.store.list(kind)):
            body = {"apiVersion": kind.api_version, "kind": kind.list_kind, "items": found}
            (tmp_path / f"{kind.plural}.json").write_text(json.dumps(body))
    return tmp_path


async def scaled(url: str, *, expected: int) -> int:
    """Ask for three replicas; how many are ready once that many are, or after a while."""
    async with aiohttp.ClientSession() as http:
        headers = {"Content-Type": "application/merge-patch+json"}
        async with http.patch(url + DEPLOYMENT, data='{"spec":{"replicas":3}}', headers=headers) as answer:
            assert answer.status == 200
        ready = 0
        for _ in range(100):
            async with http.get(url + DEPLOYMENT) as answer:
                ready = (await answer.json())["status"].get("readyReplicas", 0)
            if ready == expected:
                break
            await asyncio.sleep(0.02)
        return int(ready)


async def test_a_live_copy_follows_what_is_asked_of_it(folder: Path) -> None:
    async with open_copy(folder, port=0, live=True, speed=20.0) as copied:
        assert await scaled(copied.url, expected=3) == 3


async def test_a_frozen_copy_stays_as_it_was(folder: Path) -> None:
    async with open_copy(folder, port=0, live=False, speed=20.0) as copied:
        assert await scaled(copied.url, expected=2) == 2
