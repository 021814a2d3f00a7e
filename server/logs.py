"""How the server's log looks: one configuration for `logging`, given to every worker."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from .accesslog import ACCESS_LOGGER
from .settings import LogFormat

if TYPE_CHECKING:
    from .settings import Settings

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
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "lines"},
            "visits": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "visits"},
        },
        "loggers": {
            "calotype": {"handlers": ["lines"], "level": "INFO", "propagate": False},
            ACCESS_LOGGER: {"handlers": ["visits"], "level": "INFO", "propagate": False},
            "uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False},
            "python_multipart": {"level": "CRITICAL"},  # it warns of each odd byte that a client sends
        },
    }
