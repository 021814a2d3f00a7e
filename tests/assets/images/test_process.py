"""A decoding process: what it gets, what it may use, and how it ends."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assets.images.limits import Limits
from assets.images.process import Process
from metadata.errors import BusyError, CalotypeError, FullError, InternalError, InvalidError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

JOB = {
    "do": "derive",
    "mediaType": "image/png",
    "width": 32,
    "height": 32,
    "fit": "cover",
    "format": "png",
    "still": False,
}
GLANCE = {"do": "glance", "mediaType": "image/png"}
SLEEPER = """
import os, sys, threading, time
from assets.images.limits import Limits
from assets.images.process import Process
process = Process(Limits(seconds=600))
if sys.argv[1] == "at work":  # it waits in the middle of a job for bytes that never come
    reader, writer = os.pipe()
    job = {"do": "glance", "mediaType": "image/png"}
    threading.Thread(target=process.ask, args=(job, [reader]), daemon=True).start()
    os.write(writer, bytes(9))
print(process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def making(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    return load_beside(Path(__file__).with_name("conftest.py"))


@pytest.fixture
def process() -> Iterator[Process]:
    started = Process(Limits(pixels=1_000_000))
    yield started
    started.end()


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while _alive(pid):
        assert time.monotonic() < deadline, f"{pid} is still there"
        time.sleep(0.01)


def _file(data: bytes) -> Iterator[int]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        yield file.fileno()


@pytest.fixture
def source(making: ModuleType) -> Iterator[int]:
    yield from _file(making.picture())


@pytest.fixture
def sink() -> Iterator[int]:
    yield from _file(b"")


def test_it_does_one_job_after_the_other(process: Process, source: int, sink: int) -> None:
    for _ in range(3):
        answer = process.ask(JOB, [source, sink])
        assert (answer.done["width"], answer.done["height"], answer.done["frames"]) == (32, 32, 1)
        assert os.pread(sink, 8, 0) == b"\x89PNG\r\n\x1a\n"
        assert process.usable
        assert answer.peak_bytes > 1_000_000
    assert process.ask(GLANCE, [source]).done["width"] == 400


def test_it_has_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, no open file, no folder: a picture that took it over would find nothing."""
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", "secret")
    with (tmp_path / "ours").open("wb") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003 - as a careless library leaves it
        process = Process(Limits())
    try:
        place = Path(f"/proc/{process.pid}")
        deadline = time.monotonic() + 30
        while b"worker" not in (place / "cmdline").read_bytes():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        names = {each.partition(b"=")[0] for each in (place / "environ").read_bytes().split(b"\0") if each}
        memory = {b"MALLOC_ARENA_MAX", b"MALLOC_MMAP_THRESHOLD_", b"MALLOC_TRIM_THRESHOLD_"}
        assert names == {b"PYTHONPATH", b"PYTHONDONTWRITEBYTECODE", b"LANG"} | memory
        assert (place / "cwd").readlink() == Path("/")
        assert str(tmp_path) not in " ".join(str(link.readlink()) for link in (place / "fd").iterdir())
    finally:
        process.end()


def test_it_is_limited_before_it_sees_a_picture(process: Process, source: int) -> None:
    process.ask(GLANCE, [source])
    limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
    rows = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    memory = str(Limits(pixels=1_000_000).memory_bytes)
    assert rows["Max address space"] == [memory, memory]
    assert rows["Max core file size"] == ["0", "0"]
    assert int(rows["Max cpu time"][0]) <= 13


def test_a_refusal_leaves_it_usable(process: Process, making: ModuleType, source: int, sink: int) -> None:
    for text in _file(b"no picture"):
        with pytest.raises(InvalidError, match="damaged"):
            process.ask(JOB, [text, sink])
    for large in _file(making.picture(size=(1100, 1000))):
        with pytest.raises(InvalidError, match="CALOTYPE_MAX_PIXELS") as caught:
            process.ask(JOB, [large, sink])
        assert caught.value.details["actual"] == 1_100_000
    with pytest.raises(UnsupportedError, match="text/plain"):
        process.ask({**JOB, "mediaType": "text/plain"}, [source, sink])
    assert process.usable
    assert process.ask(JOB, [source, sink]).done["width"] == 32


def test_a_mistake_of_ours_is_told_as_one(process: Process, source: int) -> None:
    with pytest.raises(InternalError, match="KeyError: 'no such job'"):
        process.ask({"do": "no such job"}, [source])
    assert process.usable


def test_one_that_takes_too_long_is_given_up(making: ModuleType, sink: int) -> None:
    process = Process(Limits(seconds=0.05))
    for large in _file(making.picture(size=(4000, 4000), compress_level=0)):
        with pytest.raises(InvalidError, match="CALOTYPE_DECODE_TIMEOUT_S"):
            process.ask({**JOB, "format": "avif", "width": 2048, "height": 2048}, [large, sink])
    assert not process.usable
    process.end()
    assert not _alive(process.pid)


@pytest.mark.parametrize(
    ("sign", "error", "said"),
    [
        (signal.SIGKILL, BusyError, "from outside"),
        (signal.SIGTERM, BusyError, "from outside"),
        (signal.SIGSEGV, InvalidError, "brought the program down"),
        (signal.SIGABRT, InvalidError, "brought the program down"),
        (signal.SIGXCPU, InvalidError, "CALOTYPE_DECODE_TIMEOUT_S"),
    ],
)
def test_whose_fault_an_end_was_is_told(
    process: Process, source: int, sink: int, sign: signal.Signals, error: type[CalotypeError], said: str
) -> None:
    """A picture that crashes a decoder is refused; of one that the system ended nothing is known."""
    process.ask(JOB, [source, sink])
    assert process.alive
    os.kill(process.pid, sign)
    _until_gone(process.pid)
    assert not process.alive
    with pytest.raises(error, match=said) as caught:
        process.ask(JOB, [source, sink])
    assert caught.value.details.get("exitStatus", -sign) == -sign
    assert not process.usable
    assert process.lost


def test_it_ends_when_it_is_told_to(process: Process) -> None:
    process.end()
    process.end()
    assert not _alive(process.pid)


@pytest.mark.parametrize("state", ["idle", "at work"])
@pytest.mark.parametrize("sign", [9, 15])
def test_it_ends_with_its_parent(sign: int, state: str) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER, state], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert _alive(pid)
        if state == "at work":
            deadline = time.monotonic() + 30
            while not any(str(link.readlink()).startswith("pipe:") for link in Path(f"/proc/{pid}/fd").iterdir()):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        parent.send_signal(sign)
    _until_gone(pid)


def test_too_much_memory_is_a_refusal(making: ModuleType, source: int, sink: int) -> None:
    """Room is left for what it has and a little more; the picture takes ninety times that."""
    process = Process(Limits())
    try:
        process.ask(JOB, [source, sink])
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        taken = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize")) * 1024
        most = taken + 1024 * 1024
        resource.prlimit(process.pid, resource.RLIMIT_AS, (most, most))
        for large in _file(making.picture(size=(5400, 5400), compress_level=1)):
            with pytest.raises(InvalidError, match="bytes of memory"):
                process.ask(JOB, [large, sink])
        assert not process.usable
    finally:
        process.end()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk without room is played by Linux's /dev/full")
def test_a_disk_without_room_is_told_as_that(process: Process, source: int, sink: int) -> None:
    with Path("/dev/full").open("wb") as full, pytest.raises(FullError, match="No space left"):
        process.ask(JOB, [source, full.fileno()])
    assert process.usable
    assert process.ask(JOB, [source, sink]).done["width"] == 32
