"""What the sandbox's API refuses, in the words of a real API server: code, reason, message, details."""

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.fields import Obj
from sandbox.kinds import Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """One wrong field: where it is, what is wrong and, in `reason`, which sort of wrong."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def as_obj(self) -> Obj:
        return {"reason": self.reason, "message": self.message, "field": self.field}


class ApiError(Exception):
    """A refusal; `status()` renders it as the `Status` object that clients read."""

    code = 500
    reason = "InternalError"

    def __init__(self, message: str, details: Obj | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    def status(self) -> Obj:
        body: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        body |= {"message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"

    @classmethod
    def because(cls, kind: Kind, name: str, why: str) -> "Forbidden":
        """The phrase of an admission plugin: `pods "a" is forbidden: why`."""
        return cls(f'{kind.qualified} "{name}" is forbidden: {why}', details_of(kind, name))


class NotFound(ApiError):
    code, reason = 404, "NotFound"

    @classmethod
    def of(cls, kind: Kind, name: str) -> "NotFound":
        return cls(f'{kind.qualified} "{name}" not found', details_of(kind, name))


class PageNotFound(ApiError):
    """A path nobody serves; kubectl words it as a missing resource type."""

    code, reason = 404, "NotFound"

    def __init__(self) -> None:
        super().__init__("the server could not find the requested resource", {})


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"

    @classmethod
    def of(cls, kind: Kind, name: str) -> "AlreadyExists":
        return cls(f'{kind.qualified} "{name}" already exists', details_of(kind, name))


class Conflict(ApiError):
    code, reason = 409, "Conflict"

    @classmethod
    def because(cls, kind: Kind, name: str, why: str) -> "Conflict":
        text = f'Operation cannot be fulfilled on {kind.qualified} "{name}": {why}'
        return cls(text, details_of(kind, name))

    @classmethod
    def precondition(cls, kind: Kind, name: str, why: str) -> "Conflict":
        """A failed precondition of a deletion; these name the kind, not the plural."""
        text = f'Operation cannot be fulfilled on {kind.qualified_kind} "{name}": {why}'
        return cls(text, {**details_of(kind, name), "kind": kind.kind})

    @classmethod
    def stale(cls, kind: Kind, name: str) -> "Conflict":
        advice = "please apply your changes to the latest version and try again"
        return cls.because(kind, name, f"the object has been modified; {advice}")


class Gone(ApiError):
    """A resourceVersion older than the kept history."""

    code, reason = 410, "Expired"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"

    @classmethod
    def because(cls, kind: Kind, name: str, causes: Sequence[Cause]) -> "Invalid":
        """All wrong fields at once: one in plain words, several in brackets."""
        texts = list(dict.fromkeys(str(cause) for cause in causes))
        listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        details: Obj = {"name": name, **({"group": kind.group} if kind.group else {}), "kind": kind.kind}
        details["causes"] = [cause.as_obj() for cause in causes]
        return cls(f'{kind.qualified_kind} "{name}" is invalid: {listed}', details)


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    code, reason = 500, "InternalError"


class ServerSays(ApiError):
    """Refusals that a real server words plainly and sends as 500 without a reason."""

    code, reason = 500, ""


def details_of(kind: Kind, name: str) -> Obj:
    """The `details` of most refusals; `kind` is the plural there, as on a real server."""
    group = {"group": kind.group} if kind.group else {}
    return {"name": name, **group, "kind": kind.plural}
