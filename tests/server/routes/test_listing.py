"""Lists of assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.index.ranking import LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def ids(api: Api, query: str, token: str = "") -> list[str]:
    answer = api.ask("GET", f"/api/assets?{query}", token=token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return [item["id"] for item in answer.json()["items"]]


def test_equality_filters(api: Api, png: bytes) -> None:
    character = api.character()
    cat = api.upload(png, filename="cat.png", generationModel="m", characterId=character)
    text = api.upload(b"words", filename="words.txt", source="import")
    for query in (
        "type=image",
        f"sha256={cat['sha256']}",
        "filename=cat.png",
        "generationModel=m",
        f"characterId={character}",
        "source=upload",
        "mimeType=image/png",
        "size=70",
        "width=1&height=1",
        "type=image&source=upload",
    ):
        assert ids(api, query) == [cat["id"]], query
    assert ids(api, "type=chat_file") == [text["id"]]
    for query in ("type=avatar", "sha256=" + "A" * 64, "type=image&source=import", f"chatId={ONE}", "width=2"):
        assert ids(api, query) == [], query


def test_all_of_several_tags_by_id_or_name(api: Api) -> None:
    both = api.upload(b"1", tags="Fantasy")
    both = api.upload(b"1", tags="dark")
    one = api.upload(b"2", tags="fantasy")
    api.upload(b"3")
    fantasy, dark = both["tags"]
    assert ids(api, "tags=FANTASY") == [both["id"], one["id"]]
    assert ids(api, f"tags={fantasy}") == [both["id"], one["id"]]
    assert ids(api, f"tags=fantasy&tags={dark}") == [both["id"]]
    assert ids(api, "tags=nobody") == []
    assert ids(api, f"tagId={dark}&tagType=THEME") == [both["id"]]
    assert ids(api, f"tagId={dark}&tagType=CHARACTER") == []
    assert [tag.name for tag in api.store.records.tags.find_all()] == ["Fantasy", "dark"]


def test_a_character_as_a_tag(api: Api) -> None:
    character = api.character()
    asset = api.upload()
    api.ask("PUT", f"/api/assets/{asset['id']}/tags/{character}?tagType=CHARACTER")
    assert ids(api, f"tagId={character}&tagType=CHARACTER") == [asset["id"]]
    assert ids(api, f"tagId={character}") == [asset["id"]]
    assert ids(api, f"tagId={character}&tagType=THEME") == []


def test_order_and_search(api: Api) -> None:
    small = api.upload(b"1", filename="b dragon.txt", generationPrompt="a castle")
    large = api.upload(b"22", filename="a castle.txt")
    assert ids(api, "") == [small["id"], large["id"]]
    assert ids(api, "sort=-createdAt") == [large["id"], small["id"]]
    assert ids(api, "sort=filename") == [large["id"], small["id"]]
    assert ids(api, "sort=-size") == [large["id"], small["id"]]
    assert ids(api, "q=dragon") == [small["id"]]
    assert set(ids(api, "q=castle")) == {small["id"], large["id"]}
    assert ids(api, "q=castle&sort=-size") == [large["id"], small["id"]]


def test_everybody_sees_their_own_and_an_admin_everything(api: Api) -> None:
    mine, theirs = api.upload(b"1"), api.upload(b"2", token=api.bob)
    alice, bob = api.users["alice"], api.users["bob"]
    assert ids(api, "") == [mine["id"]]
    assert ids(api, "", api.admin) == [mine["id"], theirs["id"]]
    assert ids(api, f"userId={bob}", api.admin) == [theirs["id"]]
    assert ids(api, f"userId={alice}") == [mine["id"]]
    assert api.ask("GET", f"/api/assets?userId={bob}").status_code == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tag=x", "tag"),
        ("meta=1", "meta"),
        ("sort=nonsense", "sort"),
        ("sort=-", "sort"),
        ("tagType=THEME", "tagId"),
        (f"tagType=BANANA&tagId={ONE}", "tagType"),
        ("size=big", "size"),
        ("type=image&type=avatar", "type"),
    ],
)
def test_what_is_unknown_or_wrong_is_refused_by_name(api: Api, query: str, field: str) -> None:
    answer = api.ask("GET", f"/api/assets?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_hostile_values_find_nothing(api: Api) -> None:
    api.upload()
    for value in ("' OR 1=1 --", "%00", "%ff", "*", '"', "x" * 4000):
        assert ids(api, f"filename={value}") == []
        assert api.ask("GET", f"/api/assets?q={value[:LONGEST]}").status_code == 200
    assert api.ask("GET", f"/api/assets?q={'x' * (LONGEST + 1)}").status_code == 422


def test_an_unreadable_line_is_left_out_and_counted(open_api: Callable[..., Api], png: bytes) -> None:
    api = open_api(DURABILITY="full")  # otherwise all of the log may be a torn tail
    for data in (b"1", b"2"):
        api.upload(data)
    log = api.store.engine.paths.root / "binaries/index.jsonl"
    log.write_bytes(b'{"id": broken\n' + log.read_bytes())
    api.upload(b"3")
    api.store.documents.sweep()
    listed = api.ask("GET", "/api/assets").json()
    assert (len(listed["items"]), listed["total"]) == (3, 3)
    assert listed["unreadable"] == 1
    ready = api.ask("GET", "/readyz", token=None)
    assert ready.json()["status"] == "degraded"
    assert "index.jsonl" not in ready.text
    assert "binaries/index.jsonl" in api.ask("GET", "/readyz", token=api.admin).text
    assert api.upload(png)["duplicate"] is False


def test_snippets_show_where_the_words_are(api: Api) -> None:
    api.upload(filename="Straße.png")
    (found,) = api.ask("GET", "/api/assets?q=strasse&highlight=1").json()["items"]
    assert found["highlights"] == {"filename": "<mark>Straße</mark>.png"}
    assert found["filename"] == "Straße.png"
