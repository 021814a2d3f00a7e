"""Records as answers."""

from __future__ import annotations

import pytest

from metadata.schemas.assets import Asset
from metadata.schemas.signin import AccessToken
from server.configuration import load_settings
from server.wire import ASSET_NAMES, asset_wire, base_of, blob_url, entity_wire, extension_of, tag_of

ONE = "11111111-1111-4111-8111-111111111111"
SHA = "ab" * 32
DATES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
RECORD = {
    "id": ONE,
    "sha256": SHA,
    "type": "image",
    "userId": ONE,
    "filename": "a.png",
    "relativePath": f"binaries/{SHA}/raw",
    "mimeType": "image/png",
    "size": 7,
    "source": "upload",
    "tags": [],
    **DATES,
}


def asset(**more: object) -> Asset:
    return Asset.from_record({**RECORD, **more}, version="12ab")


def test_members_of_ours_lose_their_underscore_and_absent_ones_are_null() -> None:
    wire = asset_wire(asset(_meta={"a": 1}, rating=5, _theirs=1))
    assert wire == {
        **RECORD,
        **dict.fromkeys(
            ["width", "height", "generationPrompt", "generationModel", "chatId", "characterId", "messageId"]
        ),
        **dict.fromkeys(["tagTypes", "imageProfileId", "declaredType", "madeForAvatar", "placeholder"]),
        "meta": {"a": 1},
        "rating": 5,
        "url": f"/blobs/{SHA}.png",
        "thumbUrl": f"/blobs/{SHA}/thumb.webp",
    }


def test_what_is_no_picture_has_no_smaller_one() -> None:
    wires = [asset_wire(asset(mimeType=kind)) for kind in ("image/svg+xml", "text/plain", "made/up")]
    assert [wire["thumbUrl"] for wire in wires] == [None, None, None]


def test_a_member_of_the_file_never_stands_for_one_of_ours() -> None:
    assert asset_wire(asset(url="javascript:alert(1)", meta="theirs", placeholder="x"))["url"] == f"/blobs/{SHA}.png"
    assert asset_wire(asset(meta="theirs"))["meta"] is None


def test_an_upload_tells_whether_it_was_there() -> None:
    assert asset_wire(asset(), duplicate=True)["duplicate"] is True
    assert "duplicate" not in asset_wire(asset())


def test_what_is_hidden_stays_hidden() -> None:
    record = {"id": ONE, "userId": ONE, "name": "n", "scope": "read", "tokenHash": "f" * 64, **DATES}
    wire = entity_wire(AccessToken.from_record(record))
    assert "tokenHash" not in wire
    assert wire["expiresAt"] is None


def test_the_extension_is_the_types() -> None:
    assert blob_url(SHA, "image/jpeg", base="https://x.example/p") == f"https://x.example/p/blobs/{SHA}.jpg"
    assert extension_of("nonsense/unknown") == "bin"


def test_the_tag_changes_with_the_record_and_with_what_is_derived() -> None:
    one = tag_of(asset(), asset_wire(asset()))
    assert str(one).startswith('"12ab.')
    assert tag_of(asset(), asset_wire(asset())) == one
    elsewhere = tag_of(asset(), asset_wire(asset(), base="https://x.example"))
    assert elsewhere != one
    assert elsewhere.version == one.version


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({}, ""),
        ({"CALOTYPE_ROOT_PATH": "/p"}, "/p"),
        ({"CALOTYPE_PUBLIC_URL": "https://x.example/"}, "https://x.example"),
        ({"CALOTYPE_PUBLIC_URL": "https://x.example", "CALOTYPE_ROOT_PATH": "/p"}, "https://x.example/p"),
        ({"CALOTYPE_PUBLIC_URL": "https://x.example/p", "CALOTYPE_ROOT_PATH": "/p"}, "https://x.example/p"),
    ],
)
def test_addresses_begin_with_what_people_use(environ: dict[str, str], base: str) -> None:
    assert base_of(load_settings(environ).settings) == base


def test_every_member_has_a_name_on_the_wire() -> None:
    assert ASSET_NAMES["_imageProfileId"] == "imageProfileId"
    assert len(set(ASSET_NAMES.values())) == len(ASSET_NAMES)
