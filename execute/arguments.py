"""The arguments each action takes, typed and strict. An action that is not listed here does not exist."""

from collections.abc import Mapping
from typing import Annotated

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


ARGUMENTS: Mapping[str, type[Arguments]] = {
    "restart_workload": NoArguments,
    "rollback_workload": Rollback,
    "scale_workload": Scale,
    "set_image": Image,
    "set_resources": Resources,
    "delete_pod": NoArguments,
    "cordon_node": NoArguments,
    "uncordon_node": NoArguments,
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
    return {**_place(action), **arguments.model_dump(exclude_none=True), "key": action.key}


def _place(action: Action) -> dict[str, object]:
    target = action.target
    if target.kind == "Node":
        return {"node": target.name}
    if target.kind == "Pod":
        return {"namespace": target.namespace, "name": target.name}
    return {"namespace": target.namespace, "kind": target.kind, "name": target.name}
