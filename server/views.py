"""The values that the interface to assets speaks in: a record, a page of them, who uses one, a signed address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metadata.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    """An asset as the API answers it.

    Attributes:
        size: bytes.
        width, height: pixels, after orientation; None for what is not a picture.
        tags: ids.
        url: where its bytes are served; root-relative unless the server knows its public address.
        duplicate: of an upload: the record was there before.
        version: the record's version, empty where the answer did not tell (lists over HTTP).
        wire: the whole answer with the names on the wire.
    """

    id: str
    sha256: str
    type: str
    filename: str
    media_type: str
    size: int
    source: str
    tags: tuple[str, ...]
    url: str
    created_at: str
    updated_at: str
    width: int | None = None
    height: int | None = None
    character_id: str | None = None
    chat_id: str | None = None
    message_id: str | None = None
    duplicate: bool = False
    version: str = field(default="", compare=False)
    wire: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def of(cls, wire: Mapping[str, Any], version: str = "") -> AssetView:
        """Read an answer.

        Raises:
            InvalidError: it is not an asset.
        """
        try:
            return cls(
                id=wire["id"],
                sha256=wire["sha256"],
                type=wire["type"],
                filename=wire["filename"],
                media_type=wire["mimeType"],
                size=wire["size"],
                source=wire.get("source", "upload"),
                tags=tuple(wire.get("tags", ())),
                url=wire["url"],
                created_at=wire["createdAt"],
                updated_at=wire["updatedAt"],
                width=wire.get("width"),
                height=wire.get("height"),
                character_id=wire.get("characterId"),
                chat_id=wire.get("chatId"),
                message_id=wire.get("messageId"),
                duplicate=bool(wire.get("duplicate", False)),
                version=version,
                wire=wire,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidError(f"The answer is not an asset: {error}. Is this a Calotype server?") from error


@dataclass(frozen=True, slots=True)
class AssetPage:
    """A page of assets.

    Attributes:
        next_cursor: where the next page begins; None at the end.
        total: how many there are on all pages, at least that many if `total_capped`.
        unreadable: how many records had to be left out.
    """

    items: list[AssetView]
    next_cursor: str | None
    total: int
    total_capped: bool = False
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """One record that uses an asset, through which field; field `mention` is its hash in any text."""

    kind: str
    id: str
    field: str


@dataclass(frozen=True, slots=True)
class SignedAddress:
    """An address of a payload that opens without credentials; `expires_at` is when it ceases to."""

    url: str
    expires_at: str
