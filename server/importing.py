"""Imports and exports over an opened store, the same for the command line and for HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.cards.limits import CardLimits
from assets.transfer.cards.exporting import CardExport
from assets.transfer.cards.importer import CardImport
from assets.transfer.cards.portraits import Portraits
from assets.transfer.intake import Intake

if TYPE_CHECKING:
    from .wiring import Store


def intake_of(store: Store) -> Intake:
    """Return what takes payloads into a store for importers."""
    limit = int(store.settings.max_upload_bytes)
    return Intake(store.documents, store.assets, lambda byte: store.engine.locks.shard(byte).hold(), limit=limit)


def card_limits(store: Store) -> CardLimits:
    """Return how much a card may ask for: what any request or upload may."""
    settings = store.settings
    return CardLimits(json_bytes=int(settings.max_json_bytes), asset_bytes=int(settings.max_upload_bytes))


def card_import_of(store: Store, owner: str) -> CardImport:
    """Return an import of cards into a store.

    Args:
        store: the opened folder.
        owner: the id of the user whose the characters are to be.
    """
    portraits = Portraits(store.assets, store.prints)
    return CardImport(store.records, store.assets, intake_of(store), portraits, owner, limits=card_limits(store))


def card_export_of(store: Store) -> CardExport:
    """Return what makes cards of a store's characters."""
    return CardExport(store.records, store.assets, Portraits(store.assets, store.prints))
