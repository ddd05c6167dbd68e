"""What a program answers to a probe: nothing wrong, or the words the kubelet reports."""

from typing import TYPE_CHECKING

from sandbox.fields import Obj

if TYPE_CHECKING:
    from sandbox.kubelet.container import ContainerRun

OVERLOADED = "GET /healthz 503 upstream timeout"


def refusal(run: "ContainerRun", probe: Obj) -> str:
    """Why the probe fails; empty when it succeeds."""
    if "httpGet" in probe:
        return _http(run, probe["httpGet"], float(probe.get("timeoutSeconds", 1)))
    if "tcpSocket" in probe:
        port = _port(run.spec, probe["tcpSocket"]["port"])
        return "" if _is_up(run, port) else _refused(run, port)
    if "grpc" in probe:
        port = int(probe["grpc"]["port"])
        return (
            ""
            if _is_up(run, port) and _is_well(run)
            else f'timeout: failed to connect service "{run.owner.ip}:{port}" within 1s'
        )
    return _command(run)


def _http(run: "ContainerRun", get: Obj, timeout_s: float) -> str:
    port = _port(run.spec, get["port"])
    scheme, host = get.get("scheme", "HTTP"), get.get("host") or run.owner.ip
    url = f"{scheme.lower()}://{host}:{port}{get.get('path', '/')}"
    if not _is_up(run, port):
        return f'Get "{url}": {_refused(run, port)}'
    if scheme == "HTTPS" and not run.program.speaks_tls:
        return f'Get "{url}": http: server gave HTTP response to HTTPS client'
    if run.program.answer_s() > timeout_s:
        return f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    if not _is_well(run):
        run.log(OVERLOADED)
        return "HTTP probe failed with statuscode: 503"
    if not run.program.serves_path(get.get("path", "/")):
        return "HTTP probe failed with statuscode: 404"
    return ""


def _command(run: "ContainerRun") -> str:
    return "" if _is_well(run) and _is_warm(run) else "command terminated with exit code 1"


def serves(run: "ContainerRun") -> bool:
    """Whether the program answers requests with success."""
    return run.program.can_be_ready and _is_warm(run) and not (run.impaired and run.program.needs_calls)


def _is_well(run: "ContainerRun") -> bool:
    return run.program.can_be_ready and not (run.impaired and run.program.needs_calls)


def _is_warm(run: "ContainerRun") -> bool:
    return run.running_s >= run.program.readiness_delay_s()


def _is_up(run: "ContainerRun", port: int) -> bool:
    return _is_warm(run) and run.program.listens_on(port)


def _refused(run: "ContainerRun", port: int) -> str:
    return f"dial tcp {run.owner.ip}:{port}: connect: connection refused"


def _port(container: Obj, port: int | str) -> int:
    """A port by number or by its name in the container; 0 for a name that is not there."""
    if isinstance(port, int) or port.isdigit():
        return int(port)
    return next((p["containerPort"] for p in container.get("ports") or () if p.get("name") == port), 0)
