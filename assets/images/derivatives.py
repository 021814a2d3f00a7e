"""Derived pictures on disk: made once, kept beside the payload they come from, gone with it."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from metadata.errors import CalotypeError, NotFoundError
from metadata.files.atomic import Draft
from metadata.files.trouble import as_ours, told

from ..blobs import layout
from ..media import sniff
from .flights import AbandonedError
from .headers import probe
from .limits import unsupported
from .recent import Recent
from .recipe import recipe
from .refusals import Refusals
from .variants import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from metadata.files.engine import FileEngine

    from ..digest import Digest
    from .flights import Flights
    from .ledger import Ledger
    from .refusals import Asking
    from .tidying import Tidying
    from .variants import Format, Variant
    from .workers import Workers

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW
_HEAD: Final = 64 * 1024
_PIECE: Final = 256 * 1024
_TOUCHED_EVERY_S: Final = 3600
_SLOW_S: Final = 600.0
"""For how long an animation that took too long is shown by its first frame, before it is tried again."""


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived picture.

    Attributes:
        path: its file.
        size: bytes.
        etag: a strong entity tag, without quotes: another recipe has another one.
        media_type: what it is.
        lasting: it comes out the same whenever it is made; not so the first frame of an animation that took too long.
    """

    path: Path
    size: int
    etag: str
    media_type: str
    lasting: bool = True


