"""Who looks like what."""

from __future__ import annotations

import pytest

from metadata.documents.contract import put
from metadata.documents.memory import MemoryDocuments
from metadata.schemas.characters import Character, Persona
from metadata.schemas.chats import Participant
from metadata.schemas.users import User
from server.avatars import Avatars, Look

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"
CHAT = "33333333-3333-4333-8333-333333333333"
DATES = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
SHA, OTHER = "a" * 64, "b" * 64
TEXTS = dict.fromkeys(("name", "description", "personality", "scenario", "firstMessage"), "x")


def asset(key: str, sha256: str) -> dict[str, object]:
    return {
        **DATES,
        "id": key,
        "userId": ONE,
        "sha256": sha256,
        "type": "image",
        "filename": "a.png",
        "relativePath": f"binaries/{sha256}/raw",
        "mimeType": "image/png",
        "size": 1,
        "width": 3,
        "height": 4,
        "source": "upload",
        "tags": [],
    }


@pytest.fixture
def avatars() -> Avatars:
    documents = MemoryDocuments()
    documents.apply([put("user", {**DATES, "id": ONE, "email": "a@b"})])
    documents.apply([put("asset", asset(ONE, SHA)), put("asset", asset(TWO, OTHER))])
    documents.apply([put("fact", {"sha256": OTHER, "size": 1, "mediaType": "image/jpeg", "width": 5})])
    overrides = [{"chatId": CHAT, "imageId": TWO}]
    found = {**TEXTS, **DATES, "id": ONE, "userId": ONE, "defaultImageId": ONE, "avatarOverrides": overrides}
    documents.apply([put("character", found, trusting=True)])
    documents.apply(
        [put("persona", {**TEXTS, **DATES, "id": TWO, "userId": ONE, "avatarUrl": f"/avatars/{OTHER}.png"})]
    )
    return Avatars(documents, "https://x.example/p")


def character(**more: object) -> Character:
    return Character.from_record({**TEXTS, **DATES, "id": ONE, "userId": ONE, **more})


@pytest.mark.parametrize(
    ("url", "sha256"),
    [
        (f"/blobs/{SHA}", SHA),
        (f"/blobs/{SHA}.png", SHA),
        (f"/blobs/{SHA}/thumb.webp", SHA),
        (f"/avatars/{SHA}?s=96", SHA),
        (f"https://x.example/p/blobs/{SHA}.png", SHA),
        (f"https://elsewhere.example/blobs/{SHA}.png", None),
        (f"/blobs/{SHA}0", None),
        (f"/blobs/{SHA.upper()}", None),
        ("", None),
        (None, None),
    ],
)
def test_a_hash_in_an_address_of_ours_is_a_picture(avatars: Avatars, url: str | None, sha256: str | None) -> None:
    assert avatars.look(character(avatarUrl=url)) == Look(None, sha256)
    user = User.from_record({**DATES, "id": ONE, "email": "a@b", "image": url})
    assert avatars.look(user) == Look(None, sha256)


def test_the_asset_comes_before_the_address(avatars: Avatars) -> None:
    look = avatars.look(character(defaultImageId=ONE, avatarUrl=f"/blobs/{OTHER}"))
    gone = avatars.look(character(defaultImageId=CHAT, avatarUrl=f"/blobs/{OTHER}"))
    nothing = Look(CHAT, "c" * 64)
    (one, two, three) = avatars.wires([look, gone, nothing])
    assert one == {
        "assetId": ONE,
        "sha256": SHA,
        "url": f"https://x.example/p/blobs/{SHA}.png",
        "thumbUrl": f"https://x.example/p/blobs/{SHA}/avatar.webp",
        "width": 3,
        "height": 4,
        "placeholder": None,
    }
    assert two is not None
    assert (two["assetId"], two["url"], two["width"], two["height"]) == (
        None,
        f"https://x.example/p/blobs/{OTHER}.jpg",
        5,
        None,
    )
    assert three is None


def test_a_chat_may_have_another_picture(avatars: Avatars) -> None:
    present = [
        Participant.model_validate({"id": ONE, "type": "CHARACTER", "characterId": ONE}),
        Participant.model_validate({"id": TWO, "type": "PERSONA", "personaId": TWO}),
        Participant.model_validate({"id": CHAT, "type": "CHARACTER", "characterId": CHAT}),
    ]
    looks = avatars.of_participants({CHAT: present, "other": present[:1]})
    assert looks[CHAT] == [Look(TWO), Look(None, OTHER), Look()]
    assert looks["other"] == [Look(ONE)]
    assert avatars.find([]) == []


def test_a_persona_has_no_override(avatars: Avatars) -> None:
    persona = Persona.from_record({**TEXTS, **DATES, "id": ONE, "userId": ONE, "defaultImageId": ONE})
    assert avatars.look(persona) == Look(ONE)
