"""Records as answers: the names on disk become the names on the wire, and what an answer derives is added."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from assets.media import media_named
from metadata.schemas.assets import Asset
from metadata.schemas.catalog import CATALOG

from .conditional import EntityTag, entity_tag
from .responses import encode_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.schemas.base import Entity

    from .settings import Settings

ASSET_NAMES: Mapping[str, str] = MappingProxyType({name: name.removeprefix("_") for _, name in Asset.members()})
"""An asset's members: names on disk and on the wire."""

DERIVED_NAMES = ("url", "thumbUrl", "placeholder")
"""What an asset's answer has beside its record. The last two are null for what is no picture, or a damaged one."""

_DERIVED_DIGITS = 8


def entity_wire(entity: Entity) -> dict[str, object]:
    """Return a record as the API answers it.

    Our members lose their `_`, hidden ones are left out, absent ones are null; members that no schema knows are passed
    on unless they begin with `_`.
    """
    record = entity.shown_record()
    hidden = CATALOG[entity.declaration.name].hidden
    wire: dict[str, object] = {}
    for attribute, name in entity.members():
        if name not in hidden:
            wire[name.removeprefix("_")] = record[name] if name in record else getattr(entity, attribute)
    unknown = {name: value for name, value in record.items() if name not in wire and not name.startswith("_")}
    for name in unknown.keys() & hidden:
        del unknown[name]
    return unknown | wire


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was seen of a picture.

    Attributes:
        placeholder: a tiny picture as a data URI; None while nobody has looked.
        decodes: smaller pictures can be made of it, as far as is known.
    """

    placeholder: str | None = None
    decodes: bool = True

    @classmethod
    def of(cls, fact: Mapping[str, object]) -> Self:
        """Read a fact as it is on disk."""
        placeholder = fact.get("placeholder")
        found = placeholder if isinstance(placeholder, str) else None
        return cls(found, found is not None or fact.get("unseen") is True)


UNKNOWN = Glimpse()
"""What is known of a picture of which nothing is known."""


def asset_wire(
    asset: Asset, *, base: str = "", duplicate: bool | None = None, seen: Glimpse | None = None
) -> dict[str, object]:
    """Return an asset as the API answers it: its record, our members without `_`, and what is derived from it.

    Args:
        asset: the record.
        base: what its URL begins with, see `base_of`.
        duplicate: on an upload, whether the record was there before.
        seen: what was seen of its picture.
    """
    wire = entity_wire(asset)
    seen = seen or UNKNOWN
    wire |= {
        "url": blob_url(asset.sha256, asset.mime_type, base=base),
        "thumbUrl": thumb_url(asset.sha256, asset.mime_type, base=base) if seen.decodes else None,
        "placeholder": seen.placeholder,
    }
    return wire if duplicate is None else {**wire, "duplicate": duplicate}


def blob_url(sha256: str, media_type: str, *, base: str = "") -> str:
    """Return where a payload is served, with its usual extension."""
    return f"{base}/blobs/{sha256}.{extension_of(media_type)}"


def thumb_url(sha256: str, media_type: str, *, variant: str = "thumb", base: str = "") -> str | None:
    """Return where a smaller picture of a payload is served, None where none can be made of its kind."""
    media = media_named(media_type)
    return f"{base}/blobs/{sha256}/{variant}.webp" if media is not None and media.picture else None


def extension_of(media_type: str) -> str:
    """Return the usual file extension of a recorded media type, without a dot; `bin` for one that is not known."""
    media = media_named(media_type)
    return "bin" if media is None else media.extension


def tag_of(entity: Entity, wire: Mapping[str, object]) -> EntityTag:
    """Return the strong tag of an answer: the record's version, and digits that change with anything else in it."""
    return entity_tag(entity.version, hashlib.sha256(encode_json(dict(wire))).hexdigest()[:_DERIVED_DIGITS])


def base_of(settings: Settings) -> str:
    """Return what URLs in answers begin with: the public address if there is one, then the path prefix."""
    public = settings.public_url or ""
    return public if public.endswith(settings.root_path) else public + settings.root_path
