"""A drill's YAML file: what is there, what breaks, which alert comes of it. It plays; it scores nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import BadInput
from sandbox.api.patch_strategic import strategic
from sandbox.cluster import Cluster
from sandbox.kinds import Kind, kind_of
from sandbox.rollouts import is_complete

SETTLE_S = 300.0  # cluster time that a healthy start may take


class Strict(BaseModel):
    """A part of a scenario; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ObjectRef(Strict):
    """One object by kind and name."""

    kind: str
    name: str
    namespace: str = ""


class PatchStep(ObjectRef):
    """A strategic merge patch for one object."""

    patch: dict[str, Any]


class NodeStep(Strict):
    """A fault of a node, as the annotation `sandbox/fault` names it; empty heals it."""

    name: str
    fault: str


class LoadStep(Strict):
    """From now on a Service gets `factor` times its usual requests from outside; 1 heals it."""

    service: str
    namespace: str = "default"
    factor: float = Field(ge=0)


class Step(Strict):
    """One thing that happens; exactly one of the keys is given."""

    apply: str | None = None
    patch: PatchStep | None = None
    delete: ObjectRef | None = None
    node: NodeStep | None = None
    load: LoadStep | None = None
    wait_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> "Step":
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one of apply, patch, delete, node, load, wait_s")
        return self


class AlertSpec(Strict):
    """The alert that is sent: by its labels, as a webhook body, or whatever the sandbox's rules fire."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] = Field(default_factory=dict)
    payload: dict[str, Any] | None = None
    rules: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "AlertSpec":
        if len({"labels", "payload", "rules"} & self.model_fields_set) != 1:
            raise ValueError("give exactly one of labels, payload, rules: true")
        return self


class Check(ObjectRef):
    """A value that an object must have in the end; `path` is dotted."""

    path: str
    equals: Any


class Expect(Strict):
    """What a good agent does about it."""

    cause: list[str] = Field(default_factory=list)
    target: str | list[str] = ""
    outcome: str = ""
    actions: list[str] | None = None
    never: list[str] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    untouched: list[str] = Field(default_factory=list)
    max_steps: int | None = None


class Scenario(Strict):
    """The whole file."""

    name: str
    title: str
    fault: str
    given: str
    inject: list[Step] = Field(default_factory=list)
    alert: AlertSpec
    expect: Expect = Expect()


def load_scenario(path: Path) -> Scenario:
    """Read one file. Raises BadInput naming the file and the place."""
    try:
        return Scenario.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; name a scenario file", field="scenario") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path} is not YAML: {error}", field="scenario") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"{path}: {place}: {first['msg']}", field=place) from error


def prepare(cluster: Cluster, scenario: Scenario) -> None:
    """Bring the cluster into the state before the fault, in virtual time.

    A cluster at rest may only be waiting for a probe's first look, so it goes on until every workload has
    what it wants; one that never has it is given up after `SETTLE_S`.
    """
    cluster.apply(scenario.given)
    end = cluster.clock.time() + SETTLE_S
    while (left_s := end - cluster.clock.time()) > 0:
        if cluster.settle(left_s) and is_complete(cluster.store):
            return


def inject(cluster: Cluster, scenario: Scenario) -> None:
    """Let everything happen that the scenario tells, in virtual time."""
    for step in scenario.inject:
        play(cluster, step)


def value_at(cluster: Cluster, ref: ObjectRef, path: str) -> object:
    """What an object has at a dotted path; None where there is nothing."""
    found: Any = cluster.store.find(kind_of(ref.kind), _namespace(kind_of(ref.kind), ref), ref.name)
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def play(cluster: Cluster, step: Step) -> None:
    """Let one thing happen, in virtual time."""
    if step.apply is not None:
        cluster.apply(step.apply)
    elif step.patch is not None:
        _patch(cluster, step.patch, step.patch.patch)
    elif step.delete is not None:
        kind = kind_of(step.delete.kind)
        cluster.store.delete(kind, _namespace(kind, step.delete), step.delete.name)
    elif step.node is not None:
        ref = ObjectRef(kind="Node", name=step.node.name)
        fault = step.node.fault or None
        _patch(cluster, ref, {"metadata": {"annotations": {"sandbox/fault": fault}}})
    elif step.load is not None:
        cluster.traffic.multiply(step.load.namespace, step.load.service, step.load.factor)
    elif step.wait_s is not None:
        cluster.advance(step.wait_s)


def _patch(cluster: Cluster, ref: ObjectRef, patch: dict[str, Any]) -> None:
    kind = kind_of(ref.kind)
    cluster.store.modify(
        kind, _namespace(kind, ref), ref.name, lambda found: strategic(kind.kind, found, patch)
    )


def _namespace(kind: Kind, ref: ObjectRef) -> str | None:
    return (ref.namespace or "default") if kind.namespaced else None
