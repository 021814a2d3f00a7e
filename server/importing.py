"""Importers over an opened store, the same for the command line and for HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.transfer.intake import Intake

if TYPE_CHECKING:
    from .wiring import Store


def intake_of(store: Store) -> Intake:
    """Return what takes payloads into a store for importers."""
    limit = int(store.settings.max_upload_bytes)
    return Intake(store.documents, store.assets, lambda byte: store.engine.locks.shard(byte).hold(), limit=limit)
