"""Characters of cards into the store, many in one operation, when their payloads are there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metadata.documents.contract import Change, put
from metadata.errors import CalotypeError, FullError, NotFoundError
from metadata.index.query import Query
from metadata.schemas.tags import fold_name

from .drafts import asset_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metadata.documents.contract import Record
    from metadata.repositories.container import Repositories

    from .drafts import Draft


class Storing:
    """Stores characters.

    Args:
        records: the store's records.
        owner: whose they are.
    """

    def __init__(self, records: Repositories, owner: str) -> None:
        self._records = records
        self._owner = owner
        self._tags: dict[str, str] = {}

    def store(self, drafts: Mapping[str, Draft]) -> dict[str, CalotypeError | None]:
        """Store characters whose payloads are kept, all in one operation; return why which one could not be stored.

        Args:
            drafts: by the ids that their characters get.
        """
        if not drafts:
            return {}
        try:
            self._apply(drafts)
        except CalotypeError as error:
            if len(drafts) == 1 or isinstance(error, FullError):
                return dict.fromkeys(drafts, error)
            alone = (self.store({key: draft}) for key, draft in drafts.items())
            return {key: error for told in alone for key, error in told.items()}
        return dict.fromkeys(drafts)

    def _apply(self, drafts: Mapping[str, Draft]) -> None:
        names = [name for draft in drafts.values() for name in draft.tags]
        with self._records.tags.naming(self._owner, names, self._tags) as (tags, new):
            made = (self._changes(key, draft, tags) for key, draft in drafts.items())
            self._records.documents.apply([*new, *(change for changes in made for change in changes)])
            self._tags |= tags

    def _changes(self, key: str, draft: Draft, tags: Mapping[str, str]) -> Iterator[Change]:
        record = self._records.characters.draft(
            **draft.fields,
            userId=self._owner,
            defaultImageId=self._picture(key, draft),
            tags=list(dict.fromkeys(tags[fold_name(name)] for name in draft.tags)),
        )
        yield put("character", {**record, "id": key})
        for uri in ("", *(part.uri for part in draft.parts)):
            yield Change("asset", asset_id(key, uri), partial(_linked, key))

    def _picture(self, key: str, draft: Draft) -> str | None:
        """Return the asset that shows a card's picture: the first one that does, of this or another edition."""
        if draft.look is None:
            return None
        own = asset_id(key, draft.look.uri)
        if not draft.look.png:
            return own
        shown = Query(filter={"pictureIdentity": str(draft.look.identity)}, sort="firstStoredAt")
        for fact in self._records.facts.list(shown).items:
            query = Query(filter={"sha256": fact.sha256, "type": "avatar"}, owner=self._owner, limit=1)
            for asset in self._records.images.list(query).items:
                return asset.id
        return own


def _linked(character_id: str, record: Record | None) -> Record:
    if record is None:
        raise NotFoundError("A payload of the card was deleted while it was imported. Run the import again.")
    return {**record, "characterId": character_id}
