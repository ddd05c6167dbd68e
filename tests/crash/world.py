"""A cluster with something broken in it, a recording proxy before it, and the service's working directory."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Container, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import aiohttp
import yaml

from domain.alert import Alert
from domain.incident import Incident
from journal.port import IncidentSummary
from journal.sqlite import SqliteJournal
from sandbox.embedded import Embedded, alert_body, open_embedded
from sandbox.kinds import kind_of
from sandbox.scenario import Scenario
from tests.crash.child import Child, serving
from tests.crash.proxy import RecordingProxy
from utils.settings import HOME
from utils.timing import SystemClock

SPEED = 20.0  # cluster seconds in a second: a rollout ends within one
PATIENCE_S = 15.0
LOOK_S = 0.05

STOP_S = 2.5  # shorter than the default, because every test of stopping waits for it

CONFIG = f"""\
server: {{stop_s: {STOP_S}}}
verify: {{poll_s: 0.1, settle_s: 0.3, deadline_s: 20}}
files: {{journal: journal.db, reports: reports, policy: policy.yaml}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a test of the whole service holds in its hands. The journal is read as another process would."""

    folder: Path
    scenario: Scenario
    embedded: Embedded
    proxy: RecordingProxy
    kubeconfig: Path
    broken_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def serve(self) -> AbstractAsyncContextManager[Child]:
        """Start the service on this world's cluster and journal."""
        return serving(self.folder, "--kubeconfig", str(self.kubeconfig))

    async def send(self, child: Child, body: bytes | None = None) -> None:
        """Post a webhook body, the scenario's alert unless given, and see it taken in."""
        body = alert_body(self.scenario, at=self.broken_at) if body is None else body
        headers = {"Content-Type": "application/json"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{child.url}/webhook", data=body) as answer,
        ):
            assert answer.status == 200, await answer.text()

    async def incidents(self) -> list[IncidentSummary]:
        """All of them, oldest first; none while there is no journal."""
        if not self._journal_path.exists():
            return []
        async with SqliteJournal(self._journal_path, clock=SystemClock()) as journal:
            return list(reversed(await journal.incidents(limit=100)))

    async def opened_since(self, known: Container[str]) -> str:
        """The id of the first incident that is not among the known ones."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for row in await self.incidents():
                if row.id not in known:
                    return row.id
            await asyncio.sleep(LOOK_S)
        raise AssertionError("no incident was opened")

    async def load(self, incident_id: str) -> Incident:
        """One incident as it is on disk."""
        async with SqliteJournal(self._journal_path, clock=SystemClock()) as journal:
            return await journal.load(incident_id)

    async def the_incident(self) -> Incident:
        """The only one."""
        (only,) = await self.incidents()
        return await self.load(only.id)

    async def alerts(self) -> list[Alert]:
        """All that was filed under the only incident, in the order it came."""
        (only,) = await self.incidents()
        async with SqliteJournal(self._journal_path, clock=SystemClock()) as journal:
            return await journal.alerts_of(only.id)

    async def filed(self, count: int) -> None:
        """Return once so many alerts are filed under the only incident."""
        deadline_s = time.monotonic() + PATIENCE_S
        while len(await self.alerts()) < count:
            assert time.monotonic() < deadline_s, self.log()
            await asyncio.sleep(LOOK_S)

    def resolved(self) -> bytes:
        """The webhook body that ends the scenario's alert."""
        body = json.loads(alert_body(self.scenario, at=self.broken_at))
        body["status"] = body["alerts"][0]["status"] = "resolved"
        body["alerts"][0]["endsAt"] = "2100-01-01T00:00:00Z"
        return json.dumps(body).encode()

    async def until(self, holds: Callable[[Incident], bool], incident_id: str = "") -> Incident:
        """Look into the journal until it holds for that incident, the only one unless named."""
        found: Incident | None = None
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            found = await self._find(incident_id)
            if found is not None and holds(found):
                return found
            await asyncio.sleep(LOOK_S)
        raise AssertionError(f"it never came true; last seen: {told(found)}\n{self.log()}")

    def log(self) -> str:
        """What all services and commands of this world wrote to standard error."""
        return (self.folder / "service.log").read_text(encoding="utf-8")

    async def _find(self, incident_id: str) -> Incident | None:
        rows = await self.incidents()
        return await self.load(incident_id or rows[0].id) if rows else None

    def annotations(self, deployment: str) -> Mapping[str, str]:
        """The annotations that the deployment has in the cluster now."""
        found = self.embedded.cluster.store.get(kind_of("Deployment"), "shop", deployment)
        return dict(found["metadata"]["annotations"])

    @property
    def _journal_path(self) -> Path:
        return self.folder / "journal.db"


def told(incident: Incident | None) -> str:
    """An incident's state and timeline, for a person who reads a failed test."""
    if incident is None:
        return "no incident"
    lines = [f"{entry.seq} {entry.station}: {entry.event}: {entry.text}" for entry in incident.timeline]
    return "\n".join([f"{incident.id} {incident.state} {incident.resolution} at {incident.next!r}", *lines])


@asynccontextmanager
async def open_world(
    folder: Path, scenario: Scenario, *, mode: Literal["auto", "approve"]
) -> AsyncIterator[World]:
    """The scenario has happened; the policy's answer to changes on a cluster is `mode`."""
    write_settings(folder, mode=mode)
    async with (
        open_embedded(
            folder / "sandbox.kubeconfig", nodes_count=3, speed=SPEED, scenario=scenario, observed=False
        ) as embedded,
        RecordingProxy(embedded.url) as proxy,
    ):
        kubeconfig = proxy.write_kubeconfig(folder / "kubeconfig")
        yield World(folder=folder, scenario=scenario, embedded=embedded, proxy=proxy, kubeconfig=kubeconfig)


def write_settings(folder: Path, *, mode: Literal["auto", "approve"]) -> None:
    """config.yaml with short verification, and the shipped policy with another default for clusters."""
    folder.joinpath("config.yaml").write_text(CONFIG, encoding="utf-8")
    policy = yaml.safe_load((HOME / "policy.yaml").read_text(encoding="utf-8"))
    policy["defaults"]["cluster"] = mode
    folder.joinpath("policy.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
