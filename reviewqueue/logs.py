"""How log lines look: one JSON object each, with the request's id and person bound by django-structlog."""

from typing import Any

import orjson
import structlog
from structlog.typing import Processor

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def formatter(level: str) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter of the console handler; also sets up structlog itself, which passes over lower levels."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return structlog.stdlib.ProcessorFormatter(
        processor=structlog.processors.JSONRenderer(_json), foreign_pre_chain=list(SHARED)
    )


def _json(line: dict[str, Any], default: Any, **_options: Any) -> str:
    """Write a line; `default` says how to write what JSON does not know."""
    return orjson.dumps(line, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
