"""Loggers: events with fields, through structlog, without configuring it."""

from __future__ import annotations

from typing import Any

__all__ = ["get_logger"]


def get_logger(name: str, /) -> Any:
    """Return a structlog logger for one module.

    Where the program has configured structlog, that configuration applies. Where it has not,
    structlog would print to the standard output; events then go to the standard library's logger
    of the same name, with their fields as attributes of the record.
    """
    import structlog

    if structlog.is_configured():
        return structlog.get_logger(name)
    import logging

    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
