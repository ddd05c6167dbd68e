"""Defaults of pod specs and their containers, as the API server writes them into pods and templates."""

from collections.abc import Callable
from typing import Any

from sandbox.fields import Obj

MODE = 0o644  # of files from ConfigMaps, Secrets and the like; shown as 420
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
FILE_SOURCES = ("configMap", "secret", "projected", "downwardAPI")
CONTAINER_LISTS = ("initContainers", "containers")


def filled(obj: Obj, **defaults: Any) -> Obj:
    """A copy with the defaults where nothing, or null, stands."""
    return {**obj, **{key: value for key, value in defaults.items() if obj.get(key) is None}}


def each(obj: Obj, field: str, change: Callable[[Obj], Obj]) -> Obj:
    """A copy in which every entry of the list `field` was changed; `obj` itself without such a list.

    Entries that are no objects stay as they are: validation names them.
    """
    entries = obj.get(field)
    if not isinstance(entries, list):
        return obj
    return {**obj, field: [change(item) if isinstance(item, dict) else item for item in entries]}


def template(template: Obj | None) -> Obj:
    """A pod template with its spec's defaults."""
    given = template or {}
    meta = {"creationTimestamp": None, **(given.get("metadata") or {})}
    return {**given, "metadata": meta, "spec": pod_spec(given.get("spec") or {})}


def pod_spec(spec: Obj) -> Obj:
    """What templates and pods have in common."""
    spec = filled(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    spec = each(spec, "volumes", _volume)
    on_host = bool(spec.get("hostNetwork"))
    for field in CONTAINER_LISTS:
        spec = each(spec, field, lambda container: _container(container, on_host=on_host))
    return spec


def live_pod_spec(spec: Obj) -> Obj:
    """What only real pods get: limits that stand for missing requests, service links."""
    spec = filled(spec, enableServiceLinks=True)
    for field in CONTAINER_LISTS:
        spec = each(spec, field, _requests_from_limits)
    return spec


def _requests_from_limits(container: Obj) -> Obj:
    resources = container.get("resources") or {}
    limits = resources.get("limits")
    if not limits:
        return container
    requests = {**limits, **(resources.get("requests") or {})}
    return {**container, "resources": {**resources, "requests": requests}}


def _container(container: Obj, *, on_host: bool) -> Obj:
    container = filled(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=pull_policy(str(container.get("image") or "")),
    )
    container = each(container, "ports", lambda port: _port(port, on_host=on_host))
    container = each(container, "env", _variable)
    for field in PROBES:
        if container.get(field):
            container[field] = _probe(container[field])
    if container.get("lifecycle"):
        hooks = container["lifecycle"].items()
        container["lifecycle"] = {
            name: _http(hook) if isinstance(hook, dict) else hook for name, hook in hooks
        }
    return container


def pull_policy(image: str) -> str:
    """Always for `latest` and no tag at all; what has a tag or digest is pulled once."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _port(port: Obj, *, on_host: bool) -> Obj:
    port = filled(port, protocol="TCP")
    return filled(port, hostPort=port.get("containerPort")) if on_host else port


def _variable(variable: Obj) -> Obj:
    source = variable.get("valueFrom")
    if not isinstance(source, dict) or not source.get("fieldRef"):
        return variable
    return {**variable, "valueFrom": {**source, "fieldRef": filled(source["fieldRef"], apiVersion="v1")}}


def _probe(probe: Obj) -> Obj:
    probe = filled(_http(probe), timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(probe.get("grpc"), dict):
        probe["grpc"] = filled(probe["grpc"], service="")
    return probe


def _http(handler: Obj) -> Obj:
    if not isinstance(handler.get("httpGet"), dict):
        return handler
    return {**handler, "httpGet": filled(handler["httpGet"], path="/", scheme="HTTP")}


def _volume(volume: Obj) -> Obj:
    if not any(key != "name" for key in volume):
        return {**volume, "emptyDir": {}}
    for source in FILE_SOURCES:
        if isinstance(volume.get(source), dict):
            volume = {**volume, source: filled(volume[source], defaultMode=MODE)}
    if isinstance(volume.get("hostPath"), dict):
        volume = {**volume, "hostPath": filled(volume["hostPath"], type="")}
    return volume
