"""`calotype import sillytavern`: a user's folder of SillyTavern into a store, item by item.

Nothing is remembered beside the store itself. Ids follow from what the folder says, and every item is judged against
what is here, so the import can be cut off anywhere and run again, on a store that is being served too; a second run
changes nothing, and what was edited here is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from metadata.clock import SystemClock, timestamp
from metadata.errors import CalotypeError

from ..cards.offers import FileOffer
from ..report import Item, Status
from .cast import Cast
from .chats import Chats
from .keeping import Keeper
from .layout import folded, shown
from .messages import Messages
from .personas import Personas
from .rest import Rest, use_of
from .settings import Settings, settings_of
from .tags import Tags
from .target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metadata.clock import Clock
    from metadata.repositories.container import Repositories

    from ..cards.importer import CardImport
    from ..intake import Intake
    from .layout import Layout


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller decides.

    Attributes:
        user: the id of the user of ours to whom everything is to belong, None for the first.
        dry_run: only say what would be done.
    """

    user: str | None = None
    dry_run: bool = False


class SillyTavernImport:
    """One import of one folder.

    Args:
        layout: the folder.
        repositories: the store's records.
        intake: the store's payloads.
        cards: takes the characters' cards in, for the same user.
        options: what the caller decides.
        clock: tells when the import is.

    Attributes:
        count: about how many items there will be.
    """

    def __init__(
        self,
        layout: Layout,
        repositories: Repositories,
        intake: Intake,
        cards: CardImport,
        options: Options,
        *,
        clock: Clock | None = None,
    ) -> None:
        owner = options.user or repositories.users.ensure_first().id
        now = timestamp((clock or SystemClock()).now())
        self._layout = layout
        self._cards = cards
        self._target = Target(repositories, owner, now, dry_run=options.dry_run)
        self._tags = Tags(self._target)
        self._keeper = Keeper(layout, self._target, intake, self._tags)
        self._cast = Cast()
        self.count = sum(1 for _ in layout.files(""))

    def run(self) -> Iterator[Item]:
        """Store everything; yield what became of each item, as it happens.

        Raises:
            FullError: there is no room; run it again when there is.
        """
        place, settings = self._layout.top("settings.json"), Settings()
        try:
            settings = settings_of(self._layout.folder.document(place))
        except CalotypeError as error:
            yield Item("other", Status.FAILED, place, why=error.message)
        yield from self._tags.bring(settings.tags, place)
        yield from self._characters(settings)
        personas = Personas(self._layout, self._target, self._keeper, self._cast.of_card)
        yield from personas.bring(settings.personas, place)
        for path in (*(path for path, _ in self._layout.chats()), *self._layout.group_chats()):
            self._keeper.note(path)
        messages = Messages(self._layout, self._target, self._keeper, partial(use_of, cast=self._cast))
        yield from Chats(self._layout, self._target, self._cast, personas, messages.bring).bring()
        rest = Rest(self._layout, self._keeper, self._cast)
        yield from rest.sprites()
        yield from rest.pictures()
        yield from rest.files()
        for user in self._layout.others:
            why = "This is another user's folder; name it to import it, with --user for whom."
            yield Item("other", Status.SKIPPED, shown(user), why=why)

    def _characters(self, settings: Settings) -> Iterator[Item]:
        offers: list[FileOffer] = []
        paths: list[str] = []
        for path in self._layout.cards():
            tags = self._tags.names(settings.carried.get(folded(path.rpartition("/")[2]), ()))
            try:
                offers.append(FileOffer(self._layout.file(path), shown(path), named=False, tags=tags))
                paths.append(path)
            except CalotypeError as error:
                self._keeper.note(path)
                yield Item("character", Status.FAILED, shown(path), why=error.message)
        outcomes = self._cards.run(offers, dry_run=self._target.dry_run)
        for path, outcome in zip(paths, outcomes, strict=True):
            if outcome.status is not Status.SKIPPED:  # a picture that is no card is kept as a picture
                self._keeper.note(path)
                yield outcome.item()
            if outcome.character_id:
                self._cast.add(path, outcome.character_id, outcome.name)
