"""The way between two pods: what it takes, what gets lost on it, and whether their clocks agree."""

from datetime import UTC, datetime

from sandbox.fields import annotations_of
from sandbox.kubelet.container import ContainerRun
from sandbox.kubelet.pod import PodRun
from sandbox.kubelet.surroundings import NET_LOSS
from sandbox.notes import ratio, words


def delay_s(caller: PodRun, callee: PodRun) -> float:
    """Seconds that a request takes longer between two nodes; none within one."""
    if caller.host is callee.host:
        return 0.0
    return caller.host.around.net_delay_s + callee.host.around.net_delay_s


def is_lost(caller: PodRun, callee: PodRun, host: str) -> bool:
    """Whether this request gets lost: on the way between nodes, or between these two."""
    crossing = caller.host is not callee.host
    shares = [run.host.around.net_loss_ratio for run in (caller, callee) if crossing]
    kept = 1.0
    for share in (*shares, _noted_loss(caller, host), _noted_loss(callee, "")):
        kept *= 1.0 - share
    return kept < 1.0 and caller.host.clock.random.random() >= kept


def certificate_problem(caller: PodRun, server: ContainerRun) -> str:
    """Why the caller refuses the server's certificate, which is as old as the server's run."""
    if not server.program.speaks_tls or caller.host.around.clock_behind_s <= server.running_s:
        return ""
    now = caller.host.clock.time()
    issued, seen = _stamp(now - server.running_s), _stamp(now - caller.host.around.clock_behind_s)
    why = f"certificate has expired or is not yet valid: current time {seen} is before {issued}"
    return f"tls: failed to verify certificate: x509: {why}"


def _noted_loss(run: PodRun, host: str) -> float:
    """The share noted at a pod for all its requests, as `0.3`, or for those to one host, as `db=0.3`."""
    for entry in words(annotations_of(run.pod).get(NET_LOSS, "")):
        name, given, share = entry.rpartition("=")
        if not given or (host and name == host):
            return ratio(share)
    return 0.0


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
