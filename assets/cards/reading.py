"""Reading a card out of a file: which kind of file it is, where the card stands in it, what it brings along."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from ..signatures import picture_or_film
from .asset import assets_of, open_data_uri
from .card import is_card
from .charx import CARD_NAME, Archive, has_archive
from .chunks import is_png, is_sound, read_text, walk
from .errors import DamagedCardError, NotACardError
from .exif import comments, is_jpeg, is_webp
from .identity import picture_identity
from .limits import DEFAULT, refuse_above
from .streams import base64_part_of, part_of, read_at, size_of
from .text import parse_json
from .texts import Candidate, FoundText, as_card, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..digest import Digest
    from .asset import CardAsset
    from .card import Card
    from .chunks import Chunk
    from .limits import CardLimits

Container = Literal["png", "apng", "webp", "jpeg", "json", "charx"]

_HEAD_BYTES: Final = 4096
_GLANCE_BYTES: Final = 256 * 1024
_JSON_STARTS: Final = (b"{", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# In a text that cannot be read, what shows that it was meant to be a card; the last is `{"name` in base64.
_CARDS_OWN: Final = (b"first_mes", b"char_greeting", b"chara_card", b"eyJuYW1l")
_NEWER: Final = "The card says it is newer than V3: what is new in it is kept, and not understood."
_ALL_THE_SAME: Final = "Its check value is wrong, so that some of it may have changed; it was read all the same."
_NO_CARD: Final = "This is JSON, but no character card: it has no name, or no text of a character."
_ORDINARY: Final = "This is an ordinary picture: there is no character card in it."


class FoundCard:
    """A card, and the file it was found in, which must stay open while assets or the picture are read.

    Attributes:
        card: the card.
        container: the kind of file.
        texts: the texts of the file that may have been the card; `won` is true for one, `problem` tells of damage.
    """

    def __init__(
        self,
        source: BinaryIO,
        card: Card,
        container: Container,
        texts: tuple[FoundText, ...],
        *,
        limits: CardLimits,
        embedded: Mapping[str, Callable[[], BinaryIO]] | None = None,
        picture: Callable[[], BinaryIO] | None = None,
    ) -> None:
        self.card = card
        self.container = container
        self.texts = texts
        self._source = source
        self._limits = limits
        self._embedded = embedded or {}
        self._picture = picture

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person should know, a sentence each: texts that were damaged, a card that is newer than V3."""
        told = tuple(f"{text.keyword}: {text.problem}" for text in self.texts if text.problem)
        return (*told, _NEWER) if self.card.newer else told

    @property
    def assets(self) -> Iterable[CardAsset]:
        """The card's assets: those it names, then what lies in its file and nobody names."""
        return tuple(assets_of(self.card, self._embedded, self._limits))

    @cached_property
    def picture_identity(self) -> Digest | None:
        """The SHA-256 of the PNG without the card's chunks; None where the file is no PNG."""
        return picture_identity(self._source, self._limits) if self.container in {"png", "apng"} else None

    def open_picture(self) -> BinaryIO | None:
        """Open the card's picture: the file itself where that is a picture, else its main icon; None without one.

        A CHARX without an icon that is appended to a picture has that.

        Raises:
            DamagedCardError: it is there and damaged.
            TooLargeError: it is over the limit.
        """
        if self.container not in {"json", "charx"}:
            return part_of(self._source, 0, size_of(self._source))
        icons = [asset for asset in self.assets if asset.type == "icon" and asset.opener]
        icons.sort(key=lambda icon: icon.name.lower() != "main")
        if icons:
            return icons[0].open()
        avatar = self.card.document.get("avatar")
        if isinstance(avatar, str) and avatar.startswith("data:image/"):
            return open_data_uri(avatar, self._limits)
        return self._picture() if self._picture else None


def read_card(source: BinaryIO, *, limits: CardLimits = DEFAULT) -> FoundCard:
    """Read the card in a file.

    Args:
        source: the file; it must be seekable and stay open while assets or the picture are read.
        limits: how much the card may ask for.

    Raises:
        NotACardError: the file is something else: an ordinary picture, a lorebook, any other file.
        DamagedCardError: there is a card in it that cannot be read.
        TooLargeError: it is over a limit.
    """
    if is_png(source):
        return _from_png(source, limits)
    head = read_at(source, 0, _HEAD_BYTES)
    pictured = is_jpeg(head) or is_webp(head)
    if has_archive(source):
        try:
            return _from_archive(source, limits)
        except NotACardError:
            if not pictured:
                raise
    if pictured:
        return _from_comments(source, "jpeg" if is_jpeg(head) else "webp", limits)
    if head.lstrip()[:3].startswith(_JSON_STARTS):
        return _from_json(source, limits)
    if picture_or_film(head):
        raise NotACardError(_ORDINARY)
    raise NotACardError("This is no character card: neither a PNG, WebP or JPEG picture, nor JSON, nor CHARX.")


