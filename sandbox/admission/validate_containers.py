"""What a container may not be: image, ports, variables, mounts, resources, probes."""

import re
from typing import Any

from sandbox.admission.causes import Causes
from sandbox.admission.defaults_pod import PROBES
from sandbox.admission.validate_names import QUALIFIED, label_fault
from sandbox.amounts import amount
from sandbox.fields import Obj, get_in

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
PROTOCOLS = ("SCTP", "TCP", "UDP")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
VARIABLE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
VARIABLE_TEXT = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and "
    "must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for "
    f"validation is ''{VARIABLE.pattern}')"
)
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]*[a-z0-9])?")
PORT_RANGE = "must be between 1 and 65535, inclusive"


def check_containers(spec: Obj, field: str, volumes: set[str], causes: Causes) -> None:
    """All containers of a pod spec; their names are unique across init containers too."""
    names: set[str] = set()
    if not spec.get("containers"):
        causes.required(f"{field}.containers")
    on_host = bool(spec.get("hostNetwork"))
    for group in ("containers", "initContainers"):
        host_ports: set[tuple[Any, ...]] = set()
        for number, container in enumerate(spec.get(group) or ()):
            where = f"{field}.{group}[{number}]"
            _check_name(container, where, names, causes)
            _check_container(container, where, volumes, causes)
            _check_ports(container, f"{where}.ports", host_ports, causes, on_host=on_host)


def _check_name(container: Obj, where: str, names: set[str], causes: Causes) -> None:
    name = container.get("name", "")
    if not name:
        causes.required(f"{where}.name")
    elif why := label_fault(name):
        causes.invalid(f"{where}.name", name, why)
    elif name in names:
        causes.duplicate(f"{where}.name", name)
    names.add(name)


def _check_container(container: Obj, where: str, volumes: set[str], causes: Causes) -> None:
    image = container.get("image", "")
    if not image:
        causes.required(f"{where}.image")
    elif image != image.strip():
        causes.invalid(f"{where}.image", image, "must not have leading or trailing whitespace")
    causes.one_of(f"{where}.imagePullPolicy", container.get("imagePullPolicy"), PULL_POLICIES)
    _check_variables(container, f"{where}.env", causes)
    _check_mounts(container, f"{where}.volumeMounts", volumes, causes)
    _check_resources(container.get("resources") or {}, f"{where}.resources", causes)
    for name in PROBES:
        if container.get(name):
            _check_probe(container[name], f"{where}.{name}", causes, liveness=name != "readinessProbe")


def _check_ports(
    container: Obj, field: str, taken: set[tuple[Any, ...]], causes: Causes, *, on_host: bool
) -> None:
    names: set[str] = set()
    for number, port in enumerate(container.get("ports") or ()):
        where, name = f"{field}[{number}]", port.get("name", "")
        if name:
            _check_port_name(name, f"{where}.name", causes)
            if name in names:
                causes.duplicate(f"{where}.name", name)
            names.add(name)
        _check_port_number(port, where, causes, on_host=on_host)
        causes.one_of(f"{where}.protocol", port.get("protocol"), PROTOCOLS)
        host = (port.get("protocol"), port.get("hostIP", ""), port.get("hostPort"))
        if port.get("hostPort") and host in taken:
            causes.duplicate(f"{where}.hostPort", f"{host[0]}/{host[1]}/{host[2]}")
        taken.add(host)


def _check_port_number(port: Obj, where: str, causes: Causes, *, on_host: bool) -> None:
    number = port.get("containerPort")
    if not number:
        causes.required(f"{where}.containerPort")
    elif not 1 <= number <= 65535:
        causes.invalid(f"{where}.containerPort", number, PORT_RANGE)
    host = port.get("hostPort")
    if host and not 1 <= host <= 65535:
        causes.invalid(f"{where}.hostPort", host, PORT_RANGE)
    if on_host and host != number:
        causes.invalid(f"{where}.containerPort", number, "must match `hostPort` when `hostNetwork` is true")


