"""Logs for operators: one JSON object a line, or readable lines on a terminal. Never for people's reports."""

import logging
import sys
from typing import TextIO

import structlog

LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}


def set_up_logs(*, level: str = "info", as_json: bool | None = None, stream: TextIO = sys.stderr) -> None:
    """Send every event of `level` and above to `stream`; libraries' own logs from warning on.

    `as_json` None means JSON lines unless `stream` is a terminal.
    """
    as_json = not stream.isatty() if as_json is None else as_json
    logging.basicConfig(
        level=logging.WARNING, stream=stream, format="%(levelname)s %(name)s %(message)s", force=True
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