class Derivatives:
    """Makes derived pictures and finds those that were made.

    Args:
        engine: the data folder's file engine.
        workers: the decoding processes.
        flights: computations under way.
        ledger: the account of all derived pictures.
        tidying: makes room for more of them.
        scratch: a folder for what is being made; it is made when it is missing.
        room: returns when the disk has room for another file.
    """

    def __init__(
        self,
        engine: FileEngine,
        workers: Workers,
        flights: Flights[Derived],
        ledger: Ledger,
        tidying: Tidying,
        scratch: Path,
        room: Callable[[], None],
    ) -> None:
        self._room = room
        self._tidying = tidying
        self._refusals = Refusals(engine.clock)
        self._slow: Recent[Cut] = Recent(engine.clock, _SLOW_S)
        self.workers = workers
        self._ledger = ledger
        self._engine = engine
        self._flights = flights
        self._scratch = scratch

    def get(self, digest: Digest, variant: Variant, form: Format, abandoned: Callable[[], bool] = bool) -> Derived:
        """Return a derived picture; the first who asks waits until it is made.

        Whether the payload is live is the caller's question.

        Args:
            digest: the payload.
            variant: what to show of it and how large.
            form: as what.
            abandoned: tells, while it waits for its turn, that nobody wants it any more.

        Raises:
            NotFoundError: there is no such payload.
            UnsupportedError: it is no picture that smaller ones can be made of.
            InvalidError: it is damaged or over a limit.
            BusyError: too many pictures are being made, or nobody wants it any more.
            FullError: no room for the result.
        """
        found = self.find(digest, variant, form)
        if found is not None:
            return found
        have = partial(self.find, digest, variant, form)
        make = partial(self._make, digest, variant, form, abandoned)
        made = self._flights.fly(_key(digest, variant, form), have, make)
        with suppress(CalotypeError):  # the upkeep tries again, and tells
            self._tidying.relieve(self._ledger.read())
        return made

    def find(self, digest: Digest, variant: Variant, form: Format) -> Derived | None:
        """Return a derived picture that was made before, None where there is none."""
        for cut in self._cuts(digest, form):
            found = self._found(digest, variant, form, cut)
            if found is not None:
                return found
        return None

    def glance(self, digest: Digest) -> Mapping[str, object]:
        """Return `width`, `height`, `frames`, `alpha`, `placeholder` and `perceptualHash` of a picture.

        Raises:
            NotFoundError, UnsupportedError, InvalidError, BusyError: as `get`.
        """
        with self._refusals.asking(digest, f"{digest}/glance") as asking, self._source(digest) as source:
            return self.workers.run({"do": "glance", "mediaType": self._checked(source)}, [source], asking).done

    def close(self) -> None:
        """End the decoding processes."""
        self.workers.close()

    def _folder(self, digest: Digest) -> Path:
        return self._engine.paths.resolve(layout.BINARIES, digest)

    def _touch(self, path: Path, now: float) -> None:
        """Note that it was used: what was used last is kept longest. Where that is not allowed it may go earlier."""
        try:
            os.utime(path, (now, now), follow_symlinks=False)
        except OSError:
            return

    def _cuts(self, digest: Digest, form: Format) -> tuple[Cut, ...]:
        """Return what may stand for a picture, best first; one that has not the time to move stands for a while."""
        if not form.moves:
            return (Cut.NOT,)
        return (Cut.NOT, Cut.LIMITS) if self._slow.get(digest) is None else tuple(Cut)

    def _found(self, digest: Digest, variant: Variant, form: Format, cut: Cut) -> Derived | None:
        name = self._name(variant, form, cut)
        path = self._folder(digest) / name
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not stat.S_ISREG(found.st_mode) or not found.st_size:  # empty: not synced, and then the power went
            return None
        now = self._engine.clock.now().timestamp()
        if now - found.st_mtime > _TOUCHED_EVERY_S:
            self._touch(path, now)
        return self._derived(digest, path, found.st_size, form, cut)

    def _derived(self, digest: Digest, path: Path, size: int, form: Format, cut: Cut) -> Derived:
        etag = f"{digest}-{path.name.rpartition('.')[0]}-{form.value}"
        return Derived(path, size, etag, form.media_type, lasting=cut is not Cut.TIME)

    def _name(self, variant: Variant, form: Format, cut: Cut) -> str:
        """Name a derived file: by all that decides what is in it, but for the time there was."""
        marks = {Cut.NOT: "", Cut.LIMITS: f"-still-{self.workers.limits.mark}", Cut.TIME: "-hurried"}
        return layout.derived(f"{variant.name}{marks[cut]}", recipe(), form.value)

    def _make(self, digest: Digest, variant: Variant, form: Format, abandoned: Callable[[], bool]) -> Derived:
        with self._refusals.asking(digest, _key(digest, variant, form), abandoned) as asking:
            self._room()
            try:
                return self._made(digest, variant, form, asking)
            except AbandonedError:
                raise
            except CalotypeError:
                self._ledger.add(refused=1)
                raise

    def _made(self, digest: Digest, variant: Variant, form: Format, asking: Asking) -> Derived:
        known_slow = self._slow.get(digest) is not None
        with self._source(digest) as source, self._sink() as sink:
            job = {
                "do": "derive",
                "mediaType": self._checked(source),
                "width": variant.width,
                "height": variant.height,
                "fit": variant.fit.value,
                "format": form.value,
                "still": known_slow,
            }
            answer = self.workers.run(job, [source, sink], asking)
            cut = Cut(str(answer.done["cut"]))
            if cut is Cut.TIME and not known_slow:
                self._slow.note(digest, cut)
            name = self._name(variant, form, cut)
            size = self._publish(digest, name, sink)
        self._ledger.add(size=size, files=1, computed=1, peak_bytes=answer.peak_bytes)
        return self._derived(digest, self._folder(digest) / name, size, form, cut)

    def _checked(self, source: int) -> str:
        """Return the media type of an open payload: a picture whose header is within the limits."""
        head = os.pread(source, _HEAD, 0)
        media = sniff(head)
        if not media.picture:
            raise unsupported(media.type)
        found = probe(head, lambda offset, length: os.pread(source, length, offset))
        if found is not None:
            self.workers.limits.check(found.size.width, found.size.height, found.traits.frames or 1)
        return media.type

    @contextmanager
    def _source(self, digest: Digest) -> Iterator[int]:
        fs = self._engine.fs
        with _told(digest, "read"):
            descriptor = fs.open(self._folder(digest) / layout.RAW, _READ)
        try:
            yield descriptor
        finally:
            fs.close(descriptor)

    @contextmanager
    def _sink(self) -> Iterator[int]:
        """Open a file without a name, which a decoding process may write."""
        with ExitStack() as stack:
            with told(self._scratch, "written to"):
                self._scratch.mkdir(parents=True, exist_ok=True)
                file = stack.enter_context(tempfile.TemporaryFile(dir=self._scratch))
            yield file.fileno()

    def _publish(self, digest: Digest, name: str, sink: int) -> int:
        """Copy what was made to its place; synced, or a power cut could leave a name with half a picture."""
        fs = self._engine.fs
        place = f"{layout.BINARIES}/{digest}/{name}"
        with _told(digest, "written", place), Draft(fs, self._folder(digest) / name) as draft:
            while piece := os.pread(sink, _PIECE, draft.size):
                draft.write(piece)
            draft.publish(sync=self._engine.flusher.whole_files)
            return draft.size


def _key(digest: Digest, variant: Variant, form: Format) -> str:
    return f"{digest}/{variant.name}.{form.value}"


@contextmanager
def _told(digest: Digest, doing: str, path: str = "") -> Iterator[None]:
    """Say what the system refuses about a payload: absent is one answer, everything else another."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no payload {digest}.", object=str(digest)) from error
    except OSError as error:
        raise as_ours(error, path or layout.relative_path(digest), doing) from error
