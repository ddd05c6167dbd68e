"""One error tree that answers one question: what may the caller do now?"""


class LoopError(Exception):
    """Base of everything the service raises on purpose; the text names the next step."""


class Transient(LoopError):
    """The world was busy; the same call may work later."""


class Permanent(LoopError):
    """The same call will never work; a person or a change is needed."""


class Refused(LoopError):
    """Policy said no; `rule` says which one. Not a fault: never logged as an error."""

    def __init__(self, text: str, *, rule: str) -> None:
        super().__init__(text)
        self.rule = rule


class ToolTimeout(Transient):
    """A tool did not answer within its budget; nothing is known about what it did."""


class ToolUnavailable(Transient):
    """The tool's server is missing, dying or not yet connected."""


class ToolFailed(Permanent):
    """The tool answered that the call cannot be done as asked (unknown object, bad argument)."""


class BadInput(Permanent):
    """A body, file or argument from outside is not understood; `field` names the place."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class JournalUnavailable(Transient):
    """The journal cannot commit now (disk full, locked, closing); nothing was written."""
