"""One log for everything: our events, and what uvicorn, dramatiq and the helpdesk libraries say, in one format."""

from __future__ import annotations

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.typing import Processor

_LOUD: Final = {
    "zenpy": "warning",
    "urllib3": "warning",
    "httpx": "warning",
    "httpcore": "warning",
    "dramatiq": "warning",
}
"""Libraries that tell of every call (some with its address, which may hold a name) get only their warnings through."""


def configure_logs(level: str, style: Literal["console", "json"]) -> None:
    """Call it once per process, before anything is logged. Lines go to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a second configuration (tests, demo) must reach loggers that exist already
    )
    colours = style == "console" and sys.stderr.isatty()
    renderer: Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=colours)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in _LOUD.items():
        logging.getLogger(name).setLevel(max(logging.getLevelName(level.upper()), logging.getLevelName(least.upper())))
