"""A stretch of an open file as a file of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from metadata.errors import InvalidError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

    from metadata.files.filesystem import FileSystem


class Window(io.RawIOBase):
    """Bytes `start` to `stop` of a descriptor, which it owns and closes; wrap it in `io.BufferedReader`.

    Reads name their place in the file, so the descriptor's own position is nobody's concern.
    """

    def __init__(self, fs: FileSystem, descriptor: int, start: int, stop: int) -> None:
        super().__init__()
        self._fs = fs
        self._descriptor = descriptor
        self._start = start
        self._length = stop - start
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill the buffer from the current place; return how many bytes that were."""
        with memoryview(buffer).cast("B") as view:
            wanted = max(min(len(view), self._length - self._position), 0)
            data = self._fs.pread(self._descriptor, wanted, self._start + self._position) if wanted else b""
            view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place counted from the stretch's start, the current place, or the stretch's end.

        Raises:
            InvalidError: the place lies before the start, or `whence` is unknown.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}.get(whence)
        if base is None or base + offset < 0:
            raise InvalidError(f"There is no place {offset} from {whence} in a stretch of {self._length} bytes.")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the current place, counted from the stretch's start."""
        return self._position

    def close(self) -> None:
        """Close the descriptor; doing so again does nothing."""
        if not self.closed:
            self._fs.close(self._descriptor)
        super().close()
