"""One suite over every implementation of the documents contract."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import pytest

from metadata.documents.contract import ANY, Change, Documents, Record, put, remove
from metadata.documents.json_files import JsonFiles
from metadata.documents.memory import MemoryDocuments
from metadata.errors import ConflictError, InvalidError, NotFoundError, StaleError
from metadata.files.engine import FileEngine
from metadata.index.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T0 = "2026-01-01T00:00:00.000Z"
USER = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(params=["json_files", "memory"])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Documents]:
    opened = JsonFiles(FileEngine.open(tmp_path)) if request.param == "json_files" else MemoryDocuments()
    yield opened
    opened.close()


def new_id() -> str:
    return str(uuid.uuid4())


def tag(name: str, user: str = USER, **more: object) -> Record:
    dates = {"createdAt": T0, "updatedAt": T0}
    return {"id": new_id(), "userId": user, "name": name, "nameLower": name.casefold(), **dates, **more}


def asset(number: int = 1, user: str = USER, **more: object) -> Record:
    sha256 = f"{number:064x}"
    return {
        "id": new_id(),
        "sha256": sha256,
        "type": "image",
        "userId": user,
        "filename": f"picture {number}.png",
        "relativePath": f"binaries/{sha256}/raw",
        "mimeType": "image/png",
        "size": number,
        "source": "upload",
        "tags": [],
        "createdAt": f"2026-01-01T00:00:{number % 60:02d}.000Z",
        "updatedAt": T0,
        **more,
    }


def character(**more: object) -> Record:
    texts = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "f"}
    rest = {"isFavorite": False, "personaLinks": [], "tags": [], "avatarOverrides": []}
    return {"id": new_id(), "userId": USER, **texts, **rest, "createdAt": T0, "updatedAt": T0, **more}


def store(documents: Documents, kind: str, *records: Record) -> list[str]:
    for record in records:
        documents.apply([put(kind, record)])
    return [str(record["id"]) for record in records]


@pytest.mark.parametrize(("kind", "record"), [("tag", tag("One")), ("asset", asset()), ("character", character())])
def test_a_record_comes_back_as_it_was_put_whatever_its_home(documents: Documents, kind: str, record: Record) -> None:
    documents.apply([put(kind, record)])
    found = documents.get(kind, str(record["id"]))
    assert found is not None
    assert found.body == record
    assert list(found.body) == list(record)


def test_unknown_members_and_odd_text_survive(documents: Documents) -> None:
    odd = asset(1, filename='a"\n\u202e\ud83d.png', futureField={"x": [1, None, 2.5, "\u0000"]}, _meta={"é": 1})
    (key,) = store(documents, "asset", odd)
    found = documents.get("asset", key)
    assert found is not None
    assert found.body == odd


def test_many_are_had_by_their_keys_at_once(documents: Documents) -> None:
    one, two, three = tag("a"), tag("b"), tag("c")
    documents.apply([put("tag", record) for record in (one, two, three)])
    documents.apply([remove("tag", str(three["id"]))])
    found = documents.many("tag", [str(two["id"]), new_id(), str(one["id"]), str(one["id"]), str(three["id"])])
    assert {key: stored.body for key, stored in found.items()} == {one["id"]: one, two["id"]: two}
    assert found[str(one["id"])] == documents.get("tag", str(one["id"]))
    assert documents.many("tag", []) == {}


def test_absent_is_none_and_removing_it_is_an_error(documents: Documents) -> None:
    assert documents.get("asset", new_id()) is None
    assert documents.get("character", "../../etc/passwd") is None
    with pytest.raises(NotFoundError):
        documents.apply([remove("asset", new_id())])


@pytest.mark.parametrize(("kind", "record"), [("tag", tag("One")), ("asset", asset()), ("character", character())])
def test_removed_is_gone_and_may_come_again(documents: Documents, kind: str, record: Record) -> None:
    (key,) = store(documents, kind, record)
    documents.apply([remove(kind, key)])
    assert documents.get(kind, key) is None
    assert documents.find(kind, Query()).total == 0
    documents.apply([put(kind, record)])
    assert documents.find(kind, Query()).total == 1


def test_putting_a_new_record_twice_is_a_conflict(documents: Documents) -> None:
    record = asset()
    documents.apply([put("asset", record)])
    with pytest.raises(ConflictError):
        documents.apply([put("asset", record)])


def test_a_stale_version_is_refused_and_writes_nothing(documents: Documents) -> None:
    record = asset()
    (key,) = store(documents, "asset", record)
    first = documents.get("asset", key)
    assert first is not None
    documents.apply([put("asset", {**record, "filename": "new.png"}, first.version)])
    with pytest.raises(StaleError):
        documents.apply([put("asset", {**record, "filename": "lost.png"}, first.version)])
    found = documents.get("asset", key)
    assert found is not None
    assert found.body["filename"] == "new.png"


def test_a_version_depends_on_content_alone(documents: Documents) -> None:
    record = asset()
    (key,) = store(documents, "asset", record)
    before = documents.get("asset", key)
    documents.apply([put("asset", {**record, "filename": "b"}, ANY)])
    documents.apply([put("asset", record, ANY)])
    after = documents.get("asset", key)
    assert before is not None
    assert after is not None
    assert before.version == after.version


def test_unique_keys_are_kept_and_name_the_holder(documents: Documents) -> None:
    (key,) = store(documents, "tag", tag("Fantasy"))
    with pytest.raises(ConflictError) as caught:
        documents.apply([put("tag", tag("FANTASY"))])
    assert caught.value.details["existing"] == key
    documents.apply([put("tag", tag("fantasy", OTHER))])


def test_a_unique_key_is_free_again_after_a_change(documents: Documents) -> None:
    record = tag("one")
    store(documents, "tag", record)
    documents.apply([put("tag", {**record, "name": "two", "nameLower": "two"}, ANY)])
    documents.apply([put("tag", tag("one"))])
    with pytest.raises(ConflictError):
        documents.apply([put("tag", tag("two"))])


def test_unique_keys_hold_within_one_apply_and_nothing_of_it_stays(documents: Documents) -> None:
    with pytest.raises(ConflictError):
        documents.apply([put("tag", tag("same")), put("tag", tag("Same"))])
    assert documents.find("tag", Query()).total == 0


def test_lookup_finds_by_a_unique_rule(documents: Documents) -> None:
    (key,) = store(documents, "tag", tag("Wald"))
    found = documents.lookup("tag", ("userId", "nameLower"), (USER, "wald"))
    assert found is not None
    assert found.key == key
    assert documents.lookup("tag", ("userId", "nameLower"), (OTHER, "wald")) is None


def test_a_reference_to_nothing_or_to_anothers_is_refused(documents: Documents) -> None:
    (foreign,) = store(documents, "tag", tag("theirs", OTHER))
    for target in (new_id(), foreign):
        with pytest.raises(InvalidError) as caught:
            documents.apply([put("asset", asset(tags=[target]))])
        assert caught.value.details["field"] == "tags"
    assert documents.find("asset", Query()).total == 0


def test_a_dangling_reference_that_was_there_before_hinders_no_edit(documents: Documents) -> None:
    record = asset(tags=[new_id()])
    documents.apply([put("asset", record, trusting=True)])
    documents.apply([put("asset", {**record, "filename": "renamed.png"}, ANY)])
    with pytest.raises(InvalidError):
        documents.apply([put("asset", {**record, "characterId": new_id()}, ANY)])


def test_referrers_and_mentions_are_found(documents: Documents) -> None:
    (tag_id,) = store(documents, "tag", tag("t"))
    (asset_id,) = store(documents, "asset", asset(7, tags=[tag_id]))
    picture = f"{7:064x}"
    (who,) = store(documents, "character", character(avatarUrl=f"/blobs/{picture}", defaultImageId=asset_id))
    assert [(by.kind, by.key, by.field) for by in documents.referrers("tag", tag_id)] == [("asset", asset_id, "tags")]
    assert [(by.kind, by.key, by.field) for by in documents.referrers("asset", asset_id)] == [
        ("character", who, "defaultImageId")
    ]
    (mention,) = documents.mentions(picture)
    assert (mention.kind, mention.key) == ("character", who)
    assert documents.mentions(picture, owner=mention.owner) == [mention]
    assert documents.mentions(picture, owner="somebody else") == []
    assert documents.is_live(picture)
    assert not documents.is_live(f"{8:064x}")


def test_a_payload_only_mentioned_stays_live_until_its_last_mention_goes(documents: Documents) -> None:
    record = character(sillyTavernData={"deep": [{"url": f"x/{9:064x}.png"}]})
    (key,) = store(documents, "character", record)
    assert documents.is_live(f"{9:064x}")
    documents.apply([put("character", {**record, "sillyTavernData": {}}, ANY)])
    assert not documents.is_live(f"{9:064x}")
    assert documents.get("character", key) is not None


def test_an_apply_over_several_files_is_all_or_nothing(documents: Documents) -> None:
    (tag_id,) = store(documents, "tag", tag("t"))
    record = asset(tags=[tag_id])
    (asset_id,) = store(documents, "asset", record)
    with pytest.raises(StaleError):
        documents.apply([put("asset", {**record, "tags": []}, ANY), remove("tag", tag_id, "0" * 32)])
    kept = documents.get("asset", asset_id)
    assert kept is not None
    assert kept.body["tags"] == [tag_id]
    documents.apply([put("asset", {**record, "tags": []}, ANY), remove("tag", tag_id)])
    assert documents.get("tag", tag_id) is None
    assert documents.referrers("tag", tag_id) == []


def test_an_edit_sees_what_is_there_and_may_leave_it(documents: Documents) -> None:
    record = asset()
    (key,) = store(documents, "asset", record)
    documents.apply([Change("asset", key, lambda body: {**(body or {}), "size": 99})])
    documents.apply([Change("asset", key, lambda body: body)])
    found = documents.get("asset", key)
    assert found is not None
    assert found.body["size"] == 99


def test_pages_are_stable_under_inserts_and_removals(documents: Documents) -> None:
    keys = store(documents, "asset", *(asset(number) for number in range(1, 31)))
    first = documents.find("asset", Query(limit=10))
    assert [item.key for item in first.items] == keys[:10]
    assert (first.total, first.total_capped) == (30, False)
    store(documents, "asset", asset(5, createdAt="2025-01-01T00:00:00.000Z"))
    documents.apply([remove("asset", keys[3])])
    second = documents.find("asset", Query(limit=10, cursor=first.next_cursor))
    third = documents.find("asset", Query(limit=10, cursor=second.next_cursor))
    assert [item.key for item in second.items + third.items] == keys[10:]
    assert third.next_cursor is None


@pytest.mark.parametrize("sort", ["size", "-size", "filename", "-createdAt"])
def test_every_order_pages_through_everything_once(documents: Documents, sort: str) -> None:
    keys = store(documents, "asset", *(asset(number, size=number // 4) for number in range(23)))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = documents.find("asset", Query(sort=sort, limit=5, cursor=cursor))
        seen += [item.key for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(keys)
    values = [(documents.get("asset", key) or page.items[0]).body[sort.lstrip("-")] for key in seen]
    assert values == sorted(values, reverse=sort.startswith("-"))  # type: ignore[type-var] # one type per field


def test_filters_narrow_by_value_reference_and_owner(documents: Documents) -> None:
    red, blue = store(documents, "tag", tag("red"), tag("blue"))
    store(documents, "asset", asset(1, tags=[red]), asset(2, tags=[red, blue]), asset(3, OTHER), asset(3))

    def sizes(query: Query) -> list[object]:
        return [item.body["size"] for item in documents.find("asset", query).items]

    assert sizes(Query(filter={"tags": [red]})) == [1, 2]
    assert sizes(Query(filter={"tags": [red, blue]})) == [2]
    assert sizes(Query(filter={"sha256": f"{3:064x}"})) == [3, 3]
    assert sizes(Query(filter={"sha256": f"{3:064x}"}, owner=OTHER)) == [3]
    assert sizes(Query(filter={"size": 2, "type": "image"})) == [2]
    assert documents.find("asset", Query(owner=USER)).total == 3


def test_tag_types_say_what_a_tag_is(documents: Documents) -> None:
    (theme,) = store(documents, "tag", tag("red"))
    (who,) = store(documents, "character", character())
    store(documents, "asset", asset(1, tags=[theme]), asset(2, tags=[who], _tagTypes={who: "CHARACTER"}))
    store(documents, "asset", asset(3, tags=[who]))
    found = documents.find("asset", Query(filter={"tags": [who]}, tag_type="CHARACTER"))
    assert [item.body["size"] for item in found.items] == [2, 3]
    assert documents.find("asset", Query(filter={"tags": [who]}, tag_type="THEME")).items == []


def test_text_is_found_folded_by_prefix_and_inside(documents: Documents) -> None:
    names = ["Łódź Élan.png", "魔法少女の絵.png", "Alice im Wald.png"]
    store(documents, "asset", *(asset(number, filename=name) for number, name in enumerate(names)))

    def found(text: str) -> list[object]:
        return [item.body["filename"] for item in documents.find("asset", Query(q=text)).items]

    assert found("lodz") == names[:1]
    assert found("elan łó") == names[:1]
    assert found("少女") == names[1:2]
    assert found("魔") == names[1:2]
    assert found("lic") == names[2:]
    assert found("WALD alice") == names[2:]
    assert found("nothing") == []
    assert found('"*-()') == []
    paged = documents.find("asset", Query(q="png", limit=2))
    rest = documents.find("asset", Query(q="png", limit=2, cursor=paged.next_cursor))
    assert paged.total == 3
    assert {item.body["filename"] for item in paged.items + rest.items} == set(names)


@pytest.mark.parametrize(
    "query",
    [Query(filter={"nonsense": "x"}), Query(sort="nonsense"), Query(cursor="!!"), Query(limit=0), Query(limit=501)],
)
def test_a_query_that_makes_no_sense_is_refused(documents: Documents, query: Query) -> None:
    with pytest.raises(InvalidError):
        documents.find("asset", query)


def test_scan_yields_everything_in_sequence(documents: Documents) -> None:
    keys = store(documents, "asset", *(asset(number) for number in range(12)))
    assert [item.key for item in documents.scan("asset")] == keys
    later = list(documents.scan("asset"))[5].seq
    assert [item.key for item in documents.scan("asset", after=later)] == keys[6:]


def test_the_last_body_of_a_removed_asset_is_kept(documents: Documents) -> None:
    record = asset()
    (key,) = store(documents, "asset", record)
    assert documents.buried("asset", key) is None
    documents.apply([remove("asset", key)])
    assert documents.buried("asset", key) == record


def test_totals_follow(documents: Documents) -> None:
    keys = store(documents, "asset", *(asset(number) for number in range(1, 5)))
    assert documents.total("asset", "size") == 10
    documents.apply([remove("asset", keys[0])])
    assert documents.total("asset", "size") == 9


def test_threads_lose_no_update(documents: Documents) -> None:
    (key,) = store(documents, "asset", asset(1, size=0))

    def bump(body: Record | None) -> Record | None:
        return None if body is None else {**body, "size": int(str(body["size"])) + 1}

    def work() -> None:
        for _ in range(25):
            documents.apply([Change("asset", key, bump)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = documents.get("asset", key)
    assert found is not None
    assert found.body["size"] == 100
