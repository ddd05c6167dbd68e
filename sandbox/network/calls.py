"""Whom programs call: the Services their own Service names, and what their environment tells them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.fields import Obj, annotations_of
from sandbox.kubelet.pod import PodRun
from sandbox.notes import words

CALLS = "sandbox/calls"
CALLS_ENV = "sandbox/calls-env"
DEFAULT_PORT = 80
PORTS = {"https": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306, "redis": 6379, "amqp": 5672}


@dataclass(frozen=True, slots=True)
class Call:
    """A Service that another one depends on, by the name its programs use."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def calls_of(service: Obj) -> list[Call]:
    """The Services it calls: `orders:8080, db.data:5432`; port 80 where none is given."""
    return [_call(text) for text in words(annotations_of(service).get(CALLS, ""))]


def calls_by_environment(run: PodRun) -> list[Call]:
    """Whom the pod's programs call because a variable says so: as a URL, or as host and port."""
    found = (
        call_in(container.environment.get(name, ""))
        for container in run.containers
        for name in container.program.call_variables
    )
    return [call for call in found if call is not None]


def call_in(text: str) -> Call | None:
    """`http://orders:8080/v1`, `orders:8080` or `orders`; None where no host is named."""
    try:
        url = urlsplit(text if "://" in text else f"//{text}")
        port = url.port
    except ValueError:
        return None
    return Call(url.hostname, port or PORTS.get(url.scheme, DEFAULT_PORT)) if url.hostname else None


def _call(text: str) -> Call:
    host, _, port = text.partition(":")
    return Call(host, int(port) if port.isdigit() else DEFAULT_PORT)
