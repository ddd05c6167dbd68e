"""Images that cannot be pulled, and images that crash since they were rolled out."""

import re

from analyze.scene import Cited, Scene, current_revision, earlier_revision, runs_revision, unique
from domain.cluster import ContainerState, PodState, Revision, WorkloadState
from domain.decision import Hypothesis
from utils.words import counted

PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
ABSENT = re.compile(r"not found|manifest unknown|does not exist|failed to resolve reference", re.IGNORECASE)
NO_ACCESS = re.compile(r"unauthorized|denied|authentication required|no such host|i/o timeout", re.IGNORECASE)
CRASHING = frozenset({"CrashLoopBackOff", "Error", "StartError", "RunContainerError"})


def cannot_be_pulled(scene: Scene) -> list[Hypothesis]:
    """Containers wait for an image that the registry does not have."""
    waiting = [(pod, c) for pod, c in scene.containers() if c.reason in PULL_REASONS]
    workload = scene.workload
    if not waiting or workload is None:
        return []
    images = sorted({container.image for _, container in waiting})
    messages = _messages(scene, [pod for pod, _ in waiting])
    if any(NO_ACCESS.search(text) for _, text in messages):
        return []  # the registry refuses or cannot be reached: another cause, another remedy
    absent = [(id, text) for id, text in messages if ABSENT.search(text)]
    reasons = [f"{counted(len(waiting), 'container')} waiting for {', '.join(images)}"]
    reasons += ["the registry says that the image is not there"] if absent else []
    confidence = 0.9 if absent else 0.72
    changed = _image_changes(workload.fact)
    if changed:
        reasons.append(f"the image came with the newest rollout: {'; '.join(changed)}")
        confidence += 0.05
    running = [pod.id for pod, c in scene.containers() if c.image in images and c.state == "running"]
    return [
        Hypothesis(
            cause="image-nonexistent",
            title=f"The image {', '.join(images)} cannot be pulled",
            target=workload.fact.target,
            confidence=confidence - (0.3 if running else 0.0),
            reasons=tuple(reasons),
            evidence_for=unique([*(pod.id for pod, _ in waiting), *(id for id, _ in absent), workload.id]),
            evidence_against=unique(running),
        )
    ]


def crashes_since_rollout(scene: Scene) -> list[Hypothesis]:
    """Containers of the newest revision exit again and again, those of the one before did not."""
    workload = scene.workload
    if workload is None:
        return []
    current, earlier = current_revision(workload.fact), earlier_revision(workload.fact)
    crashing = [(pod, c) for pod, c in scene.containers() if _crashes(c)]
    if current is None or earlier is None or not crashing:
        return []
    of_current = [pod for pod, _ in crashing if runs_revision(pod.fact, current)]
    of_others = [pod for pod, _ in crashing if not runs_revision(pod.fact, current)]
    if not of_current:
        return []
    return [_bad_version(scene, workload, current, of_current, of_others)]


def _bad_version(
    scene: Scene,
    workload: Cited[WorkloadState],
    current: Revision,
    crashing: list[Cited[PodState]],
    of_others: list[Cited[PodState]],
) -> Hypothesis:
    healthy_before = [pod for pod in scene.pods if pod.fact.ready and not runs_revision(pod.fact, current)]
    image_changed = _image_changes(workload.fact)
    confidence = 0.75 + (0.1 if image_changed else 0.0) + (0.08 if healthy_before else 0.0)
    reasons = [
        f"{counted(len(crashing), 'pod')} of revision {current.number} crashing: {_how(crashing)}",
        f"revision {current.number} was rolled out at {current.created_at:%H:%M:%S} UTC "
        f"({'; '.join(current.changes) or 'no difference recorded'})",
    ]
    if healthy_before:
        reasons.append(f"{counted(len(healthy_before), 'pod')} of the revision before still ready")
    logs = [id for pod in crashing for id in scene.log_ids(pod.fact)]
    return Hypothesis(
        cause="image-bad-version",
        title=f"Revision {current.number} of {workload.fact.target} crashes since its rollout",
        target=workload.fact.target,
        confidence=confidence - (0.4 if of_others else 0.0),
        reasons=tuple(reasons),
        evidence_for=unique(
            [workload.id, *(pod.id for pod in crashing), *logs, *(p.id for p in healthy_before)]
        ),
        evidence_against=unique(pod.id for pod in of_others),
    )


def _crashes(container: ContainerState) -> bool:
    oom = "OOMKilled" in (container.reason, container.last_reason)
    return not oom and not container.init and container.restart_count > 0 and _ended_badly(container)


def _ended_badly(container: ContainerState) -> bool:
    return container.reason in CRASHING or (not container.ready and container.last_exit_code not in (None, 0))


def _how(crashing: list[Cited[PodState]]) -> str:
    codes = {
        c.last_exit_code if c.last_exit_code is not None else c.exit_code
        for pod in crashing
        for c in pod.fact.containers
    }
    restarts = max(c.restart_count for pod in crashing for c in pod.fact.containers)
    known = sorted(code for code in codes if code)
    return f"exit code {', '.join(map(str, known)) or 'unknown'}, up to {counted(restarts, 'restart')}"


def _image_changes(state: WorkloadState) -> list[str]:
    current, earlier = current_revision(state), earlier_revision(state)
    if current is None or earlier is None:
        return []
    before = {container.name: container.image for container in earlier.containers}
    return [
        f"{container.name}: {before[container.name]} → {container.image}"
        for container in current.containers
        if before.get(container.name, container.image) != container.image
    ]


def _messages(scene: Scene, pods: list[Cited[PodState]]) -> list[tuple[str, str]]:
    names = {pod.fact.target.name for pod in pods}
    said = [(event.id, event.fact.message) for event in scene.events if event.fact.about.name in names]
    return said + [(pod.id, c.message) for pod in pods for c in pod.fact.containers if c.message]
