"""How the log looks, as text and as JSON."""

from __future__ import annotations

import json
import logging
import logging.config
import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from server.accesslog import ACCESS_LOGGER
from server.configuration import load_settings
from server.logs import JsonLines, log_config

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("calotype", ACCESS_LOGGER, "uvicorn", "python_multipart")


@pytest.fixture(autouse=True)
def _loggers() -> Iterator[None]:
    """Put the loggers back."""
    before = [(logging.getLogger(name), *_state(name)) for name in NAMES]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate


def _state(name: str) -> tuple[list[logging.Handler], int, bool]:
    logger = logging.getLogger(name)
    return list(logger.handlers), logger.level, logger.propagate


def lines(capsys: pytest.CaptureFixture[str], log_format: str) -> list[str]:
    logging.config.dictConfig(log_config(load_settings({"CALOTYPE_LOG_FORMAT": log_format}).settings))
    logging.getLogger("calotype.part").info("hello %s", "you")
    logging.getLogger(ACCESS_LOGGER).info("%s", '{"path": "/"}')
    logging.getLogger("uvicorn.error").info("chatter")
    logging.getLogger("python_multipart.multipart").warning("chatter")
    try:
        int("broken\nin two")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_text_has_the_time_first(capsys: pytest.CaptureFixture[str]) -> None:
    found = lines(capsys, "text")
    assert found[0].endswith(" INFO hello you")
    assert found[0][:2] == "20"
    assert found[1].endswith(' INFO {"path": "/"}')
    assert "chatter" not in "".join(found)


def test_every_json_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    hello, visit, failed = (json.loads(line) for line in lines(capsys, "json"))
    assert (hello["level"], hello["logger"], hello["message"]) == ("INFO", "calotype.part", "hello you")
    assert visit == {"path": "/"}
    assert "ValueError" in failed["traceback"]
    assert "\n" in failed["traceback"]


def test_workers_get_it_by_pickle() -> None:
    config = log_config(load_settings({"CALOTYPE_LOG_FORMAT": "json"}).settings)
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - made here
    assert config["formatters"]["lines"]["()"] is JsonLines
    assert sys.stderr is not None
