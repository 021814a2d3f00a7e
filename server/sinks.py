"""Where an upload's bytes go: the contract that the staging of `assets.blobs` fulfils, and one file's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from metadata.errors import CalotypeError, InvalidError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable


class Kept(Protocol):
    """What a sink made of a file's bytes: complete, and gone again if discarded."""

    def discard(self) -> None:
        """Drop the bytes unless somebody has taken them over; doing so again does nothing."""


KeptT = TypeVar("KeptT", bound=Kept)
KeptT_co = TypeVar("KeptT_co", bound=Kept, covariant=True)


class Sink(Protocol[KeptT_co]):
    """One file on its way in; calls block and come from one thread at a time."""

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; the memory behind a view is the caller's again afterwards."""

    def finish(self) -> KeptT_co:
        """Make the bytes complete and durable."""

    def discard(self) -> None:
        """Drop the bytes, unless `finish` has handed them on; doing so again does nothing."""


class FileIntake(Generic[KeptT]):
    """One file into one sink, within a limit. The first failure is kept and the rest of the bytes passed over.

    Attributes:
        size: the bytes seen, those passed over included.
        failure: why the file was given up, if it was.
    """

    def __init__(self, sinks: Callable[[], Sink[KeptT]], limit: int) -> None:
        self._sinks = sinks
        self._limit = limit
        self._sink: Sink[KeptT] | None = None
        self.failure: CalotypeError | None = None
        self.size = 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Pass bytes on; a failure of ours is kept, any other goes up."""
        self.size += len(chunk)
        if self.failure is not None:
            return
        if self.size > self._limit:
            self.fail(too_large(self._limit, self.size))
            return
        try:
            if self._sink is None:
                self._sink = self._sinks()
            self._sink.write(chunk)
        except CalotypeError as error:
            self.fail(error)

    def fail(self, error: CalotypeError) -> None:
        """Give the file up for a reason; an earlier one stands."""
        if self.failure is None:
            self.failure = error
        self.discard()

    def finish(self) -> KeptT | CalotypeError:
        """Return what the sink made of the bytes, or why there is nothing."""
        if self.failure is not None:
            return self.failure
        if self._sink is None:
            return InvalidError("The file is empty.", field="file", actual=0)
        try:
            return self._sink.finish()
        except CalotypeError as error:
            self.fail(error)
            return error

    def discard(self) -> None:
        """Drop the bytes."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.discard()


def too_large(limit: int, actual: int | None) -> TooLargeError:
    """Return the error for a file over the limit; both numbers are bytes, `actual` may be what was seen so far."""
    return TooLargeError(
        f"The file is over the limit of {limit} bytes.",
        limit=limit,
        actual=actual,
        setting="CALOTYPE_MAX_UPLOAD_BYTES",
    )
