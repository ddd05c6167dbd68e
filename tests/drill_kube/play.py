"""Plays scenarios on a real control plane through kubectl, and holds what came of them against the sandbox.

Run by `make drill-kube`, which starts a control plane first. Ends with 1 when outcomes differ.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from app import Place, open_service, scenario_file
from domain.incident import Incident
from drill import finished, run_drill, send
from sandbox.embedded import alert_body
from sandbox.scenario import ObjectRef, Scenario, Step, load_scenario
from sandbox.scoring import outcome_of
from utils.settings import FilesSection, ServerSection, Settings, VerifySection
from utils.timing import SystemClock

# Ten that the stand-in kubelets of a real control plane can play: no probes, no init containers.
NAMES = (
    "bad-image",
    "crash-after-rollout",
    "memory-limit-too-low",
    "scaled-to-zero",
    "nodes-cordoned",
    "unknown-crash",
    "pod-quota-used-up",
    "asks-for-more-memory-than-a-node-has",
    "cpu-quota-used-up",
    "host-port-already-taken",
)
WATCH = VerifySection(poll_s=1.0, settle_s=8.0, deadline_s=120.0)
SETTLE_S = 60.0
LONGEST_WAIT_S = 25.0  # a scenario's waits are cluster time; the stand-in kubelets need no more than this
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of one scenario."""

    outcome: str
    actions: tuple[str, ...]
    mended: bool


def kubectl(kubeconfig: str, *arguments: str, stdin: str = "") -> str:
    """Run kubectl and return what it printed; its error ends the run."""
    command = ["kubectl", "--kubeconfig", kubeconfig, *arguments]
    ended = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    if ended.returncode:
        raise SystemExit(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


class RealCluster:
    """The few things that a scenario does, done with kubectl."""

    def __init__(self, kubeconfig: str) -> None:
        self.kubeconfig = kubeconfig

    @contextmanager
    def holding(self, scenario: Scenario) -> Iterator[None]:
        """The scenario's objects while the block runs; afterwards the cluster is empty and well again."""
        kubectl(self.kubeconfig, "apply", "--validate=false", "-f", "-", stdin=scenario.given)
        try:
            self._settle()
            for step in scenario.inject:
                self._play(step)
            yield
        finally:
            for doc in yaml.safe_load_all(scenario.given):
                if doc and doc["kind"] == "Namespace":
                    kubectl(self.kubeconfig, "delete", "namespace", doc["metadata"]["name"], "--wait=true")
            for node in kubectl(self.kubeconfig, "get", "nodes", "-o", "name").split():
                kubectl(self.kubeconfig, "uncordon", node)

    def value(self, ref: ObjectRef, path: str) -> Any:
        """What an object has at a dotted path; None where there is nothing."""
        found = json.loads(kubectl(self.kubeconfig, "get", *self._name(ref), "-o", "json"))
        return reduce(
            lambda part, key: part.get(key) if isinstance(part, dict) else None, path.split("."), found
        )

    def _settle(self) -> None:
        end_s = time.monotonic() + SETTLE_S
        while time.monotonic() < end_s:
            listed = json.loads(kubectl(self.kubeconfig, "get", "deployments", "-A", "-o", "json"))["items"]
            if all(d["status"].get("readyReplicas", 0) == d["spec"]["replicas"] for d in listed):
                return
            time.sleep(0.5)

    def _play(self, step: Step) -> None:
        if step.patch is not None:
            patch = json.dumps(step.patch.patch)
            kubectl(self.kubeconfig, "patch", *self._name(step.patch), "--type", "strategic", "-p", patch)
        elif step.apply is not None:
            kubectl(self.kubeconfig, "apply", "--validate=false", "-f", "-", stdin=step.apply)
        elif step.delete is not None:
            kubectl(self.kubeconfig, "delete", *self._name(step.delete))
        elif step.wait_s is not None:
            time.sleep(min(step.wait_s, LONGEST_WAIT_S))
        else:
            raise SystemExit(f"this step cannot be played with kubectl: {step}")

    @staticmethod
    def _name(ref: ObjectRef) -> list[str]:
        return [*(["-n", ref.namespace] if ref.namespace else []), ref.kind.lower(), ref.name]


async def really(cluster: RealCluster, scenario: Scenario, folder: Path) -> Ended:
    """The service on the real control plane, with the alert of the scenario."""
    settings = Settings(
        server=ServerSection(port=0, stop_s=3.0),
        files=FilesSection(journal=folder / "journal.db", reports=folder / "reports"),
        analyst="rules",
    )
    alert = alert_body(scenario, at=SystemClock().now())
    place = Place(
        kind="sandbox", title="a control plane for tests", kubeconfig=cluster.kubeconfig, context="",
        verify=WATCH, alert=alert,
    )  # fmt: skip
    async with open_service(settings, place) as service:
        await send(service, place)
        await finished(service, within_s=PATIENCE_S)
        rows = await service.journal.incidents()
        incidents = [await service.journal.load(row.id) for row in rows]
    return Ended(outcome_of(incidents), _actions(incidents), _mended(cluster, scenario))


def _actions(incidents: list[Incident]) -> tuple[str, ...]:
    return tuple(a.action.tool for incident in incidents for a in incident.attempts if a.applied)


def _mended(cluster: RealCluster, scenario: Scenario) -> bool:
    return all(cluster.value(check, check.path) == check.equals for check in scenario.expect.checks)


def simulated(file: Path) -> Ended:
    """The same scenario in the sandbox."""
    score = run_drill(file, "rules")
    return Ended(score.outcome, score.actions, score.mitigated is not False)


def main(kubeconfig: str, names: Sequence[str]) -> int:
    """Play all, print both results, and return how many differ."""
    differing_count = 0
    for name in names:
        file = scenario_file(name)
        scenario, cluster = load_scenario(file), RealCluster(kubeconfig)
        began_s = time.monotonic()
        with cluster.holding(scenario), tempfile.TemporaryDirectory() as folder:
            real = asyncio.run(really(cluster, scenario, Path(folder)))
        sandbox = simulated(file)
        same = "same" if real == sandbox else "DIFFERENT"
        differing_count += real != sandbox
        took_s = time.monotonic() - began_s
        print(f"{name:28} {same:10} real: {real}  sandbox: {sandbox}  {took_s:.0f} s", flush=True)  # noqa: T201
    print(f"{len(names) - differing_count} passed, {differing_count} failed")  # noqa: T201
    return differing_count


if __name__ == "__main__":
    sys.exit(1 if main(os.environ["KUBE_CONTRACT_KUBECONFIG"], sys.argv[1:] or NAMES) else 0)
