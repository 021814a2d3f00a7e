"""A file on its way to a client: the kernel copies it from its cache to the socket (`sendfile`).

It goes around the transport, whose buffer has to be empty, through a descriptor of its own: an event loop refuses to
watch one that a transport uses.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path


class Source(NamedTuple):
    """Where the content of an answer lies.

    Attributes:
        path: the file.
        start: where in it the content begins.
    """

    path: Path
    start: int

    def open(self, length: int) -> int:
        """Return a new descriptor of the file, which has content of this length.

        Raises:
            OSError: it is not there, is a link or no file, or is too short.
        """
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size < self.start + length:
            os.close(descriptor)
            raise OSError(errno.ENODATA, os.strerror(errno.ENODATA), str(self.path))
        return descriptor

    def read(self, length: int) -> bytes | None:
        """Return so many bytes of the content; None when they cannot be had."""
        try:
            descriptor = self.open(length)
        except OSError:
            return None
        try:
            found = os.pread(descriptor, length, self.start)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return found if len(found) == length else None


_TURN = 4 * 1024 * 1024
"""Bytes after which others have their turn."""


class Sending:
    """Sends some bytes and then a part of a file.

    Args:
        loop: the event loop.
        descriptor: the client's socket, which does not block; it stays the caller's.
        head: what comes first.
        file: a descriptor of the file; closed at the end, but not when this raises.
        start: where in it the part begins.
        length: bytes of the part.
        done: called at the end: with True when everything was handed to the system, with False when the client is
            gone, the file has become too short, or it was stopped.

    Raises:
        OSError: there is no descriptor left.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        descriptor: int,
        head: bytes,
        file: int,
        start: int,
        length: int,
        done: Callable[[bool], None],
    ) -> None:
        self._loop = loop
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._head = head
        self._file = file
        self._start = self._place = start
        self._end = start + length
        self._done: Callable[[bool], None] | None = done
        self._watching = False
        self._next: asyncio.Handle | None = None

    @property
    def left(self) -> int:
        """Bytes that are still to be handed over."""
        return len(self._head) + self._end - self._place

    @property
    def sent(self) -> int:
        """Bytes of the file that were handed over."""
        return self._place - self._start

    def go_on(self) -> None:
        """Send as much as the client takes now, and go on when it takes more."""
        self._next = None
        try:
            finished = self._send()
        except BlockingIOError:
            if not self._watching:
                self._watching = True
                self._loop.add_writer(self._socket.fileno(), self.go_on)
            return
        except OSError:
            self._finish(whole=False)
            return
        if finished is not None:
            self._finish(whole=finished)
        elif not self._watching:
            self._next = self._loop.call_soon(self.go_on)

    def stop(self) -> None:
        """Let go of everything."""
        self._finish(whole=False)

    def _send(self) -> bool | None:
        """Send one turn's worth; tell whether all is sent, None when some is left, False when there is no more."""
        while self._head:
            self._head = self._head[self._socket.send(self._head, socket.MSG_MORE) :]
        sent = 0
        while self._place < self._end and sent < _TURN:
            count = os.sendfile(self._socket.fileno(), self._file, self._place, self._end - self._place)
            if not count:
                return False
            self._place += count
            sent += count
        return True if self._place == self._end else None

    def _finish(self, *, whole: bool) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_writer(self._socket.fileno())
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._socket.close()
        done, self._done = self._done, None
        if done is not None:
            done(whole)
