"""Which values of environment and configuration must not be shown.

When in doubt it hides: that costs a look, no more.
"""

import re

from utils.redact import redact

HIDDEN = "(not shown)"
SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|private|auth|cookie|salt|dsn|api_?key|access_?key|_key$|^key$"
    r"|conn(ection)?_?str",
    re.I,
)
RANDOM_WORD = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/_=-]{32,}")
MAX_VALUE_LENGTH = 120


def shown(name: str, value: str) -> str:
    """The value, cut to a line, or a note that it is not shown."""
    if is_secret(name, value):
        return HIDDEN
    return value if len(value) <= MAX_VALUE_LENGTH else value[:MAX_VALUE_LENGTH] + "…"


def shown_text(name: str, text: str) -> str:
    """A value that may have many lines, such as a file in a ConfigMap, with its credentials masked."""
    if "\n" in text and not SECRET_NAME.search(name):
        return redact(text)
    return HIDDEN if is_secret(name, text) else text


def is_secret(name: str, value: str) -> bool:
    """Whether a value must not leave the server."""
    return bool(SECRET_NAME.search(name) or RANDOM_WORD.fullmatch(value)) or redact(value) != value
