"""Puts the report where people find it: one Markdown file an incident, written whole or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from domain.errors import LoopError, Transient
from domain.incident import Incident
from report.markdown import render

Prose = Callable[[Incident], Awaitable[str | None]]


class ReportWriter:
    """Writes `<folder>/<incident id>.md`. `prose` may add a summary in free words, or fail without harm."""

    def __init__(self, folder: Path, *, prose: Prose | None = None) -> None:
        self._folder = folder
        self._prose = prose

    async def write(self, incident: Incident) -> Path:
        """Write the report and return its path. Raises Transient when the folder cannot be written."""
        text = render(incident, prose=await self._words(incident))
        path = self._folder / f"{incident.id}.md"
        try:
            await asyncio.to_thread(_write, path, text)
        except OSError as error:
            raise Transient(f"{path}: {error.strerror}; make the reports folder writable") from error
        return path

    async def _words(self, incident: Incident) -> str:
        if self._prose is None:
            return ""
        try:
            return await self._prose(incident) or ""
        except LoopError:
            return ""  # the report is complete without it


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
