"""How the log looks, as text and as JSON."""

from __future__ import annotations

import errno
import json
import logging
import logging.config
import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from server.accesslog import ACCESS_LOGGER
from server.configuration import load_settings
from server.logs import JsonLines, Scarcity, log_config

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


def record(at: float, error: BaseException | None = None, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("calotype", logging.ERROR, __file__, 1, "failed", (), None)
    made.created = at
    made.__dict__.update(more)
    if error is not None:
        made.exc_info = (type(error), error, None)
    return made


def test_one_line_a_second_of_too_many_open_files() -> None:
    scarcity = Scarcity()
    scarce = OSError(errno.EMFILE, "Too many open files")
    caused = RuntimeError("cannot")
    caused.__cause__ = scarce
    passed = [scarcity.filter(record(100 + tenth / 10, scarce)) for tenth in range(25)]
    assert passed == [True, *[False] * 9, True, *[False] * 9, True, *[False] * 4]
    assert not scarcity.filter(record(102.5, caused))
    assert not scarcity.filter(record(102.6, errno=errno.ENFILE))
    assert scarcity.filter(record(50, scarce))  # the clock was set back


def test_everything_else_passes() -> None:
    scarcity = Scarcity()
    for at in range(3):
        assert scarcity.filter(record(at / 10, OSError(errno.EIO, "bad")))
        assert scarcity.filter(record(at / 10))
        assert scarcity.filter(record(at / 10, errno=None))
