"""The documentation as data: pages, fenced blocks, shell commands, inline code, links. It judges nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of text and the page it stands on."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def blocks(language: str) -> list[Found]:
    """The fenced blocks of that language on all pages."""
    return [
        Found(name_of(page), text)
        for page in PAGES
        for found, text in _FENCE.findall(read(page))
        if found == language
    ]


def commands(first_words: str = "") -> list[Found]:
    """The shell commands on all pages, without their comments, that begin so (after variables)."""
    lines = [
        Found(block.page, re.sub(r"\s+#\s.*", "", line))
        for block in blocks("sh")
        for line in block.text.splitlines()
        if line.strip()
    ]
    return [line for line in lines if re.sub(r"^(\w+=\S+ )+", "", line.text).startswith(first_words)]


def inline_code() -> Iterator[Found]:
    """Everything between single backticks, fenced blocks left out."""
    for page in PAGES:
        for text in _INLINE.findall(_FENCE.sub("", read(page))):
            yield Found(name_of(page), text)


def links() -> Iterator[Found]:
    """Targets of all links, without anchors."""
    for page in PAGES:
        for target in _LINK.findall(read(page)):
            yield Found(name_of(page), target.partition("#")[0])


def rows(page: Path, columns_count: int) -> Iterator[tuple[str, ...]]:
    """The cells of the page's tables with so many columns, headings and rulers left out."""
    lines = read(page).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        is_heading = following.startswith("|---") or line.startswith("|---")
        if line.startswith("| ") and not is_heading and len(cells) == columns_count:
            yield cells


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
