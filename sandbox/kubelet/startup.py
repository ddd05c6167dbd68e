"""Whether the runtime can execute the image's program at all, and which command a shell misses."""

from sandbox.fields import Obj, annotations_of
from sandbox.notes import words

BINARIES = "sandbox/binaries"
SHELLS = ("sh", "/bin/sh", "bash", "/bin/bash")
REFUSED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: exec: "
)


def start_problem(pod: Obj, container: Obj) -> str:
    """Why the runtime cannot start the command; empty when it can, or the image's content is not noted."""
    held = _held(pod)
    command = container.get("command") or ()
    if not held or not command or command[0] in held:
        return ""
    if command[0].startswith("/"):
        why = f'"{command[0]}": stat {command[0]}: no such file or directory: unknown'
    else:
        why = f'"{command[0]}": executable file not found in $PATH: unknown'
    return REFUSED + why


def shell_miss(pod: Obj, container: Obj) -> str:
    """The command a shell is asked to run and cannot find; empty when there is none such."""
    held = _held(pod)
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if not held or len(words) < 3 or words[0] not in SHELLS or words[1] != "-c":
        return ""
    first = words[2].split()[0] if words[2].split() else ""
    return "" if first in held else first


def _held(pod: Obj) -> list[str]:
    return words(annotations_of(pod).get(BINARIES, ""))
