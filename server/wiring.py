"""The only place that names concrete classes: from settings to an opened store."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Self

from assets.backup.backups import Backups
from assets.backup.taking import Origin
from assets.blobs.local import LocalBlobs
from assets.disposal import Disposal
from assets.gc import Collection, Premises
from assets.gc.state import State
from assets.images.limits import Limits
from assets.images.prints import Prints
from assets.library import Library, Shards
from assets.room import Room
from assets.trash import Trash
from metadata.clock import Clock, SystemClock, timestamp
from metadata.documents.json_files import JsonFiles
from metadata.errors import InvalidError
from metadata.files.engine import FileEngine
from metadata.files.flush import Durability
from metadata.files.folder import Opened, prepare
from metadata.files.mounts import network_file_system
from metadata.ids import Ids, RandomIds
from metadata.repositories.backing import ensure_first
from metadata.repositories.container import Repositories
from metadata.repositories.facts import FactsRepository
from metadata.schemas.baseline import baseline

from .checks import checks_of
from .vault import open_vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from metadata.files.filesystem import FileSystem
    from metadata.schemas.users import User

    from .checks import Checks
    from .settings import Settings
    from .vault import Vault


@dataclass(frozen=True, slots=True)
class Store:
    """An opened data folder and everything that works on it.

    Attributes:
        settings: what it was opened with.
        folder: how the folder was found.
        clock: the time.
        documents: raw records; for maintenance, the repositories serve everything else.
        assets: payloads and their records.
        owner: the first user, in whose name the command line and requests without sign-in act.
        vault: what seals and opens.
        records: every repository.
        prints: derived pictures.
        gc: the garbage collection.
        backups: takes backups.
    """

    settings: Settings
    folder: Opened
    clock: Clock
    engine: FileEngine
    documents: JsonFiles
    assets: Library
    owner: User
    vault: Vault
    records: Repositories
    prints: Prints
    gc: Collection
    backups: Backups

    @property
    def checks(self) -> Checks:
        """What checks and mends the folder."""
        documents, vault = self.documents, self.vault
        return checks_of(documents, documents.projection, documents.usage, self.assets.blobs, vault.keys, vault.sealer)

    def close(self) -> None:
        """End the decoding processes, and let go of files, locks and the index."""
        self.prints.close()
        self.assets.blobs.close()
        self.documents.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store."""
        self.close()


def open_store(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    fs: FileSystem | None = None,
    git_private: bool = False,
    hand_over: Callable[[], None] | None = None,
) -> Store:
    """Open the data folder; an absent or empty one becomes a store.

    Args:
        settings: `data_dir` and the rest.
        clock: the time, for tests.
        ids: makes ids, for tests.
        fs: the operating system's calls, for tests.
        git_private: a new folder's `.gitignore` leaves out chats and settings too.
        hand_over: see `JsonFiles`.

    Raises:
        InvalidError: the folder is not ours, of a newer format, or open to everybody.
        UnreadableError: it cannot be read or written.
        BusyError: another process holds it for too long.
    """
    clock, ids = clock or SystemClock(), ids or RandomIds()
    folder, engine, documents = _opened(settings, clock, ids, fs, git_private=git_private, hand_over=hand_over)
    try:
        return _assemble(settings, folder, engine, documents, clock, ids)
    except BaseException:
        documents.close()
        raise


@contextmanager
def open_checks(settings: Settings, *, clock: Clock | None = None) -> Iterator[Checks]:
    """Open the data folder to check and mend it; besides its marker nothing in it has to be sound.

    Raises:
        CalotypeError: as `open_store`.
    """
    _, engine, documents = _opened(settings, clock or SystemClock(), RandomIds(), None)
    with closing(documents):
        vault = open_vault(settings, engine, documents, lambda: "", documents.sweep)
        with closing(_blobs(engine)) as blobs:
            yield checks_of(documents, documents.projection, documents.usage, blobs, vault.keys, vault.sealer)


@contextmanager
def open_backups(settings: Settings) -> Iterator[Backups]:
    """Open the data folder to take backups of it; neither its records nor its keys have to be sound.

    Raises:
        CalotypeError: as `open_store`.
    """
    _, engine, documents = _opened(settings, SystemClock(), RandomIds(), None, git_private=False)
    with closing(documents):
        vault = open_vault(settings, engine, documents, lambda: "", documents.sweep)
        trash = Trash(engine, FactsRepository(documents, clock=engine.clock), engine.clock)
        yield _backups(settings, engine, documents, vault, trash)


