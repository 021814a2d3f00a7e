"""What a garbage collection works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metadata.clock import timestamp

from .data import Trashed

if TYPE_CHECKING:
    from metadata.clock import Clock
    from metadata.documents.contract import Documents
    from metadata.repositories.facts import FactsRepository
    from metadata.repositories.images import ImagesRepository

    from ..blobs.base import BlobStore
    from ..disposal import Disposal
    from ..library import Shards
    from ..trash import Entry
    from .state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """The collaborators of a collection.

    Attributes:
        documents: the records; their gate is held around every step.
        images, facts: the repositories over them.
        blobs: the payloads.
        disposal: the trash, the use of payloads, the backup lease.
        shards: the payloads' locks.
        state: what the last collection left behind, and the lock that lets one run at a time.
        clock: the time.
        trash_s: seconds that a payload stays in the trash.
    """

    documents: Documents
    images: ImagesRepository
    facts: FactsRepository
    blobs: BlobStore
    disposal: Disposal
    shards: Shards
    state: State
    clock: Clock
    trash_s: float

    def trashed(self, entry: Entry) -> Trashed:
        """Return an entry of the trash with its size and its times."""
        size = self.disposal.trash.size(entry)
        return Trashed(entry.digest, size, moment(entry.since), moment(entry.since + self.trash_s))


def moment(unix_seconds: float) -> str:
    """Return unix seconds as a timestamp; what no calendar knows is its end."""
    try:
        return timestamp(datetime.fromtimestamp(unix_seconds, UTC))
    except (OverflowError, ValueError, OSError):  # a name that somebody made up, or an undo window of ages
        return timestamp(datetime.max.replace(tzinfo=UTC))
