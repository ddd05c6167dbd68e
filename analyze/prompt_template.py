"""Prompts are Markdown files with a front matter: version, variables, the system text, then the question.

What comes from alerts, logs or events stands inside `{% filter fenced("…") %}` blocks, which mark it
as data that nobody obeys.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import yaml
from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, meta
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.errors import BadInput
from utils.redact import redact
from utils.words import printable

FOLDER = Path(__file__).parent / "prompts"
OPENING, CLOSING = "<<<", ">>>"  # fence marks; inside a fence they are written as ‹‹‹ and ›››


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int
    variables: list[str]
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """One prompt file, checked when it is read: it uses exactly the variables that it declares."""

    version: int
    system: str
    _question: Template

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a prompt. Raises BadInput naming the file and what is wrong in it."""
        head, question = _split(path)
        try:
            front = _FrontMatter.model_validate(yaml.safe_load(head))
            used = meta.find_undeclared_variables(_JINJA.parse(question))
            template = _JINJA.from_string(question)
        except (yaml.YAMLError, ValidationError, TemplateSyntaxError) as error:
            raise BadInput(f"{path.name}: {error}", field=path.name) from error
        if used != set(front.variables):
            odd = ", ".join(sorted(used ^ set(front.variables)))
            raise BadInput(f"{path.name}: variables and their use differ in {odd}", field="variables")
        return cls(version=front.version, system=front.system.strip(), _question=template)

    def render(self, **values: object) -> str:
        """The question with its variables filled in; a missing one raises jinja2.UndefinedError."""
        return self._question.render(**values).strip()


def fenced(text: str, name: str) -> str:
    """`text` between marks that it cannot contain itself, without credentials and control characters."""
    # first what cannot be seen: left in, it would hide marks and credentials until it is taken out
    clean = redact(printable(text.strip())).replace(OPENING, "‹‹‹").replace(CLOSING, "›››")
    return f"{OPENING}DATA {name}\n{clean}\nDATA{CLOSING}"


def cut(text: object, length: int) -> str:
    """`text` at most `length` characters long, its middle left out, credentials masked before cutting."""
    said = redact(str(text))
    if len(said) <= length:
        return said
    half = (length - 5) // 2
    return f"{said[:half]} […] {said[-half:]}"


def _split(path: Path) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")
    _, opening, rest = text.partition("---\n")
    head, closing, question = rest.partition("\n---\n")
    if not opening or not closing:
        raise BadInput(f"{path.name}: starts with no front matter between --- lines", field=path.name)
    return head, question


_JINJA = Environment(
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701 — Markdown for an LLM, not HTML for a browser
)
_JINJA.filters.update(fenced=fenced, cut=cut)
