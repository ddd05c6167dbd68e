"""Faults by what is said about them: the words of kubelets, schedulers, API servers and programs.

A row is one cause. `says` is looked for in everything that was said about the workload's unwell pods: their
states, events and logs. `changed` is looked for in what the newest rollout changed; where both fit, the
rollout is to blame and undoing it is the way back. The words are those of Kubernetes 1.20 to 1.34.
"""

import re
from dataclasses import dataclass

PULL = r"(?:ErrImagePull|ImagePullBackOff|Failed to pull)"
NO_HOST = r"no such host|could not resolve|Name or service not known|can't resolve|server misbehaving"


@dataclass(frozen=True, slots=True)
class Row:
    """One cause: its words, what must have changed with them, and how sure both or the words alone make."""

    cause: str
    title: str
    says: re.Pattern[str]
    changed: re.Pattern[str] | None
    both: float
    words_alone: float
    names_value: bool = False  # the new value, or the host in it, has to be in the words


def row(
    cause: str,
    title: str,
    says: str,
    changed: str = "",
    *,
    both: float = 0.92,
    alone: float = 0.0,
    names_value: bool = False,
) -> Row:
    """A row whose patterns are compiled; `alone` 0 means that the words mean nothing without the change."""
    pattern = re.compile(changed) if changed else None
    return Row(cause, title, re.compile(says, re.IGNORECASE | re.DOTALL), pattern, both, alone, names_value)


