"""The API server's refusals as instructions: what happened, what to do next. No response bodies."""

import json

from domain.errors import LoopError, Permanent, Transient
from mcp_servers.kube.doc import Doc
from mcp_servers.kube.kinds import Kind


class NotFound(Permanent):
    """There is no such object, or no such kind in this cluster."""


class Conflict(Transient):
    """The object changed between reading and writing; read it again."""


def refusal(status: int, body: bytes, *, verb: str, kind: Kind) -> LoopError:
    """The error for an answer with a status of 400 or more."""
    said = _message(body)
    match status:
        case 404:
            return NotFound(said or f"{kind.resource}: not found")
        case 409:
            return Conflict(said or "the object changed meanwhile; read it again")
        case 401:
            return Permanent("The API server refused the credentials; renew the kubeconfig or the token.")
        case 403:
            return Permanent(_forbidden(said, verb, kind))
        case 429:
            return Transient(f"The API server is throttling: {said}; try again later.")
        case _ if status >= 500:
            return Transient(f"The API server answered {status}: {said}; try again later.")
        case _:
            return Permanent(f"The API server refused the request: {said}")


def _message(body: bytes) -> str:
    """The message of a Status object; empty when the body is something else, such as a proxy's page."""
    try:
        status = json.loads(body)
    except ValueError:
        return ""
    return Doc(status).text("message") if isinstance(status, dict) else ""


def _forbidden(said: str, verb: str, kind: Kind) -> str:
    """Missing rights name the verb and resource to grant; quota and admission speak for themselves."""
    if "cannot " in said or not said:
        return f"Not allowed: grant verb {verb!r} on resource {kind.resource!r} to this account. ({said})"
    return f"The API server refused the request: {said}"