def _check_port_name(name: str, field: str, causes: Causes) -> None:
    if len(name) > 15:
        causes.invalid(field, name, "must be no more than 15 characters")
    elif not PORT_NAME.fullmatch(name):
        causes.invalid(field, name, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")


def _check_variables(container: Obj, field: str, causes: Causes) -> None:
    for number, variable in enumerate(container.get("env") or ()):
        where, name = f"{field}[{number}]", variable.get("name", "")
        if not name:
            causes.required(f"{where}.name")
        elif not VARIABLE.fullmatch(name):
            causes.invalid(f"{where}.name", name, VARIABLE_TEXT)
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            causes.invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
        chosen = [key for key in VARIABLE_SOURCES if source.get(key)]
        if len(chosen) != 1:
            what = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            causes.invalid(
                f"{where}.valueFrom",
                "",
                what if not chosen else "may not have more than one field specified at a time",
            )
        for key in ("configMapKeyRef", "secretKeyRef"):
            if source.get(key) and not source[key].get("key"):
                causes.required(f"{where}.valueFrom.{key}.key")


def _check_mounts(container: Obj, field: str, volumes: set[str], causes: Causes) -> None:
    paths: set[str] = set()
    for number, mount in enumerate(container.get("volumeMounts") or ()):
        where, name, path = f"{field}[{number}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            causes.required(f"{where}.name")
        elif name not in volumes:
            causes.not_found(f"{where}.name", name)
        if not path:
            causes.required(f"{where}.mountPath")
        elif path in paths:
            causes.invalid(f"{where}.mountPath", path, "must be unique")
        paths.add(path)


def _check_resources(resources: Obj, field: str, causes: Causes) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for group, listed in (("limits", limits), ("requests", requests)):
        for name, value in listed.items():
            _check_resource(name, value, f"{field}.{group}[{name}]", causes)
    for name, value in requests.items():
        limit = limits.get(name)
        if limit is not None and amount(value) > amount(limit):
            why = f"must be less than or equal to {name} limit of {limit}"
            causes.invalid(f"{field}.requests", value, why)
        elif limit is None and "/" in name:
            causes.required(f"{field}.limits", "Limit must be set for non overcommitable resources")


def _check_resource(name: str, value: str, field: str, causes: Causes) -> None:
    if amount(value) < 0:
        causes.invalid(field, value, "must be greater than or equal to 0")
    if name in STANDARD_RESOURCES or name.startswith("hugepages-"):
        return
    if "/" not in name:
        causes.invalid(field, name, "must be a standard resource type or fully qualified")
        causes.invalid(field, name, "must be a standard resource for containers")
    elif not QUALIFIED.fullmatch(name.rpartition("/")[2]):
        causes.invalid(field, name, "must be a standard resource type or fully qualified")


def _check_probe(probe: Obj, field: str, causes: Causes, *, liveness: bool) -> None:
    handlers = [name for name in HANDLERS if name in probe]
    if not handlers:
        causes.required(field, "must specify a handler type")
    for extra in handlers[1:]:
        causes.forbidden(f"{field}.{extra}", "may not specify more than 1 handler type")
    for name in ("httpGet", "tcpSocket"):
        if name in probe:
            _check_target(get_in(probe, (name, "port"), 0), f"{field}.{name}.port", causes)
    for name in (
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ):
        causes.not_negative(f"{field}.{name}", probe.get(name))
    if liveness and probe.get("successThreshold") != 1:
        causes.invalid(f"{field}.successThreshold", probe.get("successThreshold"), "must be 1")


def _check_target(port: int | str, field: str, causes: Causes) -> None:
    if isinstance(port, str):
        _check_port_name(port, field, causes)
    elif not 1 <= port <= 65535:
        causes.invalid(field, port, PORT_RANGE)
