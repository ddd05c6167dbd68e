"""Real Prometheus and Alertmanager on free loopback ports, stopped when the context ends."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_S = 20.0
STOP_S = 10.0


def missing_programs(*names: str) -> str:
    """What is not installed, as a reason to skip; empty when all is there."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], ready_url: str, log: Path) -> Iterator[None]:
    """A process that answers at `ready_url`; raises RuntimeError with its log when it does not."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_ready(process, ready_url, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def prometheus(folder: Path, config: str, *options: str, data: Path | None = None) -> Iterator[str]:
    """The URL of a Prometheus with this configuration."""
    port, file = free_port(), folder / "prometheus.yml"
    file.write_text(config)
    url = f"http://127.0.0.1:{port}"
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={data or folder / 'prometheus-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *options,
    ]
    with running(command, f"{url}/-/ready", folder / "prometheus.log"):
        yield url


@contextmanager
def alertmanager(folder: Path, config: str) -> Iterator[str]:
    """The URL of an Alertmanager with this configuration."""
    port, file = free_port(), folder / "alertmanager.yml"
    file.write_text(config)
    url = f"http://127.0.0.1:{port}"
    command = [
        "prometheus-alertmanager",
        f"--config.file={file}",
        f"--storage.path={folder / 'alertmanager-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, f"{url}/-/ready", folder / "alertmanager.log"):
        yield url


def _wait_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not become ready:\n{log.read_text()[-2000:]}")
