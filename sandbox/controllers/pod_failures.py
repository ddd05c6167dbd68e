"""A Job's podFailurePolicy: which failures of a pod end the Job at once, and which do not count."""

from collections.abc import Iterator

from sandbox.fields import Obj, name_of, namespace_of
from sandbox.state import condition_is

Rule = tuple[int, Obj]


def fatal_failure(job: Obj, failed: list[Obj]) -> str | None:
    """Why the Job has failed already, whatever its back-off limit; None when no rule says so."""
    for pod in failed:
        found = _matching(job, pod)
        if found is not None and found[1]["action"] == "FailJob":
            return _message(pod, found)
    return None


def counts_as_failure(job: Obj, pod: Obj) -> bool:
    """Whether the failed pod counts towards the back-off limit."""
    found = _matching(job, pod)
    return found is None or found[1]["action"] != "Ignore"


def _matching(job: Obj, pod: Obj) -> Rule | None:
    """The first rule that speaks of this failure, with its place in the list."""
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or ()
    return next(((place, rule) for place, rule in enumerate(rules) if _matches(rule, pod)), None)


def _matches(rule: Obj, pod: Obj) -> bool:
    wanted = rule.get("onPodConditions") or ()
    if any(condition_is(pod, entry["type"], entry.get("status", "True")) for entry in wanted):
        return True
    codes = rule.get("onExitCodes")
    return codes is not None and any(_is_meant(codes, name, code) for name, code in _exit_codes(pod))


def _is_meant(codes: Obj, container: str, code: int) -> bool:
    if codes.get("containerName") not in (None, container) or code == 0:
        return False
    return bool((code in codes["values"]) is (codes["operator"] == "In"))


def _exit_codes(pod: Obj) -> Iterator[tuple[str, int]]:
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if "terminated" in status["state"]:
            yield status["name"], status["state"]["terminated"]["exitCode"]


def _message(pod: Obj, found: Rule) -> str:
    place, rule = found
    who = f"{namespace_of(pod)}/{name_of(pod)}"
    if "onExitCodes" not in rule:
        return f"Pod {who} has condition matching FailJob rule at index {place}"
    name, code = next((n, c) for n, c in _exit_codes(pod) if _is_meant(rule["onExitCodes"], n, c))
    return (
        f"Container {name} for pod {who} failed with exit code {code} matching FailJob rule at index {place}"
    )
