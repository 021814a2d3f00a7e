"""What checks and mends an opened data folder, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assets.fsck.payloads import PayloadChecks
from assets.fsck.repairing import Repairer
from assets.fsck.scrub import Scrub
from assets.fsck.tree import LEFTOVER_AGE_S, TreeCheck
from assets.fsck.verifying import Verifier
from assets.trash import Trash
from metadata.checks.records import RecordChecks
from metadata.files.identity import identity_of
from metadata.repositories.facts import FactsRepository
from metadata.repositories.images import ImagesRepository

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from assets.blobs.base import BlobStore
    from metadata.documents.contract import Documents
    from metadata.documents.projection import Projection
    from metadata.documents.usage import Usage
    from metadata.keys import MasterKeys
    from metadata.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Checks:
    """A data folder's verifier and repairer."""

    verifier: Verifier
    repairer: Repairer


def checks_of(
    documents: Documents, projection: Projection, usage: Usage, blobs: BlobStore, keys: MasterKeys, sealer: Sealer
) -> Checks:
    """Put together what checks and mends.

    Args:
        documents: the records.
        projection: their index.
        usage: which payloads are used.
        blobs: the payloads.
        keys: the master keys.
        sealer: opens sealed values with them.
    """
    engine = projection.engine

    def shards(first: int) -> AbstractContextManager[object]:
        return engine.locks.shard(first).hold()

    def listed() -> bool:
        found = identity_of(engine.fs, engine.paths.resolve("binaries/index.jsonl"))
        return found is not None and found.size > 0

    images = ImagesRepository(documents, clock=engine.clock)
    trash = Trash(engine, FactsRepository(documents, clock=engine.clock), engine.clock)
    payloads = PayloadChecks(documents, blobs, shards, trash, usage, listed)
    tree = TreeCheck(engine, blobs.abandoned)
    scrub = Scrub(documents, blobs, payloads, trash, engine.clock)
    verifier = Verifier(engine, tree, RecordChecks(documents, projection, keys, sealer), payloads, scrub)
    repairer = Repairer(
        documents,
        projection,
        blobs,
        shards,
        images,
        trash,
        usage,
        lambda: blobs.sweep_staging(LEFTOVER_AGE_S),
    )
    return Checks(verifier, repairer)
