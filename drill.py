"""One drill: a scenario through the real service, in the cluster's own time, and its score."""

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
import structlog

from app import Place, Service, open_place, open_service, sandbox_alerts
from domain.faults import FAMILY_OF
from domain.incident import Incident
from sandbox.embedded import Embedded
from sandbox.scenario import Scenario
from sandbox.scoring import Specs, checks_hold, claims, diagnosed, harm, outcome_of, specs
from utils.settings import FilesSection, SandboxSection, ServerSection, Settings, VerifySection

AnalystName = Literal["rules", "llm", "restart-only", "noop"]

LATER_S = 600.0  # a fix has to hold for so much of the cluster's time
PATIENCE_S = 60.0  # real seconds for one drill; a healthy one takes less than one
LOOK_S = 0.005
RULES_LOOK_S, RULES_LOOKS_COUNT = 15.0, 120  # half an hour of cluster time for a rule to fire
SILENT = 50  # critical only: the score tells the rest
WATCH = VerifySection(poll_s=5.0, settle_s=30.0, deadline_s=240.0)  # of the cluster's time
LLM_VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One drill's result. `mitigated` is None where there was nothing to mend."""

    name: str
    family: str
    fault: str
    diagnosed: bool
    mitigated: bool | None
    safe: bool
    outcome: str
    outcome_right: bool
    cause: str
    target: str
    actions: tuple[str, ...]
    steps: int
    cpu_s: float
    tokens: int
    remarks: tuple[str, ...] = ()


def run_drill(file: Path, analyst: AnalystName) -> Score:
    """Run one scenario in this process. Raises BadInput for a file that is no scenario."""
    with _silence(), tempfile.TemporaryDirectory(prefix="drill-") as folder:
        return asyncio.run(_drill(_settings(Path(folder), analyst), file))


@contextmanager
def _silence() -> Iterator[None]:
    """No log lines inside; afterwards as before, for whoever else logs in this process."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    try:
        yield
    finally:
        structlog.configure(**before)


def broken_drill(file: Path, reason: str) -> Score:
    """The score of a scenario that could not be run at all: nothing of it was right."""
    return Score(
        name=file.stem, family="", fault="", diagnosed=False, mitigated=False, safe=False, outcome="broken",
        outcome_right=False, cause="", target="", actions=(), steps=0, cpu_s=0.0, tokens=0, remarks=(reason,),
    )  # fmt: skip


def _settings(folder: Path, analyst: AnalystName) -> Settings:
    given = {name: os.environ[name] for name in LLM_VARIABLES if analyst == "llm" and name in os.environ}
    return Settings(
        server=ServerSection(port=0, stop_s=3.0),
        sandbox=SandboxSection(speed=0.0, verify=WATCH, observed=analyst == "llm"),
        files=FilesSection(journal=folder / "journal.db", reports=folder / "reports"),
        analyst=analyst,
        **given,  # type: ignore[arg-type]  # under the names that the environment uses
    )


async def _drill(settings: Settings, file: Path) -> Score:
    began_s = time.process_time()
    async with open_place(settings, sandbox=True, scenario=str(file)) as place:
        embedded, scenario = place.embedded, place.scenario
        assert embedded is not None and scenario is not None, "a sandbox opened with a scenario has both"
        before = specs(embedded.cluster)
        async with open_service(settings, place) as service:
            await _alert(settings, service, place)
            in_time = await finished(service, within_s=PATIENCE_S)
            rows = await service.journal.incidents()
            incidents = [await service.journal.load(row.id) for row in rows]
        return _score(scenario, embedded, before, incidents, began_s=began_s, in_time=in_time)


async def _alert(settings: Settings, service: Service, place: Place) -> None:
    """Send the scenario's alert, or let the sandbox's rules find something to tell."""
    if place.alert:
        await send(service, place)
        return
    async with sandbox_alerts(settings, place, service):
        for _ in range(RULES_LOOKS_COUNT):
            if await service.journal.incidents(limit=1):
                return
            await place.clock.sleep(RULES_LOOK_S)
            await asyncio.sleep(LOOK_S)  # the posted body needs a moment of real time


async def send(service: Service, place: Place) -> None:
    """Post the alert of the place's scenario."""
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/webhook", data=place.alert, headers=headers) as answer,
    ):
        answer.raise_for_status()


async def finished(service: Service, *, within_s: float) -> bool:
    """Wait until nothing is left to do, or to a person; False when that takes too long."""
    journal = service.journal
    try:
        async with asyncio.timeout(within_s):
            while await journal.unhandled_deliveries(limit=1) or await journal.unfinished():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return False
    return True


def _score(
    scenario: Scenario,
    embedded: Embedded,
    before: Specs,
    incidents: Sequence[Incident],
    *,
    began_s: float,
    in_time: bool,
) -> Score:
    cluster, expect = embedded.cluster, scenario.expect
    touched = [write.target for write in embedded.audit.writes]
    held = checks_hold(cluster, expect)
    cluster.advance(LATER_S)
    said = claims(incidents)
    outcome = outcome_of(incidents)
    steps = sum(incident.used.steps_count for incident in incidents)
    remarks = harm(scenario, before, specs(cluster), touched, incidents)
    late = [] if in_time else [f"not finished after {PATIENCE_S:g} s"]
    if expect.max_steps is not None and steps > expect.max_steps:
        late.append(f"{steps} steps, {expect.max_steps} are enough")
    return Score(
        name=scenario.name,
        family=FAMILY_OF.get(scenario.fault, scenario.fault),
        fault=scenario.fault,
        diagnosed=diagnosed(expect, said),
        mitigated=(held and checks_hold(cluster, expect)) if expect.outcome == "resolved" else None,
        safe=not remarks,
        outcome=outcome,
        outcome_right=expect.outcome in ("", outcome),
        cause=", ".join(cause for cause, _ in said),
        target=", ".join(str(target) for _, target in said),
        actions=tuple(a.action.tool for i in incidents for a in i.attempts if a.applied),
        steps=steps,
        cpu_s=round(time.process_time() - began_s, 3),
        tokens=sum(incident.used.tokens_count for incident in incidents),
        remarks=(*remarks, *late),
    )
