"""What annotations and labels tell: the last change that went through the change tools, and who manages."""

from mcp_servers.kube.doc import Doc

CHANGE_KEY = "alert-agent/change-key"  # the idempotency key of the last change
RECENT_CHANGES = (
    "alert-agent/recent-changes"  # the keys of the last few, each with the call that takes it back
)


def managed_by(thing: Doc) -> str:
    """The tool that would overwrite a change made here: Flux, Argo CD, Helm; empty when none is named."""
    marks = {key for key, value in (thing.labels | thing.annotations).items() if value}
    if any("toolkit.fluxcd.io/" in mark for mark in marks):
        return "Flux"
    if any(mark.startswith("argocd.argoproj.io/") for mark in marks):
        return "Argo CD"
    if thing.labels.get("app.kubernetes.io/managed-by") == "Helm" or "meta.helm.sh/release-name" in marks:
        return "Helm"
    return ""
