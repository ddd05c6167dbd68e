"""The parts of a pod that only a full description shows: ports, probes, volumes, conditions."""

from collections.abc import Iterator
from typing import Literal

from domain.cluster import Condition, ContainerPort, Probe, Volume
from mcp_servers.kube.doc import Doc
from utils.redact import redact

PURPOSES: tuple[Literal["startup", "readiness", "liveness"], ...] = ("startup", "readiness", "liveness")
ACTIONS: dict[str, Literal["http", "tcp", "grpc", "exec"]] = {
    "httpGet": "http",
    "tcpSocket": "tcp",
    "grpc": "grpc",
    "exec": "exec",
}
SOURCES = ("claimName", "name", "secretName")  # how volumes name what is behind them
DEFAULTS = {"initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}


def ports(container: Doc) -> tuple[ContainerPort, ...]:
    """The ports that a container of a pod declares."""
    return tuple(
        ContainerPort(
            number=port.number("containerPort"),
            name=port.text("name"),
            protocol=port.text("protocol") or "TCP",
        )
        for port in container.parts("ports")
    )


def probes(container: Doc) -> Iterator[Probe]:
    """The probes of a container, in the order they begin."""
    for purpose in PURPOSES:
        probe = container.part(f"{purpose}Probe")
        for key, action in ACTIONS.items():
            if probe.has(key):
                yield _probe(purpose, action, probe, probe.part(key))


def volume(part: Doc) -> Volume:
    """One volume of a pod."""
    kind = next((key for key in part.raw if key != "name"), "emptyDir")
    source = next((part.text(kind, key) for key in SOURCES if part.text(kind, key)), "")
    return Volume(name=part.text("name"), kind=kind, source=source)


def conditions(thing: Doc) -> tuple[Condition, ...]:
    """The conditions in an object's status."""
    return tuple(
        Condition(
            type=part.text("type"),
            status=part.text("status"),
            reason=part.text("reason"),
            message=part.text("message"),
        )
        for part in thing.parts("status", "conditions")
    )


def _probe(
    purpose: Literal["startup", "readiness", "liveness"],
    action: Literal["http", "tcp", "grpc", "exec"],
    probe: Doc,
    how: Doc,
) -> Probe:
    delay, period, timeout, failures = (
        default if (said := probe.maybe_number(key)) is None else said for key, default in DEFAULTS.items()
    )
    command = how.at("command")
    return Probe(
        purpose=purpose,
        action=action,
        port=how.text("port"),
        path=how.text("path") or ("/" if action == "http" else ""),
        scheme=how.text("scheme") or ("HTTP" if action == "http" else ""),
        command=tuple(redact(str(word)) for word in command) if isinstance(command, list) else (),
        initial_delay_s=delay,
        period_s=period,
        timeout_s=timeout,
        failures_count=failures,
    )
