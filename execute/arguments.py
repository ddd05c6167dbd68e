"""The arguments each action takes, typed and strict. An action that is not listed here does not exist."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.decision import Action
from domain.errors import BadInput
from utils.quantity import UNLIMITED, parse_quantity


def _quantity(text: str) -> str:
    if text != UNLIMITED:
        try:
            parse_quantity(text)
        except BadInput as error:
            raise ValueError(str(error)) from error
    return text


Quantity = Annotated[str, AfterValidator(_quantity)]


class Arguments(BaseModel):
    """What an action takes besides its target; anything else is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoArguments(Arguments):
    """The target says it all."""


class Rollback(Arguments):
    """To which revision; the one before when not said."""

    to_revision: int | None = Field(default=None, ge=1)


class Scale(Arguments):
    """How many copies."""

    replicas: int = Field(ge=0)


class Image(Arguments):
    """Which image for which container; the container may be left out where there is only one."""

    container: str = ""
    image: str = Field(min_length=1)


class Resources(Arguments):
    """Kubernetes quantities for one container, or `none` to remove one; what is not named stays."""

    container: str = ""
    memory_limit: Quantity | None = None
    memory_request: Quantity | None = None
    cpu_limit: Quantity | None = None
    cpu_request: Quantity | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Resources":
        if not any((self.memory_limit, self.memory_request, self.cpu_limit, self.cpu_request)):
            raise ValueError("name at least one of memory_limit, memory_request, cpu_limit, cpu_request")
        return self


class Variable(Arguments):
    """One environment variable of one container; no value removes it."""

    container: str = ""
    variable: str = Field(min_length=1)
    value: str | None


class ConfigKey(Arguments):
    """One key of a ConfigMap; no value removes it."""

    config_key: str = Field(min_length=1)
    value: str | None


class Operation(Arguments):
    """One operation of a JSON patch."""

    op: Literal["add", "replace", "remove", "test"]
    path: str = Field(pattern="^/")
    value: object = None


class Patch(Arguments):
    """What to change within an object; the tool has the list of kinds and paths that may be."""

    patch: tuple[Operation, ...] = Field(min_length=1, max_length=20)


class Manifest(Arguments):
    """An object in full."""

    manifest: dict[str, object] = Field(min_length=1)


class Deletion(Arguments):
    """Which object of that name, where it was seen."""

    uid: str = ""


class Drain(Arguments):
    """How long to wait, and whether data in emptyDirs may go."""

    within_s: int = Field(default=8, ge=1, le=9)  # the answer must come before the call's time is up
    empty_dirs: bool = False


class Taints(Arguments):
    """Taints as `key=value:Effect`."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "Taints":
        if not (self.add or self.remove):
            raise ValueError("name taints to add or to remove")
        return self


class Suspension(Arguments):
    """Whether runs are started."""

    suspended: bool = True


class Size(Arguments):
    """How large a claim shall be."""

    size: Quantity


class Bounds(Arguments):
    """How few and how many copies an autoscaler may choose; what is not named stays."""

    min_replicas: int | None = Field(default=None, ge=1)
    max_replicas: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _says_something(self) -> "Bounds":
        if self.min_replicas is None and self.max_replicas is None:
            raise ValueError("name min_replicas, max_replicas or both")
        return self


ARGUMENTS: Mapping[str, type[Arguments]] = {
    "restart_workload": NoArguments,
    "rollback_workload": Rollback,
    "scale_workload": Scale,
    "set_image": Image,
    "set_resources": Resources,
    "delete_pod": NoArguments,
    "cordon_node": NoArguments,
    "uncordon_node": NoArguments,
    "set_env": Variable,
    "set_config_key": ConfigKey,
    "patch_resource": Patch,
    "create_resource": Manifest,
    "delete_resource": Deletion,
    "restore_object": Manifest,
    "drain_node": Drain,
    "set_taints": Taints,
    "delete_job": Deletion,
    "suspend_cronjob": Suspension,
    "expand_volume_claim": Size,
    "set_autoscaler_bounds": Bounds,
}

# Actions whose tool is about one kind alone: it takes the name without the kind.
KIND_OF: Mapping[str, str] = {
    "delete_pod": "Pod",
    "cordon_node": "Node",
    "uncordon_node": "Node",
    "drain_node": "Node",
    "set_taints": "Node",
    "set_config_key": "ConfigMap",
    "delete_job": "Job",
    "suspend_cronjob": "CronJob",
    "expand_volume_claim": "PersistentVolumeClaim",
    "set_autoscaler_bounds": "HorizontalPodAutoscaler",
}


def checked(action: Action) -> dict[str, object]:
    """The tool's arguments, target included. Raises BadInput naming what is wrong with them."""
    shape = ARGUMENTS.get(action.tool)
    if shape is None:
        raise BadInput(f"{action.tool} is not an action; known are {', '.join(ARGUMENTS)}", field="tool")
    try:
        arguments = shape.model_validate(dict(action.arguments))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "arguments"
        raise BadInput(f"{action.tool}: {place}: {first['msg']}", field=place) from error
    return {**_place(action), **_said(arguments), "key": action.key}


def _said(arguments: Arguments) -> dict[str, object]:
    """What was said, and what has to be: a value that is None removes something."""
    given = arguments.model_dump(mode="json")
    needed = {name for name, field in type(arguments).model_fields.items() if field.is_required()}
    return {name: value for name, value in given.items() if value is not None or name in needed}


def _place(action: Action) -> dict[str, object]:
    target, kind = action.target, KIND_OF.get(action.tool)
    if kind not in (None, target.kind):
        raise BadInput(f"{action.tool} is about a {kind}, not about {target}", field="target")
    if kind == "Node":
        return {"node": target.name}
    if kind is not None:
        return {"namespace": target.namespace, "name": target.name}
    return {"namespace": target.namespace, "kind": target.kind, "name": target.name}
