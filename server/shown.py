"""Assets as answers, with what was seen of their pictures; a page of them costs one more question, not one each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wire import Glimpse, asset_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metadata.documents.contract import Documents
    from metadata.schemas.assets import Asset


class Shown:
    """Makes answers of assets.

    Args:
        documents: where the facts are.
        base: what URLs begin with, see `base_of`.
    """

    def __init__(self, documents: Documents, base: str) -> None:
        self._documents = documents
        self._base = base

    def one(self, asset: Asset, *, duplicate: bool | None = None) -> dict[str, object]:
        """Return one asset; see `asset_wire`."""
        seen = glimpses(self._documents, [asset.sha256])
        return asset_wire(asset, base=self._base, duplicate=duplicate, seen=seen.get(asset.sha256))

    def many(self, assets: Sequence[Asset]) -> list[dict[str, object]]:
        """Return several, in order."""
        seen = glimpses(self._documents, (asset.sha256 for asset in assets))
        return [asset_wire(asset, base=self._base, seen=seen.get(asset.sha256)) for asset in assets]


def glimpses(documents: Documents, digests: Iterable[str]) -> Mapping[str, Glimpse]:
    """Return what was seen of payloads, by their hashes; those of which nothing is known are left out."""
    found = documents.many("fact", list(dict.fromkeys(digests)))
    return {digest: Glimpse.of(stored.body) for digest, stored in found.items()}
