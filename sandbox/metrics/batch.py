"""Families of Jobs and CronJobs, as kube-state-metrics names them."""

from collections.abc import Callable, Iterator

from sandbox.fields import Obj, get_in
from sandbox.metrics.family import Reading, gauge, one_of
from sandbox.metrics.objects import CONDITION_STATUS, ObjectFamily, Words, identity
from sandbox.state import condition

JOB = Words("kube_job", identity("job_name"))
CRON_JOB = Words("kube_cronjob", identity("cronjob"))


def _failures(job: Obj) -> Iterator[Reading]:
    """How many pods failed; the reason is that of the job's own failure, where it has one."""
    failed = get_in(job, ("status", "failed"), 0)
    entry = condition(job, "Failed")
    reason = entry.get("reason", "") if entry is not None else ""
    yield Reading({**JOB.who(job), "reason": reason}, float(failed))


def _ended(kind: str) -> Callable[[Obj], Iterator[Reading]]:
    """Only of jobs that have the condition."""

    def read(job: Obj) -> Iterator[Reading]:
        entry = condition(job, kind)
        if entry is not None:
            yield from one_of(JOB.who(job), "condition", CONDITION_STATUS, entry["status"].lower())

    return read


JOB_FAMILIES = (
    JOB.facts("info", "Information about job.", lambda job: {}),
    JOB.created(),
    JOB.owners(),
    JOB.number(
        "spec_parallelism",
        "The maximum desired number of pods the job should run at any given time.",
        "spec",
        "parallelism",
        default=None,
    ),
    JOB.number(
        "spec_completions",
        "The desired number of successfully finished pods the job should be run with.",
        "spec",
        "completions",
        default=None,
    ),
    JOB.number(
        "spec_active_deadline_seconds",
        "The duration in seconds relative to the startTime that the job may be active.",
        "spec",
        "activeDeadlineSeconds",
        default=None,
    ),
    JOB.number("status_active", "The number of actively running pods.", "status", "active"),
    JOB.number(
        "status_succeeded", "The number of pods which reached Phase Succeeded.", "status", "succeeded"
    ),
    gauge(
        "kube_job_status_failed",
        "The number of pods which reached Phase Failed and the reason for failure.",
        _failures,
    ),
    gauge("kube_job_complete", "The job has completed its execution.", _ended("Complete")),
    gauge("kube_job_failed", "The job has failed its execution.", _ended("Failed")),
    JOB.time(
        "status_start_time",
        "StartTime represents time when the job was acknowledged by the Job Manager.",
        "status",
        "startTime",
    ),
    JOB.time(
        "status_completion_time",
        "CompletionTime represents time when the job was completed.",
        "status",
        "completionTime",
    ),
)

CRON_JOB_FAMILIES: tuple[ObjectFamily, ...] = (
    CRON_JOB.facts(
        "info",
        "Info about cronjob.",
        lambda cron: {
            "schedule": cron["spec"]["schedule"],
            "concurrency_policy": cron["spec"].get("concurrencyPolicy", ""),
        },
    ),
    CRON_JOB.created(),
    gauge(
        "kube_cronjob_status_active",
        "Active holds pointers to currently running jobs.",
        lambda cron: (Reading(CRON_JOB.who(cron), float(len(get_in(cron, ("status", "active"), ())))),),
    ),
    CRON_JOB.number(
        "spec_suspend",
        "Suspend flag tells the controller to suspend subsequent executions.",
        "spec",
        "suspend",
    ),
    CRON_JOB.time(
        "status_last_schedule_time",
        "LastScheduleTime keeps information of when was the last time the job was successfully scheduled.",
        "status",
        "lastScheduleTime",
    ),
    CRON_JOB.time(
        "status_last_successful_time",
        "LastSuccessfulTime keeps information of when was the last time the job was completed successfully.",
        "status",
        "lastSuccessfulTime",
    ),
)
