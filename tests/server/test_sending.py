"""A file on its way to a client, over real sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING

import pytest

from server.sending import Sending, Source

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 20_000_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.write_bytes(os.urandom(SIZE))
    return path


class Client:
    """The two ends of a connection and what became of the sending."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        for end in (self.near, self.far):
            end.settimeout(0)
        self.ended: list[bool] = []

    def sending(self, file: Path, start: int, length: int) -> Sending:
        loop = asyncio.get_running_loop()
        return Sending(loop, self.near.fileno(), b"head", os.open(file, os.O_RDONLY), start, length, self.ended.append)

    async def read(self, count: int) -> bytes:
        got = bytearray()
        while len(got) < count and (piece := await asyncio.get_running_loop().sock_recv(self.far, 1 << 20)):
            got += piece
        return bytes(got)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough


@pytest.mark.parametrize(("start", "length"), [(0, SIZE), (12_345, 9_000_000), (SIZE - 1, 1)])
def test_every_byte_comes_in_order(file: Path, start: int, length: int) -> None:
    async def go() -> bytes:
        client = Client()
        sending = client.sending(file, start, length)
        sending.go_on()
        got = await client.read(4 + length)
        while not client.ended:  # noqa: ASYNC110 - the loop's own doing
            await asyncio.sleep(0)
        assert (client.ended, sending.left) == ([True], 0)
        client.near.close()
        client.far.close()
        return got

    before = descriptors()
    assert asyncio.run(go()) == b"head" + file.read_bytes()[start : start + length]
    assert descriptors() == before


def test_a_client_that_goes_ends_it(file: Path) -> None:
    async def go() -> list[bool]:
        client = Client()
        sending = client.sending(file, 0, SIZE)
        sending.go_on()
        assert 0 < sending.left < SIZE
        client.far.close()
        while not client.ended:  # noqa: ASYNC110 - the loop's own doing
            await asyncio.sleep(0)
        client.near.close()
        return client.ended

    before = descriptors()
    assert asyncio.run(go()) == [False]
    assert descriptors() == before


def test_a_file_that_is_too_short_ends_it(file: Path) -> None:
    async def go() -> list[bool]:
        client = Client()
        client.sending(file, SIZE - 10, 20).go_on()
        assert len(await client.read(14)) == 14
        client.near.close()
        client.far.close()
        return client.ended

    assert asyncio.run(go()) == [False]


def test_who_stops_it_hears_how_far_it_came(file: Path) -> None:
    async def go() -> list[bool]:
        client = Client()
        sending = client.sending(file, 0, SIZE)
        sending.go_on()
        sending.stop()
        sending.stop()
        assert sending.sent == SIZE + 4 - len(b"head") - sending.left
        await asyncio.sleep(0)
        client.near.close()
        client.far.close()
        return client.ended

    before = descriptors()
    assert asyncio.run(go()) == [False]
    assert descriptors() == before


def test_only_a_file_that_holds_all_of_it_is_opened(file: Path, tmp_path: Path) -> None:
    before = descriptors()
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "pipe")
    for path, start in ((tmp_path, 0), (tmp_path / "pipe", 0), (tmp_path / "link", 0), (file, SIZE - 9)):
        with pytest.raises(OSError, match=r"\[Errno"):
            Source(path, start).open(10)
        assert Source(path, start).read(10) is None
    assert len(Source(file, SIZE - 10).read(10) or b"") == 10
    assert descriptors() == before


def test_without_a_descriptor_left_the_file_stays_its_callers(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, "too many")

    async def go() -> None:
        client = Client()
        monkeypatch.setattr(os, "dup", refuse)
        with pytest.raises(OSError, match="too many"):
            Sending(asyncio.get_running_loop(), client.near.fileno(), b"", opened, 0, 1, client.ended.append)
        client.near.close()
        client.far.close()

    opened = os.open(file, os.O_RDONLY)
    asyncio.run(go())
    os.close(opened)
