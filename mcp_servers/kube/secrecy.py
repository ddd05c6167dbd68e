"""Which environment values must not be shown. When in doubt it hides: that costs a look, no more."""

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
    if SECRET_NAME.search(name) or RANDOM_WORD.fullmatch(value) or redact(value) != value:
        return HIDDEN
    return value if len(value) <= MAX_VALUE_LENGTH else value[:MAX_VALUE_LENGTH] + "…"
