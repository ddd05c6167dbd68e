"""What a program needs of the kernel, its disk or the API server and does not get, in its own last words."""

import re
from collections.abc import Callable

from sandbox.fields import Obj
from sandbox.kubelet.surroundings import Surroundings
from sandbox.notes import number, size_bytes

Note = Callable[[str], str]
SHM = "/dev/shm"  # noqa: S108 - the mount point is what the check is about; nothing is written there
SHM_BYTES = 64 * 1024 * 1024  # what a runtime gives to a container that mounts nothing there
FILES_COUNT = 1024  # the usual soft limit of open files
ULIMIT = re.compile(r"ulimit\s+(?:-[SH]*n)\s+(\d+|unlimited)")
OWN_DISK = ("persistentVolumeClaim", "hostPath", "local")


def lacking(pod: Obj, container: Obj, note: Note, around: Surroundings) -> tuple[str, ...]:
    """The lines it ends with; none when it has all it needs. `note` reads one of its annotations."""
    return (
        _shared_memory(pod, container, note("needs-shm"))
        or _open_files(container, note("needs-files"))
        or _sysctl(pod, note("needs-sysctl"))
        or _disk(pod, container, around)
    )


def disk_path(pod: Obj, container: Obj) -> str:
    """Where the container has a disk of its own mounted; empty when it has none."""
    volumes = pod["spec"].get("volumes") or ()
    on_disk = {volume["name"] for volume in volumes if any(kind in volume for kind in OWN_DISK)}
    mounts = container.get("volumeMounts") or ()
    return next((str(mount["mountPath"]) for mount in mounts if mount["name"] in on_disk), "")


def _shared_memory(pod: Obj, container: Obj, needed: str) -> tuple[str, ...]:
    needed_bytes = size_bytes(needed) or 0
    if needed_bytes <= _shm_bytes(pod, container, needed_bytes):
        return ()
    segment = f"could not resize shared memory segment {SHM}/segment.1804289383 to {needed_bytes} bytes"
    return (f"FATAL: {segment}: No space left on device",)


def _shm_bytes(pod: Obj, container: Obj, unbounded: int) -> int:
    mounts = {mount["mountPath"].rstrip("/"): mount["name"] for mount in container.get("volumeMounts") or ()}
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    directory = volumes.get(mounts.get(SHM, ""), {}).get("emptyDir")
    if directory is None or directory.get("medium") != "Memory":
        return SHM_BYTES
    return size_bytes(str(directory.get("sizeLimit", ""))) or unbounded


def _open_files(container: Obj, needed: str) -> tuple[str, ...]:
    needed_count = number(needed) or 0.0
    found = ULIMIT.search(" ".join([*(container.get("command") or ()), *(container.get("args") or ())]))
    allowed_count = (number(found[1]) or needed_count) if found else FILES_COUNT
    if needed_count <= allowed_count:
        return ()
    return (
        "accept tcp [::]:8080: accept4: too many open files; retrying in 1s",
        "fatal: too many open files",
    )


def _sysctl(pod: Obj, needed: str) -> tuple[str, ...]:
    name, _, wanted = (part.strip() for part in needed.partition("="))
    given = (pod["spec"].get("securityContext") or {}).get("sysctls") or ()
    value = next((str(entry["value"]) for entry in given if entry["name"] == name), "")
    if not name or _reaches(value.split(), wanted.split()):
        return ()
    if "port_range" in name:
        return ("dial tcp: connect: cannot assign requested address", "fatal: no local port is free")
    return (f"fatal: {name} must be at least {wanted}",)


def _reaches(given: list[str], wanted: list[str]) -> bool:
    """A range that holds the wanted one, or a number that is as large."""
    if len(given) != len(wanted) or not all(part.isdigit() for part in (*given, *wanted)):
        return given == wanted
    have, need = [int(part) for part in given], [int(part) for part in wanted]
    return have[-1] >= need[-1] and (len(need) == 1 or have[0] <= need[0])


def _disk(pod: Obj, container: Obj, around: Surroundings) -> tuple[str, ...]:
    path = disk_path(pod, container) if around.disk_fails else ""
    if not path:
        return ()
    return (
        f"ERROR: could not write to {path}/wal/000000010000000000000042: Input/output error",
        f"PANIC: could not fdatasync {path}/wal/000000010000000000000042: Input/output error",
    )
