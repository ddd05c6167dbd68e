"""The API server's refusals as instructions: what happened, what to do next. No response bodies."""

import json

from domain.errors import LoopError, Permanent, Transient
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import Kind
from utils.redact import redact

LOOKING = ("get", "list", "watch")


class NotFound(Permanent):
    """There is no such object, or no such kind in this cluster."""


class NotServed(NotFound):
    """This cluster does not serve the kind in that version."""


class Blocked(Transient):
    """A disruption budget does not allow the eviction now."""


class Conflict(Transient):
    """The object changed between reading and writing; read it again."""


def refusal(status: int, body: bytes, *, verb: str, kind: Kind) -> LoopError:
    """The error for an answer with a status of 400 or more."""
    said = _message(body)
    match status:
        case 404 if _is_unserved(body):
            return NotServed(f"This cluster does not serve {kind.resource} ({kind.api_version}).")
        case 404:
            return NotFound(said or f"{kind.resource}: not found")
        case 409:
            return Conflict(said or "the object changed meanwhile; read it again")
        case 401:
            return Permanent("The API server refused the credentials; renew the kubeconfig or the token.")
        case 403:
            return Permanent(_forbidden(said, verb, kind))
        case 429 if b"DisruptionBudget" in body:
            return Blocked(f"{said} {_causes(body)}".strip())
        case 429:
            return Transient(f"The API server is throttling: {said}; try again later.")
        case _ if status >= 500:
            return Transient(f"The API server answered {status}: {said}; try again later.")
        case _:
            return Permanent(f"The API server refused the request: {said}")


def _status(body: bytes) -> Doc:
    """The Status object; empty when the body is something else, such as a proxy's page."""
    try:
        status = json.loads(body)
    except ValueError:
        return Doc({})
    return Doc(status if isinstance(status, dict) else {})


def _message(body: bytes) -> str:
    return redact(_status(body).text("message"))


def _causes(body: bytes) -> str:
    return "; ".join(cause.text("message") for cause in _status(body).parts("details", "causes"))


def _is_unserved(body: bytes) -> bool:
    """Whether a 404 is about the path: of a group that nobody serves it is plain text."""
    said = _status(body).text("message")
    return said.startswith("the server could not find the requested resource") or not said


def _forbidden(said: str, verb: str, kind: Kind) -> str:
    """Missing rights name the verb and resource to grant; quota and admission speak for themselves."""
    if "cannot " in said or not said:
        asked = f"grant verb {verb!r} on resource {kind.resource!r} to this account"
        return f"Not allowed: {asked}, or apply {_role_file(verb, kind)}. ({said})"
    return f"The API server refused the request: {said}"


def _role_file(verb: str, kind: Kind) -> str:
    """The file of the role that has the right."""
    if kind.name == "Secret":
        return "deploy/rbac/kube-read-secret-keys.yaml"
    return f"deploy/rbac/kube-{'read' if verb in LOOKING else 'change'}.yaml"
