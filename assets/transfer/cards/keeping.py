"""The payloads of a card into the store: its file byte for byte, and what the file brings along."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final

from metadata.errors import CalotypeError, ConflictError, UnreadableError

from ...cards.reading import read_card
from ...media import media_named
from .drafts import AVATAR, asset_id, embedded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from concurrent.futures import ThreadPoolExecutor

    from metadata.documents.contract import Record
    from metadata.repositories.images import ImagesRepository

    from ...blobs.base import Staged
    from ...cards.limits import CardLimits
    from ..intake import Intake, Seen
    from .drafts import Draft, Part

    Opener = Callable[[], BinaryIO | None]

_FILES_AT_ONCE: Final = 8
_PARTS_AT_ONCE: Final = 2
"""Payloads whose records are written at once; the locks of their shards are held together.

Fewer than ten over all threads: were the import killed just then, a check of the store would take ten payloads that no
record names for a list of records that was lost. For the same reason the first file is kept alone.
"""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A payload that is to be kept: the id and the name of its record, and what makes its bytes ready.

    It is a picture of somebody's if it has an identity: that of a PNG, else empty.
    """

    id: str
    name: str
    stage: Callable[[], Staged]
    identity: str | None = None

    @property
    def facts(self) -> Mapping[str, object]:
        """What its bytes do not tell by themselves."""
        return {"pictureIdentity": self.identity} if self.identity else {}


class Keeping:
    """Keeps the payloads of cards.

    Args:
        intake: takes them.
        images: has their records.
        owner: whose they are.
        limits: of what is read out of a card.
    """

    def __init__(self, intake: Intake, images: ImagesRepository, owner: str, limits: CardLimits) -> None:
        self._intake = intake
        self._images = images
        self._owner = owner
        self._limits = limits
        self._at_once = 1

    def keep(self, pool: ThreadPoolExecutor, drafts: Mapping[str, Draft]) -> dict[str, CalotypeError | None]:
        """Store cards' files and what is in them, each with a record that says so; again changes nothing.

        Args:
            pool: reads several files, and makes them durable, at a time.
            drafts: by the ids that their characters get.

        Returns:
            Why which card could not be kept, None for those that are.
        """
        told: dict[str, CalotypeError | None] = dict.fromkeys(drafts)
        # What is in a file comes first: an upload is no more to be read once its own bytes are kept.
        more = {key: draft for key, draft in drafts.items() if draft.parts}
        told |= dict(zip(more, pool.map(self._parts, more.values(), more), strict=True))
        files = {key: self._file(key, draft) for key, draft in drafts.items() if told[key] is None}
        ready: list[tuple[str, _Wanted, Staged]] = []
        for (key, file), staged in zip(files.items(), pool.map(_staged, files.values()), strict=True):
            if isinstance(staged, CalotypeError):
                told[key] = staged
            else:
                ready.append((key, file, staged))
        left = iter(ready)
        while several := list(islice(left, self._at_once)):
            self._at_once = _FILES_AT_ONCE
            try:
                self._store([file for _, file, _ in several], [staged for _, _, staged in several])
            except CalotypeError as error:
                told |= {key: error for key, _, _ in several}
        return told

    def _file(self, character_id: str, draft: Draft) -> _Wanted:
        stage = partial(draft.offer.stage, self._intake)
        return _Wanted(asset_id(character_id), draft.offer.name, stage, _identity(draft, ""))

    def _parts(self, draft: Draft, character_id: str) -> CalotypeError | None:
        try:
            with draft.offer.open() as source:
                wanted = self._inside(draft, character_id, source)
                while several := list(islice(wanted, _PARTS_AT_ONCE)):
                    self._store(several, _all_staged(several))
        except CalotypeError as error:
            return error
        return None

    def _inside(self, draft: Draft, character_id: str, source: BinaryIO) -> Iterator[_Wanted]:
        found = read_card(source, limits=self._limits)
        openers: dict[str, Opener] = {asset.uri: asset.open for asset in embedded(found)}
        openers[AVATAR] = found.open_picture
        for part in draft.parts:
            stage = partial(self._stage, part, openers.get(part.uri))
            yield _Wanted(asset_id(character_id, part.uri), part.name, stage, _identity(draft, part.uri))

    def _stage(self, part: Part, opener: Opener | None) -> Staged:
        source = None if opener is None else opener()
        staged = None if source is None else self._intake.stage(source, part.name)
        if staged is None or staged.digest != part.digest:
            if staged is not None:
                staged.discard()
            raise UnreadableError(f"{part.name} in the card changed while it was read. Run the import again.")
        return staged

    def _store(self, wanted: Sequence[_Wanted], staged: Sequence[Staged]) -> None:
        several = [(one, each.name, each.facts) for one, each in zip(staged, wanted, strict=True)]
        self._intake.keep(several, partial(self._record, wanted))

    def _record(self, wanted: Sequence[_Wanted], seen: Sequence[Seen]) -> None:
        records = [self._record_of(one, each) for one, each in zip(wanted, seen, strict=True)]
        for made in self._images.import_records(records):
            # One that is there is what an import that was cut off left: its id says that it is of these bytes.
            if isinstance(made, CalotypeError) and not isinstance(made, ConflictError):
                raise made

    def _record_of(self, one: _Wanted, seen: Seen) -> Record:
        media = media_named(str(seen.facts["mediaType"]))
        picture = media is not None and media.picture
        use = "chat_file" if not picture else "image" if one.identity is None else "avatar"
        made = self._images.draft(userId=self._owner, type=use, filename=one.name, source="import", **seen.members())
        return {**made, "id": one.id}


def _staged(wanted: _Wanted) -> Staged | CalotypeError:
    try:
        return wanted.stage()
    except CalotypeError as error:
        return error


def _all_staged(wanted: Sequence[_Wanted]) -> list[Staged]:
    """Make the bytes of all ready, or of none."""
    staged: list[Staged] = []
    try:
        staged.extend(one.stage() for one in wanted)
    except CalotypeError:
        for one in staged:
            one.discard()
        raise
    return staged


def _identity(draft: Draft, uri: str) -> str | None:
    """Return the identity of the draft's picture if that is at this address: empty for one that is no PNG."""
    if draft.look is None or draft.look.uri != uri:
        return None
    return draft.look.identity if draft.look.png else ""
