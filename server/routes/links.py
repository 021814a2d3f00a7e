"""Links between assets and other records: tags, image profiles, and the assets of a record."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from metadata.schemas.enums import ImageTagType

from ..calls import Access, Operation
from ..queries import Parameter
from ..responses import empty_answer
from .answers import CURSOR, FIELDS, LIMIT, asset_answer
from .listing import COLLECTIONS, LIST_PARAMETERS, list_assets_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..calls import Call

_TAG_PATH = "/api/assets/{id}/tags/{tagId}"
_PROFILE_PATH = "/api/image-profiles/{id}/assets/{assetId}"
TAG_TYPE = Parameter("tagType", "What the id names; THEME, a tag, unless given.", choices=tuple(ImageTagType))
_OF_PARAMETERS = tuple(
    parameter
    for parameter in LIST_PARAMETERS
    if parameter.name in {"type", "sort", "q", LIMIT.name, CURSOR.name, FIELDS.name}
)


def operations() -> list[Operation]:
    """Return the operations on links."""
    return [
        Operation(
            method="PUT",
            path=_TAG_PATH,
            summary="Put a tag on an asset.",
            access=Access.WRITE,
            handle=add_tag,
            gives="Asset",
            parameters=(TAG_TYPE,),
        ),
        Operation(
            method="DELETE",
            path=_TAG_PATH,
            summary="Take a tag off an asset.",
            access=Access.WRITE,
            handle=remove_tag,
            parameters=(TAG_TYPE,),
            answers=((204, "The asset does not have the tag."),),
        ),
        Operation(
            method="PUT",
            path=_PROFILE_PATH,
            summary="Link an asset and an image profile, on both sides.",
            access=Access.WRITE,
            handle=link_profile,
            gives="Asset",
        ),
        Operation(
            method="DELETE",
            path=_PROFILE_PATH,
            summary="Take the link between an asset and an image profile away, on both sides.",
            access=Access.WRITE,
            handle=unlink_profile,
            answers=((204, "There is no link."),),
        ),
        *(
            Operation(
                method="GET",
                path=f"/api/{collection}/{{id}}/assets",
                summary=f"A page of the assets of one of the {collection}.",
                access=Access.READ,
                handle=partial(list_assets_of, collection),
                gives="AssetPage",
                parameters=_OF_PARAMETERS,
            )
            for collection in COLLECTIONS
        ),
    ]


def add_tag(call: Call) -> Response:
    """Put a tag on an asset."""
    images = call.store.assets.images
    asset = images.get(call.id(), owner=call.owner)
    call.expected(asset.version)
    tag_type = call.arguments.text(TAG_TYPE.name) or ImageTagType.THEME.value
    return asset_answer(call, images.add_tag(asset.id, call.id("tagId"), tag_type, owner=call.owner))


def remove_tag(call: Call) -> Response:
    """Take a tag off an asset; one that is not there is no error."""
    images = call.store.assets.images
    asset = images.get(call.id(), owner=call.owner)
    call.expected(asset.version)
    images.remove_tag(asset.id, call.id("tagId"), owner=call.owner)
    return empty_answer()


def link_profile(call: Call) -> Response:
    """Link an asset and an image profile."""
    asset = call.store.records.image_profiles.add_image(call.id(), call.id("assetId"), owner=call.owner)
    return asset_answer(call, asset)


def unlink_profile(call: Call) -> Response:
    """Take the link between an asset and an image profile away; one that is not there is no error."""
    call.store.records.image_profiles.remove_image(call.id(), call.id("assetId"), owner=call.owner)
    return empty_answer()
