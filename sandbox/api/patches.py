"""Patch bodies of all types, turned into functions from object to object."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.api.bodies import load, load_yaml
from sandbox.api.patch_json import PatchError, apply_operations, merge
from sandbox.api.patch_strategic import strategic
from sandbox.errors import ApiError, BadRequest, Cause, Invalid, ServerSays, UnsupportedMediaType
from sandbox.fields import Obj
from sandbox.kinds import Kind

APPLY = "application/apply-patch+yaml"
PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    APPLY,
)


def patcher(kind: Kind, media: str, body: bytes) -> Callable[[Obj], Obj]:
    patch = load(body, "application/json", "error decoding patch")
    if media == PATCHES[0]:
        if not isinstance(patch, list):
            raise BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
        return lambda obj: _operations(kind, obj, patch)
    if not isinstance(patch, dict):
        raise BadRequest("json: cannot unmarshal array into Go value of type map[string]interface {}")
    if media == PATCHES[1]:
        return lambda obj: _object(kind, obj, merge(obj, patch))
    if kind.custom:
        accepted = f"{PATCHES[0]}, {PATCHES[1]}, {APPLY}"
        raise UnsupportedMediaType(
            f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        )
    return lambda obj: _strategic(kind, obj, patch)


def _operations(kind: Kind, obj: Obj, patch: list[Obj]) -> Obj:
    try:
        return _object(kind, obj, apply_operations(obj, patch))
    except PatchError as error:
        raise PatchRefused from error


def _strategic(kind: Kind, obj: Obj, patch: Obj) -> Obj:
    for field in ("metadata", "spec", "status"):
        if not isinstance(patch.get(field, {}), dict | None):
            raise unfit(patch, f"cannot restore struct from: {_go_type(patch[field])}")
    try:
        return strategic(kind.kind, obj, patch)
    except PatchError as error:
        raise ServerSays(str(error)) from error


class PatchRefused(ApiError):
    """A JSON patch whose test or path fails; the server does not say which."""

    code, reason = 422, "Invalid"

    def __init__(self) -> None:
        super().__init__("the server rejected our request due to an error in our request", {})


def unfit(patch: Obj, why: str) -> Invalid:
    kind = Kind(group="", version="", kind="", plural="")
    cause = Cause("patch", f"Invalid value: {json.dumps(json.dumps(patch))}: {why}")
    return Invalid.because(kind, "", [cause])


def _go_type(value: Any) -> str:
    return {str: "string", int: "int64", list: "slice", bool: "bool"}.get(type(value), "value")


def _object(kind: Kind, old: Obj, new: Any) -> Obj:
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise BadRequest(f"a patch must leave a {kind.kind} with metadata")
    return {**new, "apiVersion": old["apiVersion"], "kind": old["kind"]}


def yaml_object(body: bytes) -> Obj:
    try:
        value = load_yaml(body)
    except ValueError as error:
        raise BadRequest(f"error decoding YAML: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("error decoding YAML: the applied configuration must be an object")
    return value
