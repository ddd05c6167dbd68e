"""CronJobs: a Job at every moment of a schedule, as far as policy and deadline let it."""

from datetime import UTC, datetime

from sandbox.clock import SimClock
from sandbox.controllers.cron import Schedule
from sandbox.controllers.job import is_done
from sandbox.controllers.workqueue import WorkQueue
from sandbox.errors import AlreadyExists, ApiError
from sandbox.events import Recorder
from sandbox.fields import Obj, annotations_of, is_deleting, labels_of, meta, name_of, namespace_of
from sandbox.kinds import kind_of
from sandbox.state import (
    Key,
    condition_is,
    controller_reference,
    created_at,
    key_of,
    stamp_of,
    unix_time,
    with_status,
)
from sandbox.store import Store

CRON_JOB = kind_of("CronJob")
JOB = kind_of("Job")
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
TOO_MANY_MISSED = 100
TOO_MANY_TEXT = (
    "too many missed start times: 101. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
)


class CronJobController:
    """Wakes at each CronJob's next moment."""

    def __init__(self, store: Store, clock: SimClock) -> None:
        self._store = store
        self._clock = clock
        self._events = Recorder(store, clock, "cronjob-controller")
        self.queue = WorkQueue(clock, self._sync)
        store.subscribe(CRON_JOB, self.queue.on_change)
        store.subscribe(JOB, self.queue.on_owned("CronJob"))

    def _sync(self, key: Key) -> None:
        cron_job = self._store.find(CRON_JOB, *key)
        if cron_job is None or is_deleting(cron_job):
            return
        jobs = self._store.owned(JOB, meta(cron_job)["uid"])
        cron_job = self._note_jobs(cron_job, jobs)
        self._forget_old(cron_job, jobs)
        if cron_job["spec"].get("suspend"):
            return
        try:
            schedule = Schedule.parse(cron_job["spec"]["schedule"])
        except ValueError as error:
            text = f"unparseable schedule: {cron_job['spec']['schedule']} : {error}"
            self._events.warning(cron_job, "UnparseableSchedule", text)
            return
        self._run_due(cron_job, jobs, schedule)
        upcoming = schedule.after(self._clock.now())
        if upcoming is not None:
            self.queue.add_after(key, upcoming.timestamp() - self._clock.time())

    def _run_due(self, cron_job: Obj, jobs: list[Obj], schedule: Schedule) -> None:
        due_at = self._last_missed(cron_job, schedule)
        if due_at is None:
            return
        deadline_s = cron_job["spec"].get("startingDeadlineSeconds")
        if deadline_s is not None and self._clock.time() - due_at.timestamp() > deadline_s:
            late = due_at.strftime("%a, %d %b %Y %H:%M:%S +0000")
            self._events.warning(cron_job, "MissSchedule", f"Missed scheduled time to start a job: {late}")
            return
        running = [job for job in jobs if not is_done(job)]
        policy = cron_job["spec"].get("concurrencyPolicy", "Allow")
        if running and policy == "Forbid":
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._events.normal(cron_job, "JobAlreadyActive", text)
            return
        for job in running if policy == "Replace" else ():
            self._store.delete(JOB, namespace_of(job), name_of(job), propagation="Background")
            self._events.normal(cron_job, "SuccessfulDelete", f"Deleted job {name_of(job)}")
        self._create(cron_job, due_at)

    def _last_missed(self, cron_job: Obj, schedule: Schedule) -> datetime | None:
        """The latest moment of the schedule that has passed and was not acted on."""
        last = (cron_job.get("status") or {}).get("lastScheduleTime")
        since_s = unix_time(last) if last else created_at(cron_job)
        if (deadline_s := cron_job["spec"].get("startingDeadlineSeconds")) is not None:
            since_s = max(since_s, self._clock.time() - deadline_s)
        moment, missed, latest = datetime.fromtimestamp(since_s, UTC), 0, None
        while (found := schedule.after(moment)) is not None and found <= self._clock.now():
            moment = latest = found
            missed += 1
            if missed > TOO_MANY_MISSED:
                self._events.warning(cron_job, "TooManyMissedTimes", TOO_MANY_TEXT)
                return latest
        return latest

    def _create(self, cron_job: Obj, due_at: datetime) -> None:
        job = job_from(cron_job, due_at)
        try:
            self._store.create(JOB, job)
        except AlreadyExists:
            return  # this moment was acted on before
        except ApiError as error:
            self._events.warning(cron_job, "FailedCreate", f"Error creating job: {error.message}")
            raise
        self._events.normal(cron_job, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
        current = self._store.get(CRON_JOB, *key_of(cron_job))
        status = {**(current.get("status") or {}), "lastScheduleTime": stamp_of(due_at.timestamp())}
        self._store.update(CRON_JOB, with_status(current, status), subresource="status")

    def _note_jobs(self, cron_job: Obj, jobs: list[Obj]) -> Obj:
        """Keeps the list of running Jobs and the time of the last success; tells of Jobs that ended."""
        before = cron_job.get("status") or {}
        listed = {entry["uid"] for entry in before.get("active") or ()}
        for job in jobs:
            if meta(job)["uid"] in listed and is_done(job):
                end = "Complete" if condition_is(job, "Complete") else "Failed"
                text = f"Saw completed job: {name_of(job)}, status: {end}"
                self._events.normal(cron_job, "SawCompletedJob", text)
        active = [_reference(job) for job in jobs if not is_done(job)]
        ends = [job["status"]["completionTime"] for job in jobs if condition_is(job, "Complete")]
        status = {key: value for key, value in before.items() if key not in ("active", "lastSuccessfulTime")}
        status |= {"active": active} if active else {}
        last = max([*ends, before.get("lastSuccessfulTime", "")])
        status |= {"lastSuccessfulTime": last} if last else {}
        if status == before:
            return cron_job
        return self._store.update(CRON_JOB, with_status(cron_job, status), subresource="status")

    def _forget_old(self, cron_job: Obj, jobs: list[Obj]) -> None:
        limits = (("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1))
        for kind, field, default in limits:
            ended = sorted((job for job in jobs if condition_is(job, kind)), key=created_at)
            for job in ended[: max(0, len(ended) - cron_job["spec"].get(field, default))]:
                self._store.delete(JOB, namespace_of(job), name_of(job), propagation="Background")
                self._events.normal(cron_job, "SuccessfulDelete", f"Deleted job {name_of(job)}")


def job_from(cron_job: Obj, due_at: datetime) -> Obj:
    """The Job of one moment; its name is made of the moment, so that there is only one."""
    template = cron_job["spec"]["jobTemplate"]
    data = {
        "name": f"{name_of(cron_job)}-{int(due_at.timestamp()) // 60}",
        "namespace": namespace_of(cron_job),
        "labels": dict(labels_of(template)),
        "annotations": {**annotations_of(template), SCHEDULED_AT: stamp_of(due_at.timestamp())},
        "ownerReferences": [controller_reference(cron_job)],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": data, "spec": template["spec"]}


def _reference(job: Obj) -> Obj:
    data = meta(job)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": data["name"],
        "namespace": data["namespace"],
        "uid": data["uid"],
        "resourceVersion": data["resourceVersion"],
    }