TABLE: tuple[Row, ...] = (
    # Images and commands
    row("image-wrong-arch", "The image is built for another processor", r"exec format error|no match for platform",
        r" image ", alone=0.85),
    row("image-pull-secret-missing", "The registry refuses to hand out the image",
        PULL + r".*(?:\b401\b|\b403\b|unauthorized|denied|authentication required)",
        alone=0.85),
    row("image-registry-dns", "The registry's name does not resolve", PULL + r".*no such host", alone=0.88),
    row("bad-command", "The command does not exist or is not started as meant",
        r"StartError|executable file not found|command not found|exit 12[678]\b", r" (?:command|args) changed",
        alone=0.78),
    # Environment and configuration
    row("env-missing", "A variable that the program needs is gone",
        r"(?:required|missing|not set|undefined|unset|must be set|KeyError|no value).*",
        r" env \S+ .* -> \(none\)$| env \S+ changed$", both=0.9),
    row("env-wrong-value", "A variable leads the program to the wrong place",
        NO_HOST + r"|connection refused|Communications link failure|i/o timeout",
        r" env \S+ (?!\(none\)).+ -> (?!\(none\)).+", both=0.88, names_value=True),
    row("configmap-key-dropped", "A key of a ConfigMap is gone", r"couldn't find key \S+ in ConfigMap|references non-existent config key",
        alone=0.92),
    row("configmap-deleted", "A ConfigMap is gone", r'configmaps? "[^"]+" not found', alone=0.9),
    row("secret-missing", "A Secret is gone", r'secrets? "[^"]+" not found', alone=0.9),
    # Probes
    row("liveness-wrong-protocol", "The liveness probe speaks the wrong protocol",
        r"Liveness probe failed:[^|]*(?:HTTP response to HTTPS|malformed HTTP|first record does not look|http2|: EOF|tls:)",
        r"livenessProbe changed", alone=0.85),
    row("liveness-too-aggressive", "The liveness probe gives the program no time",
        r"Liveness probe failed:[^|]*(?:context deadline exceeded|Client\.Timeout|timeout|i/o timeout|connection refused)",
        r"livenessProbe changed|startupProbe changed", both=0.8),
    row("liveness-wrong-target", "The liveness probe asks a port or path that is not there",
        r"Liveness probe failed:[^|]*(?:statuscode: 4\d\d|connection refused)", r"livenessProbe changed", alone=0.78),
    row("readiness-wrong-protocol", "The readiness probe speaks the wrong protocol",
        r"Readiness probe failed:[^|]*(?:HTTP response to HTTPS|malformed HTTP|first record does not look|http2|: EOF|tls:)",
        r"readinessProbe changed", alone=0.85),
    row("readiness-wrong-target", "The readiness probe asks a port or path that is not there",
        r"Readiness probe failed:[^|]*(?:statuscode: 404|connection refused)", r"readinessProbe changed", alone=0.75),
    # Init containers and sidecars
    row("init-dependency-hang", "An init container waits for something that does not come",
        r"Init:\d+/\d+.*|waiting for .*(?:resolve|refused|still waiting)", r" added with image|initContainers changed| command changed| args changed| env ",
        both=0.86),
    row("init-crash", "An init container fails", r"Init:(?:CrashLoopBackOff|Error|StartError|OOMKilled)",
        r" (?:image|command|args|env|added with image)", both=0.9, alone=0.75),
    row("sidecar-port-conflict", "Two containers of a pod want the same port", r"address already in use",
        r" added with image| ports changed| env | args changed| command changed", alone=0.82),
    # Scheduling
    row("hostport-conflict", "The host port is taken", r"didn't have free ports", r" ports changed|hostNetwork changed", alone=0.85),
    row("anti-affinity-deadlock", "The replicas refuse to share the nodes that there are",
        r"didn't (?:match|satisfy)[^|]*(?:anti-affinity|pod affinity)", r"affinity changed", alone=0.85),
    row("node-selector-none", "No node has the labels that the pods ask for",
        r"didn't match (?:Pod's )?node (?:selector|affinity)|didn't match node selector", r"nodeSelector changed"),
    row("node-affinity-none", "No node satisfies the pods' affinity",
        r"didn't match (?:Pod's )?node (?:selector|affinity)|didn't match node selector", r"affinity changed"),
    row("taint-no-toleration", "A taint keeps the pods off the nodes", r"node\(s\) had (?:untolerated )?taint", r"tolerations changed",
        alone=0.8),
    row("cpu-request-too-large", "The pods ask for more cpu than a node has left", r"Insufficient cpu", r" requests\.cpu "),
    row("memory-request-too-large", "The pods ask for more memory than a node has left", r"Insufficient memory",
        r" requests\.memory "),
    # Storage
    row("pvc-name-wrong", "The claim that the pods name does not exist", r'persistentvolumeclaim "[^"]+" not found',
        r"volumes changed", alone=0.8),
    row("pv-node-affinity", "The volume is on a node where the pods may not run", r"volume node affinity conflict",
        r"nodeSelector changed|affinity changed", alone=0.85),
    row("volume-permission", "The program may not write to its volume", r"permission denied",
        r"securityContext changed", both=0.9),
    # Admission
    row("serviceaccount-missing", "The service account is gone",
        r'serviceaccount "[^"]+" not found|error looking up service account', alone=0.9),
    row("psa-restricted", "The namespace's Pod Security level refuses the pods", r"violates PodSecurity", alone=0.92),
    row("quota-requires-limits", "The quota demands requests or limits that the pods do not name",
        r"failed quota: .*must specify", r" (?:requests|limits)\.", alone=0.9),
    row("quota-pods", "The quota of pods is used up", r"exceeded quota: [^|]*limited: [^|]*\bpods=", alone=0.92),
    row("quota-cpu", "The quota of cpu is used up", r"exceeded quota: [^|]*limited: [^|]*\bcpu=", alone=0.92),
    row("quota-memory", "The quota of memory is used up", r"exceeded quota: [^|]*limited: [^|]*\bmemory=", alone=0.92),
    row("quota-storage", "The quota of storage is used up", r"exceeded quota: [^|]*limited: [^|]*(?:storage|persistentvolumeclaims)", alone=0.92),
    row("webhook-ca-mismatch", "A webhook's certificate is not trusted", r"failed calling webhook.*x509", alone=0.92),
    row("webhook-backend-missing", "An admission webhook has nobody behind it", r"failed calling webhook", alone=0.88),
    # Network and resources
    row("dns-policy-none", "The pods ask a name server that does not know the cluster", NO_HOST, r"dnsPolicy changed|dnsConfig changed"),
    row("shm-exhausted", "Shared memory is too small", r"/dev/shm.*No space left|No space left.*shm", r"volumes changed| volumeMounts changed", alone=0.85),
    row("fd-limit", "The program may not open more files", r"too many open files", alone=0.8),
)  # fmt: skip
