"""Writes `schema.json`: the fields and types of every served kind, taken from the official client's models.

Run by hand when the client was updated: `python -m sandbox.api.schema_write`. The sandbox itself only
reads the file, so that it starts without the client.
"""

import json
import re
from pathlib import Path
from typing import Any, Protocol, cast

from sandbox.kinds import KINDS, Kind

SCHEMA = Path(__file__).with_name("schema.json")
NAMED_APART = {"Event": "CoreV1Event", "events.k8s.io/Event": "EventsV1Event"}
ALSO = {
    "autoscaling/v1/Scale": "V1Scale",
    "policy/v1/Eviction": "V1Eviction",
    "v1/Binding": "V1Binding",
    "DeleteOptions": "V1DeleteOptions",
}
SCALARS = {
    "str": "s",
    "int": "i",
    "float": "f",
    "bool": "b",
    "datetime": "t",
    "object": "*",
    "bytearray": "s",
    "bytes": "s",
}
INT_OR_STRING = frozenset({"maxSurge", "maxUnavailable", "minAvailable", "targetPort"})
QUANTITIES = frozenset(
    {
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "hard",
        "used",
        "default",
        "defaultRequest",
        "max",
        "min",
        "maxLimitRequestRatio",
        "sizeLimit",
        "divisor",
        "averageValue",
        "allocatedResources",
        "overhead",
    }
)
METRIC_VALUES = ("V2MetricTarget", "V2MetricValueStatus")


VALIDATED = frozenset({
    "V1DeploymentSpec", "V1ReplicaSetSpec", "V1StatefulSetSpec", "V1DaemonSetSpec", "V1PodSpec",
    "V1Container", "V1ContainerPort", "V1Volume", "V1VolumeMount", "V1EnvVar", "V1JobSpec", "V1CronJobSpec",
    "V1JobTemplateSpec", "V1StorageClass", "V1OwnerReference", "V1HTTPIngressPath",
    "V2HorizontalPodAutoscalerSpec", "V1HorizontalPodAutoscalerSpec", "V2CrossVersionObjectReference",
    "V1CrossVersionObjectReference", "V1MutatingWebhook", "V1ValidatingWebhook",
    "V1TopologySpreadConstraint", "V1PodAffinityTerm", "V1WeightedPodAffinityTerm", "V1NodeSelector",
    "V1PreferredSchedulingTerm", "V1HTTPGetAction", "V1TCPSocketAction", "V1CustomResourceDefinitionSpec",
    "V1CustomResourceDefinitionVersion", "V1RoleRef", "V1PriorityClass", "V1EndpointSlice",
    "V1ControllerRevision",
})  # fmt: skip
"""Types with rules of their own, or whose missing fields the server reads as zero or fills in."""


class Model(Protocol):
    """What the client's models tell about themselves."""

    openapi_types: dict[str, str]
    attribute_map: dict[str, str]
    model_fields: dict[str, "Declared"]


class Declared(Protocol):
    """A field as the model declares it."""

    def is_required(self) -> bool: ...


def main() -> None:
    from kubernetes.client import models

    types: dict[str, dict[str, str]] = {}
    roots = {f"{kind.api_version}/{kind.kind}": _model_of(kind) for kind in KINDS} | ALSO
    for name in roots.values():
        _collect(models, name, types)
    required = {name: fields for name in types if (fields := _required(models, name))}
    text = json.dumps(
        {"roots": roots, "types": types, "required": required}, separators=(",", ":"), sort_keys=True
    )
    SCHEMA.write_text(text + "\n", encoding="utf-8")


def _model_of(kind: Kind) -> str:
    path = f"{kind.group}/{kind.kind}" if kind.group else kind.kind
    return NAMED_APART.get(path, kind.version.upper() + kind.kind)


def _collect(models: Any, name: str, types: dict[str, dict[str, str]]) -> None:
    """Adds a model and all it refers to."""
    if name in types:
        return
    model = cast(Model, getattr(models, name))
    fields = types[name] = {}
    for attribute, declared in model.openapi_types.items():
        field = model.attribute_map.get(attribute, attribute)
        fields[field] = _code(name, field, declared)
    for code in list(fields.values()):
        inner = code.lstrip("[{")
        if inner.startswith("V") or inner[0].isupper():
            _collect(models, inner, types)


def _required(models: Any, name: str) -> list[str]:
    """Fields that every object of a type must have, unless validation has words of its own for them."""
    model = cast(Model, getattr(models, name))
    if name in VALIDATED:
        return []
    return [
        model.attribute_map.get(attribute, attribute)
        for attribute, declared in model.model_fields.items()
        if declared.is_required()
    ]


def _code(owner: str, field: str, declared: str) -> str:
    """A type in short: scalars one letter, `[` a list of, `{` a map of, else the name of another type."""
    if inner := re.fullmatch(r"[Ll]ist\[(.+)\]", declared):
        return "[" + _code(owner, field, inner[1])
    if inner := re.fullmatch(r"[Dd]ict[\[(]str, (.+)[\])]", declared):
        return "{" + _code(owner, field, inner[1])
    if (field in QUANTITIES and declared == "str") or (field == "value" and owner in METRIC_VALUES):
        return "q"
    if field in INT_OR_STRING or (field == "port" and declared in ("object", "IntOrString")):
        return "x"
    return SCALARS.get(declared, declared)


if __name__ == "__main__":
    main()
