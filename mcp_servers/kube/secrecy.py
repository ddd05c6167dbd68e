"""Which environment values must not be shown. When in doubt it hides: that costs a look, no more."""

import re

HIDDEN = "(not shown)"
SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|private|auth|cookie|salt|dsn|api_?key|access_?key|_key$|^key$"
    r"|conn(ection)?_?str",
    re.I,
)
SECRET_VALUE = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@"  # a password inside a URL
    r"|-----BEGIN"  # a key in PEM form
    r"|^eyJ[\w-]+\.[\w-]+\."  # a JSON web token
    r"|^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/_=-]{32,}$"  # a long random word
    r"|(password|secret|token|sig)=",
    re.I,
)
MAX_VALUE_LENGTH = 120


def shown(name: str, value: str) -> str:
    """The value, cut to a line, or a note that it is not shown."""
    if SECRET_NAME.search(name) or SECRET_VALUE.search(value):
        return HIDDEN
    return value if len(value) <= MAX_VALUE_LENGTH else value[:MAX_VALUE_LENGTH] + "…"
