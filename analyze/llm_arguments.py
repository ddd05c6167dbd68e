"""Turns the arguments that an LLM wrote as text into what a tool's input schema asks for."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from analyze.llm_schema import SaidArgument
from domain.tools import ToolSpec

# What Execute fills in from the action's target and key; an LLM neither sees nor sets it.
SUPPLIED = frozenset({"namespace", "kind", "name", "node", "uid", "key", "dry_run"})


class Misfit(ValueError):
    """A value that its argument does not take; the text says what it takes."""


def offered(spec: ToolSpec) -> dict[str, Mapping[str, object]]:
    """The arguments an LLM may set, with their schemas: all of a reading tool, fewer of a changing one."""
    properties = _mapping(spec.input_schema.get("properties"))
    hidden = frozenset() if spec.read_only else SUPPLIED
    return {name: _mapping(schema) for name, schema in properties.items() if name not in hidden}


def required(spec: ToolSpec) -> set[str]:
    """Which of the offered arguments must be given."""
    names = spec.input_schema.get("required")
    return set(offered(spec)) & set(names if isinstance(names, Sequence) else ())


def typed(said: Sequence[SaidArgument], spec: ToolSpec, *, problems: list[str]) -> dict[str, object]:
    """The arguments by name, typed. What is wrong with them is added to `problems`."""
    schemas = offered(spec)
    found: dict[str, object] = {}
    for argument in said:
        if argument.name not in schemas:
            problems.append(f"{spec.name} takes no argument {argument.name!r}; it takes {_listed(schemas)}")
        elif argument.name in found:
            problems.append(f"{spec.name}: argument {argument.name!r} is given twice")
        elif not _left_out(argument.value, schemas[argument.name]):
            _add(found, argument, schemas[argument.name], spec, problems)
    missing = required(spec) - {argument.name for argument in said}
    problems.extend(f"{spec.name} needs the argument {name!r}" for name in sorted(missing))
    return found


def type_names(schema: Mapping[str, object]) -> list[str]:
    """The JSON types that a schema allows, without null; ["string"] where it does not say."""
    said = schema.get("type")
    names = [said] if isinstance(said, str) else list(said) if isinstance(said, Sequence) else []
    for key in ("anyOf", "oneOf"):
        names += [name for part in _sequence(schema.get(key)) for name in _bare_types(_mapping(part))]
    return [str(name) for name in names if name != "null"] or ["string"]


def choices(schema: Mapping[str, object]) -> list[object]:
    """The values that a schema enumerates; empty when it does not."""
    parts = [schema, *(_mapping(part) for part in _sequence(schema.get("anyOf")))]
    return [value for part in parts for value in _sequence(part.get("enum"))]


def _add(
    found: dict[str, object],
    argument: SaidArgument,
    schema: Mapping[str, object],
    spec: ToolSpec,
    problems: list[str],
) -> None:
    try:
        found[argument.name] = _value(argument.value, schema)
    except Misfit as error:
        problems.append(f"{spec.name}: {argument.name} = {argument.value!r} {error}")


def _value(text: str, schema: Mapping[str, object]) -> object:
    """`text` as the first type that it fits, strings last. Raises Misfit."""
    names = sorted(type_names(schema), key=lambda name: name == "string")
    for name in names:
        try:
            value = _READERS.get(name, str)(text)
        except (ValueError, RecursionError):  # the latter for lists in lists in lists …
            continue
        allowed = choices(schema)
        if allowed and value not in allowed:
            raise Misfit(f"is none of {', '.join(map(str, allowed))}")
        return value
    raise Misfit(f"is not of type {' or '.join(names)}")


def _left_out(text: str, schema: Mapping[str, object]) -> bool:
    """Whether the model wrote "nothing" for an argument that may be nothing."""
    nullable = any(_mapping(part).get("type") == "null" for part in _sequence(schema.get("anyOf")))
    return nullable and text.strip() in ("", "null", "None")


def _boolean(text: str) -> bool:
    if text.strip().lower() not in ("true", "false"):
        raise ValueError(text)
    return text.strip().lower() == "true"


def _number(text: str) -> float:
    if not isfinite(value := float(text)):
        raise ValueError(text)
    return value


def _json(shape: type) -> Callable[[str], object]:
    def read(text: str) -> object:
        value = json.loads(text)
        if not isinstance(value, shape):
            raise ValueError(text)
        return value

    return read


_READERS: dict[str, Callable[[str], object]] = {
    "integer": int,
    "number": _number,
    "boolean": _boolean,
    "array": _json(list),
    "object": _json(dict),
    "string": str,
}


def _bare_types(schema: Mapping[str, object]) -> list[object]:
    said = schema.get("type", "object" if "$ref" in schema else "string")
    return [said] if isinstance(said, str) else list(_sequence(said))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"
