"""Masks credentials in text before it leaves the house, above all on its way to an LLM.

Own patterns, each anchored on something that only credentials have. It does not guess from
randomness alone: image digests, uids and git hashes are what people need to read.
"""

import re
from collections.abc import Callable

MASK = "[redacted]"

# Repetitions before a keyword are bounded, so that a hostile log line costs linear time.
_NAME = r"[\w.-]{0,40}"
_VALUE = r""""(?:[^"\\\n]|\\.){1,400}"|'[^'\n]{1,400}'|[^\s"',;&<>(){}]{1,400}"""
_ALWAYS = r"password|passwd|passphrase|pwd(?=[\"']?\s*[:=]\s*[^\s/])"
_MOSTLY = r"secret|token|credentials?|(?:api|access|secret|private|account|auth)[_-]?key"

_WHOLE = (
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
    r"\beyJ[\w-]{8,1000}\.[\w-]{8,8000}\.[\w-]*",  # JSON web token: base64 of '{"'
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",  # AWS key id
    r"\bAIza[\w-]{35}",  # Google API key
    r"\bya29\.[\w-]{20,}",  # Google OAuth token
    r"(?<![\w~.-])[\w~.-]{3}8Q~[\w~.-]{31,34}",  # Azure client secret
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",  # GitHub
    r"\bgithub_pat_\w{22,}",
    r"\bglpat-[\w-]{20,}",  # GitLab
    r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",  # Slack
    r"\bxapp-\d-[A-Za-z0-9-]{10,}",
    r"\bsk-(?=[\w-]{0,200}\d)[\w-]{20,}",  # OpenAI and those who copied its shape
)

# Each keeps its first group and masks the rest.
_AFTER = (
    r"(\bhooks\.slack\.com/(?:services|workflows)/)[\w/-]{10,}",
    r"([?&]sig=)[^&\s\"']{10,}",  # Azure shared access signature
    r"(?i)(\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token|digest)\s{1,3})[^\s\"',]{1,2000}",
    r"(?i)(\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?)(?!bearer\b|basic\b|token\b|digest\b)[^\s\"',]{6,2000}",
    r"(?i)(\bbearer\s{1,3})(?=[^\s\"']{0,200}\d)[\w.~+/=-]{12,}",
)

_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']{0,100}):[^\s/\"']{1,200}@")
_FLAG = re.compile(rf"(?i)(?<![\w-])(--?{_NAME}(?:{_ALWAYS}|{_MOSTLY})\s{{1,3}})(?!-)(?:{_VALUE})")
_ENV = re.compile(
    rf"(?i)(\bname[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?{_NAME}(?:{_ALWAYS}|{_MOSTLY}){_NAME}[\"']?,?\s{{0,40}}"
    rf"[\"']?value[\"']?\s{{0,3}}[:=]\s{{0,3}})(?:{_VALUE})"
)
_PAIR = re.compile(
    rf"(?i)(?<![\w.-])({_NAME}(?:(?P<password>{_ALWAYS})|{_MOSTLY})\\?[\"']?)(\s{{0,3}}(?P<sign>[:=])\s{{0,3}}\\?)"
    rf"(?P<value>{_VALUE})"
)

# What is said about a credential, rather than the credential.
_STATES = frozenset(
    {
        *("invalid", "incorrect", "expired", "missing", "required", "wrong", "empty", "unset", "not"),
        *("is", "was", "null", "none", "nil", "true", "false"),
    }
)
# The shape of a Kubernetes name such as `regcred` or `db-creds-2`: no random part.
_SLUG = re.compile(r"(?:[A-Za-z]{2,24}|\d{1,3})(?:[-.](?:[A-Za-z]{2,24}|\d{1,3})){0,8}\.?")


def redact(text: str) -> str:
    """`text` with every credential replaced by `[redacted]`; running it twice changes nothing more."""
    for rule in _RULES:
        text = rule(text)
    return text


def _masking(pattern: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)
    replacement = rf"\g<1>{MASK}" if compiled.groups else MASK
    return lambda text: compiled.sub(replacement, text)


def _mask_pair(found: re.Match[str]) -> str:
    """`name=value` masked, unless the value only speaks about the credential or names a Secret."""
    value = found["value"]
    bare = value.strip("\"'")
    if not bare or bare.lower() in _STATES:
        return found[0]
    if not found["password"] and found["sign"] == ":" and _SLUG.fullmatch(bare):
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found[1]}{found[3]}{quote}{MASK}{quote}"


_RULES: tuple[Callable[[str], str], ...] = (
    *(_masking(pattern) for pattern in _WHOLE),
    *(_masking(pattern) for pattern in _AFTER),
    lambda text: _URL.sub(rf"\g<1>:{MASK}@", text),
    lambda text: _FLAG.sub(rf"\g<1>{MASK}", text),
    lambda text: _ENV.sub(rf"\g<1>{MASK}", text),
    lambda text: _PAIR.sub(_mask_pair, text),
)
