"""How the server's log looks: one configuration for `logging`, given to every worker."""

from __future__ import annotations

import errno
import json
import logging
from typing import TYPE_CHECKING, Any

from .accesslog import ACCESS_LOGGER
from .settings import LogFormat

if TYPE_CHECKING:
    from .settings import Settings

_SCARCE = frozenset({errno.EMFILE, errno.ENFILE})

TEXT = "%(asctime)s %(levelname)s %(message)s"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Scarcity(logging.Filter):
    """Lets one line a second pass of those that say there are too many open files.

    Whoever opens connections until there are no descriptors left could fill the disk with them otherwise.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: float | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record passes."""
        if not _is_scarcity(record):
            return True
        if self._last is not None and 0 <= record.created - self._last < 1:
            return False
        self._last = record.created
        return True


def _is_scarcity(record: logging.LogRecord) -> bool:
    if getattr(record, "errno", None) in _SCARCE:
        return True
    error: BaseException | None = record.exc_info[1] if record.exc_info else None
    while error is not None:
        if isinstance(error, OSError) and error.errno in _SCARCE:
            return True
        error = error.__cause__ or error.__context__
    return False


def log_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`: everything to stderr, in the format of the settings."""
    plain = {"format": TEXT}
    as_json = settings.log_format is LogFormat.JSON
    # A visit is JSON already when the format is JSON.
    visits = {"format": "%(message)s"} if as_json else plain
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": JsonLines} if as_json else plain, "visits": visits},
        "filters": {"scarcity": {"()": Scarcity}},
        "handlers": {
            "lines": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "lines",
                "filters": ["scarcity"],
            },
            "visits": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "visits"},
        },
        "loggers": {
            "calotype": {"handlers": ["lines"], "level": "INFO", "propagate": False},
            ACCESS_LOGGER: {"handlers": ["visits"], "level": "INFO", "propagate": False},
            "uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False},
            "python_multipart": {"level": "CRITICAL"},  # it warns of each odd byte that a client sends
        },
    }
