"""How long things take on nodes: a real kubelet's times by default, shorter ones for drills and demos."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds. A back-off doubles from its first value to its longest one."""

    create_s: float = 0.6  # setting up the pod's sandbox and network
    pull_s: float = 1.2  # pulling an image that the node does not have
    pull_failure_s: float = 0.8  # until a registry says that there is no such image
    crash_after_s: float = 1.0  # how long a crashing program runs
    relist_s: float = 0.3  # until the kubelet sees that a container has ended
    resync_s: float = 10.0  # between two looks at a pod that cannot go on
    crash_backoff_s: float = 10.0
    crash_backoff_longest_s: float = 300.0
    crash_forgotten_s: float = 600.0  # a run this long makes the next crash count as the first
    pull_backoff_s: float = 10.0
    pull_backoff_longest_s: float = 300.0
    stop_s: float = 0.5  # how long a program needs to end after SIGTERM
    lease_s: float = 10.0  # between two renewals of the node's lease
    node_status_s: float = 300.0  # between two reports of an unchanged node
    node_monitor_s: float = 5.0  # between two looks of the control plane at the nodes' leases
    node_grace_s: float = 40.0  # how old a lease may be before the node counts as lost
    job_run_s: float = 2.0  # how long a Job's program runs unless its annotation says otherwise
    init_run_s: float = 0.5  # how long an init container runs

    @classmethod
    def brisk(cls) -> "Timings":
        """Short waits, in the measure of the stand-in kubelets used with a real control plane."""
        return cls(
            pull_s=0.4,
            pull_failure_s=0.2,
            resync_s=2.0,
            crash_backoff_s=3.0,
            crash_backoff_longest_s=30.0,
            pull_backoff_s=3.0,
            pull_backoff_longest_s=30.0,
            lease_s=4.0,
            node_monitor_s=2.0,
            node_grace_s=12.0,
            node_status_s=60.0,
        )


def backoff_s(first_s: float, longest_s: float, failures: int) -> float:
    """Wait before the next attempt after `failures` failures in a row, the first of which is free."""
    return 0.0 if failures <= 1 else float(min(first_s * 2.0 ** min(failures - 2, 30), longest_s))
