"""Jobs: pods that have to succeed, retried with a growing pause up to a limit. It knows no schedule."""

from dataclasses import dataclass

from sandbox.clock import SimClock
from sandbox.controllers.pod_failures import counts_as_failure, fatal_failure
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import ApiError
from sandbox.events import Recorder
from sandbox.fields import Obj, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import (
    Key,
    condition_is,
    is_active,
    is_ready,
    key_of,
    pod_from_template,
    unix_time,
    with_status,
    without_empty,
)
from sandbox.store import Store

JOB = kind_of("Job")
POD = kind_of("Pod")
FIRST_RETRY_S = 10.0
LONGEST_RETRY_S = 360.0
BACKOFF_LIMIT = 6


@dataclass(frozen=True, slots=True)
class _Counts:
    """A Job's pods by how they stand."""

    active: list[Obj]
    succeeded: int
    failed: list[Obj]


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str
    message: str


class JobController:
    """Creates pods until enough have succeeded, or too many failed."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "job-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(JOB, self.queue.on_change)
        store.subscribe(POD, self.queue.on_owned("Job"))

    def _sync(self, key: Key) -> None:
        job = self._store.find(JOB, *key)
        if job is None or is_deleting(job):
            return
        if is_done(job):
            self._forget_when_due(job)
            return
        job = self._begun(job)
        counts = self._count(job)
        failure = self._failure(job, counts)
        if failure is not None:
            self._fail(job, counts, failure)
        elif self._is_complete(job, counts):
            self._complete(job, counts)
        else:
            self._go_on(job, counts)

    # --- where it stands

    def _begun(self, job: Obj) -> Obj:
        status = job.get("status") or {}
        if status.get("startTime") or job["spec"].get("suspend"):
            return job
        if deadline_s := job["spec"].get("activeDeadlineSeconds"):
            self.queue.add_after(key_of(job), float(deadline_s))
        return self._write(job, {**status, "startTime": self._clock.stamp()})

    def _count(self, job: Obj) -> _Counts:
        pods = self._store.owned(POD, meta(job)["uid"])
        phases = [(pod, (pod.get("status") or {}).get("phase")) for pod in pods]
        return _Counts(
            active=[pod for pod in pods if is_active(pod)],
            succeeded=sum(phase == "Succeeded" for _, phase in phases),
            failed=[pod for pod, phase in phases if phase == "Failed" and counts_as_failure(job, pod)],
        )

    def _failure(self, job: Obj, counts: _Counts) -> _Failure | None:
        if (hopeless := fatal_failure(job, counts.failed)) is not None:
            return _Failure("PodFailurePolicy", hopeless)
        limit = job["spec"].get("backoffLimit", BACKOFF_LIMIT)
        restarts = sum(_restarts(pod) for pod in counts.active) if _restarts_in_place(job) else 0
        if len(counts.failed) > limit or (restarts and restarts >= max(limit, 1)):
            return _Failure("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        deadline_s, started = (
            job["spec"].get("activeDeadlineSeconds"),
            (job.get("status") or {}).get("startTime"),
        )
        if deadline_s and started and self._clock.time() - unix_time(started) >= deadline_s:
            return _Failure("DeadlineExceeded", "Job was active longer than specified deadline")
        return None

    def _is_complete(self, job: Obj, counts: _Counts) -> bool:
        completions = job["spec"].get("completions")
        if completions is None:
            return counts.succeeded > 0 and not counts.active
        return bool(counts.succeeded >= completions) and not counts.active

    # --- what follows

    def _go_on(self, job: Obj, counts: _Counts) -> None:
        wanted = self._wanted(job, counts)
        missing = wanted - len(counts.active)
        if missing > 0 and (wait_s := self._pause_s(counts)) > 0:
            self.queue.add_after(key_of(job), wait_s)
            missing = 0
        try:
            for _ in range(missing):
                self._create(job)
        finally:
            if missing < 0:
                self._delete(job, counts.active[missing:])
            self._write_counts(job, self._count(job))

    def _wanted(self, job: Obj, counts: _Counts) -> int:
        """How many pods should run now."""
        if job["spec"].get("suspend"):
            return 0
        parallelism = int(job["spec"].get("parallelism", 1))
        completions = job["spec"].get("completions")
        if completions is None:
            return len(counts.active) if counts.succeeded else parallelism
        return min(parallelism, max(0, int(completions) - counts.succeeded))

    def _pause_s(self, counts: _Counts) -> float:
        """Seconds to wait since the last failure: 10, 20, 40 … after one, two, three failures."""
        if not counts.failed:
            return 0.0
        pause_s = min(FIRST_RETRY_S * 2.0 ** (len(counts.failed) - 1), LONGEST_RETRY_S)
        return max(0.0, max(_ended_at(pod) for pod in counts.failed) + pause_s - self._clock.time())

    def _create(self, job: Obj) -> None:
        try:
            made = self._store.create(POD, job_pod(job))
        except ApiError as error:
            self._events.warning(job, "FailedCreate", f"Error creating: {error.message}")
            raise
        self._events.normal(job, "SuccessfulCreate", f"Created pod: {name_of(made)}")

    def _delete(self, job: Obj, pods: list[Obj]) -> None:
        for pod in pods:
            self._store.delete(POD, namespace_of(pod), name_of(pod))
            self._events.normal(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    def _fail(self, job: Obj, counts: _Counts, failure: _Failure) -> None:
        self._delete(job, counts.active)
        failed = len(counts.failed) + len(counts.active)
        entry = self._condition("Failed", failure.reason, failure.message)
        status = {**(job.get("status") or {}), "failed": failed, "active": 0, "succeeded": counts.succeeded}
        self._write(job, status | {"conditions": [entry], "ready": 0})
        self._events.warning(job, failure.reason, failure.message)

    def _complete(self, job: Obj, counts: _Counts) -> None:
        status = {
            **(job.get("status") or {}),
            "succeeded": counts.succeeded,
            "failed": len(counts.failed),
            "active": 0,
        }
        done = {
            "conditions": [self._condition("Complete", "", "")],
            "completionTime": self._clock.stamp(),
            "ready": 0,
        }
        self._write(job, status | done)
        self._events.normal(job, "Completed", "Job completed")

    def _forget_when_due(self, job: Obj) -> None:
        lifetime_s = job["spec"].get("ttlSecondsAfterFinished")
        if lifetime_s is None:
            return
        ended = next(c for c in job["status"]["conditions"] if c["type"] in ("Complete", "Failed"))
        left_s = unix_time(ended["lastTransitionTime"]) + lifetime_s - self._clock.time()
        if left_s > 0:
            self.queue.add_after(key_of(job), left_s)
        else:
            self._store.delete(JOB, namespace_of(job), name_of(job), propagation="Background")

    # --- status

    def _write_counts(self, job: Obj, counts: _Counts) -> None:
        numbers = {
            "active": len(counts.active),
            "ready": sum(is_ready(pod) for pod in counts.active),
            "succeeded": counts.succeeded,
            "failed": len(counts.failed),
        }
        self._write(job, {**(job.get("status") or {}), **numbers})

    def _write(self, job: Obj, status: Obj) -> Obj:
        status = without_empty(status)
        current = self._store.get(JOB, *key_of(job))
        return self._store.update(JOB, with_status(current, status), subresource="status")

    def _condition(self, kind: str, reason: str, message: str) -> Obj:
        now = self._clock.stamp()
        base = {"type": kind, "status": "True", "lastProbeTime": now, "lastTransitionTime": now}
        return base | ({"reason": reason, "message": message} if reason else {})


def job_pod(job: Obj) -> Obj:
    """A pod that can be found by its Job's name."""
    pod = pod_from_template(job["spec"]["template"], owner=job)
    named = {"job-name": name_of(job), "controller-uid": meta(job)["uid"]}
    labels = {
        **labels_of(pod),
        **named,
        **{f"batch.kubernetes.io/{key}": value for key, value in named.items()},
    }
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}}


def is_done(job: Obj) -> bool:
    return condition_is(job, "Complete") or condition_is(job, "Failed")


def _restarts_in_place(job: Obj) -> bool:
    return bool(job["spec"]["template"]["spec"].get("restartPolicy") == "OnFailure")


def _restarts(pod: Obj) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return sum(status.get("restartCount", 0) for status in statuses)


def _ended_at(pod: Obj) -> float:
    """When the pod's last container ended; its start when none says."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [s["state"]["terminated"]["finishedAt"] for s in statuses if "terminated" in s.get("state", {})]
    return max((unix_time(end) for end in ends), default=unix_time(meta(pod)["creationTimestamp"]))