def _from_png(source: BinaryIO, limits: CardLimits) -> FoundCard:
    texts: list[Chunk] = []
    embedded: dict[str, Callable[[], BinaryIO]] = {}
    container: Container = "png"
    broken = True
    for chunk in walk(source, limits):
        if chunk.card_keyword:
            texts.append(chunk)
        elif chunk.asset_path is not None and chunk.name == b"tEXt" and chunk.whole:
            embedded.setdefault(chunk.asset_path, _asset_opener(source, chunk, limits))
        elif chunk.name == b"acTL":
            container = "apng"
        broken = chunk.name != b"IEND" or not chunk.whole
    if not texts:
        if has_archive(source):
            return _from_archive(source, limits)
        if broken:
            raise DamagedCardError("The PNG breaks off, and no card comes before that. Download it again.")
        raise NotACardError(_ORDINARY)
    # Of several with one keyword the last: programs that do not take the old one out add the new one at the end.
    texts.sort(key=lambda chunk: (chunk.card_keyword != "ccv3", -chunk.offset))
    card, seen = choose(_candidates(source, texts, limits), limits)
    told = tuple(
        replace(text, problem=_ALL_THE_SAME) if text.won and not is_sound(source, chunk) else text
        for text, chunk in zip(seen, texts, strict=True)
    )
    return FoundCard(source, card, container, told, limits=limits, embedded=embedded)


def _candidates(source: BinaryIO, texts: Iterable[Chunk], limits: CardLimits) -> Iterator[Candidate]:
    for chunk in texts:
        text = FoundText(chunk.card_keyword, chunk.name.decode("ascii"))
        yield Candidate(text, partial(read_text, source, chunk, limits))


def _asset_opener(source: BinaryIO, chunk: Chunk, limits: CardLimits) -> Callable[[], BinaryIO]:
    skipped = chunk.keyword_bytes + 1
    length = chunk.length - skipped

    def opened() -> BinaryIO:
        refuse_above(limits.asset_bytes, length * 3 // 4, "An asset in the card")
        return base64_part_of(source, chunk.start + skipped, length)

    return opened


def _from_archive(source: BinaryIO, limits: CardLimits) -> FoundCard:
    archive = Archive(source, limits)
    card = as_card(parse_json(archive.read_card(), limits))
    pictured = archive.before and picture_or_film(read_at(source, 0, _HEAD_BYTES))
    picture = partial(part_of, source, 0, archive.before) if pictured else None
    texts = (FoundText(CARD_NAME, "JSON", won=True),)
    return FoundCard(source, card, "charx", texts, limits=limits, embedded=archive.openers, picture=picture)


def _from_comments(source: BinaryIO, container: Container, limits: CardLimits) -> FoundCard:
    found = [
        Candidate(FoundText(comment.tag, "EXIF"), partial(_same, comment.text))
        for comment in islice(comments(source, limits), limits.texts)
    ]
    try:
        card, seen = choose(found, limits)
    except DamagedCardError as error:
        # Cameras, editors and generators of pictures leave comments in JSON too.
        if any(_promises_card(candidate.read()) for candidate in found):
            raise
        raise NotACardError(_ORDINARY) from error
    return FoundCard(source, card, container, seen, limits=limits)


def _promises_card(text: bytes) -> bool:
    return any(sign in text for sign in _CARDS_OWN)


def _same(text: bytes) -> bytes:
    return text


def _from_json(source: BinaryIO, limits: CardLimits) -> FoundCard:
    size = size_of(source)
    if size > limits.json_bytes and not _promises_card(read_at(source, 0, _GLANCE_BYTES)):
        raise NotACardError(_NO_CARD)
    refuse_above(limits.json_bytes, size, "The JSON file")
    data = read_at(source, 0, size)
    try:
        document = parse_json(data, limits)
    except DamagedCardError as error:
        if _promises_card(data):
            raise
        raise NotACardError("This is neither JSON nor a character card.") from error
    if not is_card(document):
        raise NotACardError(_NO_CARD)
    texts = (FoundText("JSON", "JSON", won=True),)
    return FoundCard(source, as_card(document), "json", texts, limits=limits)