def _backups(settings: Settings, engine: FileEngine, documents: JsonFiles, vault: Vault, trash: Trash) -> Backups:
    cache = settings.cache_dir or engine.paths.resolve("cache")
    survey = vault.rotation.survey
    return Backups(Origin(engine, documents, documents.usage, trash, survey, cache, RandomIds(), _version()))


def _version() -> str:
    try:
        return version("calotype")
    except PackageNotFoundError:
        return "not installed"


def _opened(
    settings: Settings,
    clock: Clock,
    ids: Ids,
    fs: FileSystem | None,
    *,
    git_private: bool = False,
    hand_over: Callable[[], None] | None = None,
) -> tuple[Opened, FileEngine, JsonFiles]:
    _refuse_network(settings)
    folder = prepare(
        settings.data_dir,
        baseline(timestamp(clock.now())),
        expect_store=settings.expect_store,
        allow_world_writable=settings.allow_world_writable,
        git_private=git_private,
    )
    engine = FileEngine.open(
        settings.data_dir,
        lock_timeout_ms=settings.lock_timeout_ms,
        fsync_interval=settings.fsync_interval,
        durability=Durability(settings.durability.value),
        fs=fs,
        clock=clock,
    )
    documents = JsonFiles(
        engine, cache_dir=settings.cache_dir, clock=clock, ids=ids, trash_s=settings.trash_s, hand_over=hand_over
    )
    return folder, engine, documents


def _blobs(engine: FileEngine) -> LocalBlobs:
    return LocalBlobs(engine.fs, engine.paths, engine.clock, sync=engine.flusher.whole_files)


def _assemble(
    settings: Settings, folder: Opened, engine: FileEngine, documents: JsonFiles, clock: Clock, ids: Ids
) -> Store:
    vault = open_vault(settings, engine, documents, lambda: ensure_first(documents, clock, ids).key, documents.sweep)
    records = Repositories(documents, sealer=vault.sealer, clock=clock, ids=ids)
    owner = records.users.ensure_first()
    disposal = Disposal(documents.usage, Trash(engine, records.facts, clock), engine.locks.lease_exclusive)
    library = _library(settings, engine, documents, records, disposal, clock)
    folder = replace(folder, warnings=folder.warnings + vault.settle())
    premises = Premises(
        documents=documents,
        images=records.images,
        facts=records.facts,
        blobs=library.blobs,
        disposal=disposal,
        shards=_shards(engine),
        state=State(engine),
        clock=clock,
        trash_s=settings.trash_s,
    )
    gc = Collection(premises, settings.gc_grace_s)
    prints = _prints(settings, engine, records.facts, clock)
    backups = _backups(settings, engine, documents, vault, disposal.trash)
    return Store(settings, folder, clock, engine, documents, library, owner, vault, records, prints, gc, backups)


def _library(
    settings: Settings,
    engine: FileEngine,
    documents: JsonFiles,
    records: Repositories,
    disposal: Disposal,
    clock: Clock,
) -> Library:
    room = Room(
        engine.paths.root,
        lambda: documents.total("fact", "size"),
        clock,
        min_free=settings.min_free_bytes,
        max_used=settings.max_store_bytes,
    )
    return Library(
        documents,
        _blobs(engine),
        _shards(engine),
        room,
        images=records.images,
        facts=records.facts,
        tags=records.tags,
        disposal=disposal,
        trusted_s=settings.trusted_s,
    )


def _prints(settings: Settings, engine: FileEngine, facts: FactsRepository, clock: Clock) -> Prints:
    return Prints.open(
        engine,
        facts,
        settings.cache_dir or engine.paths.resolve("cache"),
        sizes=settings.variant_sizes,
        limits=Limits(
            settings.max_pixels, settings.max_frames, settings.max_decoded_bytes, float(settings.decode_timeout_s)
        ),
        budget=settings.variant_cache_bytes,
        decoders=settings.decoders,
        # What is derived is not what MAX_STORE_BYTES counts, but it must not fill the disk either.
        room=Room(engine.paths.root, lambda: 0, clock, min_free=settings.min_free_bytes).check,
        sharers=settings.workers,
    )


def _shards(engine: FileEngine) -> Shards:
    return lambda first_byte: engine.locks.shard(first_byte).hold()


def _refuse_network(settings: Settings) -> None:
    kind = network_file_system(settings.data_dir)
    if kind is not None and not settings.allow_network_fs:
        raise InvalidError(
            f"{settings.data_dir} lies on a network file system ({kind}), whose locks and syncs do not promise enough"
            " to keep files safe. Use a local disk, or set CALOTYPE_ALLOW_NETWORK_FS=1 if only one machine writes, with"
            " CALOTYPE_CACHE_DIR on a local disk.",
            setting="CALOTYPE_ALLOW_NETWORK_FS",
        )
