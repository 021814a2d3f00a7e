"""What an upload brings along, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metadata.errors import ConflictError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from metadata.schemas.assets import Asset

    from .digest import Digest
    from .media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What comes with a payload.

    Attributes:
        user_id: the owner.
        filename: the uploader's name for it, already cleaned.
        type: image, chat_file or avatar; None: image for raster pictures, else chat_file.
        source: upload, import or generated.
        tags: ids or names of tags; names are created.
        links: `chatId`, `characterId`, `messageId`, where given.
        extra: further members of the record (`generationPrompt`, `generationModel`, `_meta`), on-disk names.
        declared_type: the media type the uploader gave, if any.
        expected: the digest the uploader gave; anything else is refused.
    """

    user_id: str
    filename: str
    type: str | None = None
    source: str = "upload"
    tags: Sequence[str] = ()
    links: Mapping[str, str | None] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    declared_type: str | None = None
    expected: str | None = None

    def check(self, digest: Digest, size: int) -> None:
        """Return when these bytes are what was announced.

        Raises:
            ConflictError: they have another digest than was given.
            InvalidError: there are none.
        """
        if self.expected is not None and digest != self.expected:
            raise ConflictError(
                "The bytes received do not have the digest that was given, so nothing was stored. Send the file again.",
                expected=self.expected,
                actual=str(digest),
            )
        if size == 0:
            raise InvalidError("The file is empty; there is nothing to store.", field="file", filename=self.filename)

    def record(
        self, digest: Digest, size: int, media: Media, asset_type: str, tags: Sequence[str]
    ) -> dict[str, object]:
        """Return the members of the asset's record, by their names on disk.

        Args:
            digest: the payload's.
            size: bytes.
            media: what the bytes are.
            asset_type: image, chat_file or avatar.
            tags: ids.
        """
        links = {name: value for name, value in self.links.items() if value is not None}
        declared = self.declared_type
        contradicts = {"_declaredType": declared} if declared is not None and declared != media.type else {}
        return {
            "sha256": str(digest),
            "type": asset_type,
            "userId": self.user_id,
            "filename": self.filename,
            "mimeType": media.type,
            "size": size,
            "source": self.source,
            "tags": list(tags),
            **links,
            **self.extra,
            **contradicts,
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an upload.

    Attributes:
        asset: its record.
        duplicate: the record was there before: same owner, bytes, type and links.
        fresh: the bytes were not there before; told to nobody but the owner of the folder.
    """

    asset: Asset
    duplicate: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload as it is served.

    Attributes:
        filename: what the oldest record that names it calls it, None when it is only mentioned.
        path: the file, where the store has files.
    """

    digest: Digest
    size: int
    media: Media
    filename: str | None
    path: Path | None = None
