"""Request bodies as objects: JSON, YAML or protobuf in; bodies that do not belong here are refused."""

import json
from typing import Any

from sandbox.api import wire
from sandbox.api.call import Call
from sandbox.errors import BadRequest, UnsupportedMediaType
from sandbox.fields import Obj, meta
from sandbox.kinds import Kind

JSON, YAML = "application/json", "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
KNOWN = f"{JSON}, {YAML}, {PROTOBUF}"


def read_object(call: Call, body: bytes) -> Obj:
    """The object of a POST or PUT, with its namespace filled in; raises BadRequest when it is another's."""
    obj = parse(body, media_type(call), call.kind)
    check_type(call.kind, obj)
    return placed(call, obj)


def placed(call: Call, obj: Obj) -> Obj:
    """The object with name and namespace as the path says; raises BadRequest where they disagree."""
    data = dict(meta(obj))
    if call.namespace and data.get("namespace", call.namespace) != call.namespace:
        raise BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if call.name and data.get("name", call.name) != call.name:
        wrong = data.get("name")
        raise BadRequest(f"the name of the object ({wrong}) does not match the name on the URL ({call.name})")
    if call.namespace:
        data["namespace"] = call.namespace
    if call.name:
        data["name"] = call.name
    return {**obj, "metadata": data}


def parse(body: bytes, media: str, kind: Kind) -> Obj:
    """A JSON, YAML or protobuf object; raises BadRequest in the server's words when it is none."""
    if media == PROTOBUF:
        return wire.read(body)
    what = f"the object provided is unrecognized (must be of type {kind.kind}): couldn't get version/kind"
    value = load(body, media, what)
    if not isinstance(value, dict):
        raise BadRequest(f"{what}; json parse error: json: cannot unmarshal the body into an object")
    return value


def load(body: bytes, media: str, what: str) -> Any:
    """Whatever JSON or YAML value the body holds; `what` opens the text of the refusal."""
    try:
        return load_yaml(body) if media == YAML else json.loads(body)
    except ValueError as error:
        shown = body[:40].decode(errors="replace") if body else "<empty>"
        raise BadRequest(f"{what}; json parse error: {error} ({shown})") from error


def load_yaml(body: bytes) -> Any:
    """YAML as Kubernetes reads it: dates stay text. Raises ValueError."""
    import yaml

    from sandbox.yaml_loader import PlainLoader

    try:
        return PlainLoader(body).get_single_data()
    except yaml.YAMLError as error:
        raise ValueError(f"error converting YAML to JSON: {error}") from error


def media_type(call: Call) -> str:
    """JSON, YAML or protobuf; raises UnsupportedMediaType for the rest."""
    media = call.headers.get("Content-Type", JSON).split(";", 1)[0].strip() or JSON
    if media in (JSON, "application/octet-stream", "*/*"):
        return JSON
    if media in (YAML, PROTOBUF):
        return media
    raise UnsupportedMediaType(
        f"the body of the request was in an unknown format - accepted media types include: {KNOWN}"
    )


def check_type(kind: Kind, obj: Obj) -> None:
    """Raises BadRequest when apiVersion or kind are given and are not the path's."""
    version, name = obj.get("apiVersion") or kind.api_version, obj.get("kind") or kind.kind
    if (version, name) != (kind.api_version, kind.kind):
        short = version.rsplit("/", 1)[-1]
        raise BadRequest(
            f'{name} in version "{short}" cannot be handled as a {kind.kind}: no kind "{name}" is '
            f'registered for version "{version}" in scheme "pkg/api/legacyscheme/scheme.go:30"'
        )
    if not isinstance(obj.get("metadata", {}), dict):
        raise BadRequest(
            f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
            "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta"
        )
