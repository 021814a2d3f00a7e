"""The interface to assets, over a folder and over a real server: what `server.interface.Assets` promises."""

from __future__ import annotations

import hashlib
import io
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import calotype
from calotype import ConflictError, InvalidError, NotFoundError, Reference, TooLargeError
from server.interface import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from server.interface import Assets

LIMIT = 5_000_000
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000005000000070802000000")


@pytest.fixture(scope="module", params=["folder", "server"])
def assets(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, serving: ModuleType
) -> Iterator[Assets]:
    """The assets of a store that the tests of this module share."""
    folder = tmp_path_factory.mktemp("assets") / "data"
    if request.param == "folder":
        with calotype.open(folder, max_upload_bytes=LIMIT, min_free_bytes=0) as store:
            yield store.assets
        return
    settings = {"CALOTYPE_MAX_UPLOAD_BYTES": str(LIMIT)}
    with serving.Server(folder, extra=settings) as server, calotype.connect(server.url, token=server.token) as store:
        yield store.assets


@pytest.fixture
def data() -> bytes:
    """Bytes that no other test stores."""
    return b"text " + secrets.token_hex(16).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_is_put_is_there(assets: Assets, data: bytes) -> None:
    asset = assets.put(data, filename="note.txt")
    assert (asset.sha256, asset.size, asset.filename) == (sha256(data), len(data), "note.txt")
    assert (asset.type, asset.media_type, asset.source, asset.tags) == ("chat_file", "text/plain", "upload", ())
    assert asset.url.endswith(f"/blobs/{asset.sha256}.txt")
    assert (asset.duplicate, asset.width) == (False, None)
    assert dict(assets.get(asset.id).wire) | {"duplicate": False} == asset.wire
    assert assets.get(asset.id).version == asset.version != ""
    assert assets.read(asset.sha256) == data


def test_a_picture_is_measured(assets: Assets) -> None:
    asset = assets.put(PNG + secrets.token_bytes(40))
    assert (asset.type, asset.media_type, asset.width, asset.height) == ("image", "image/png", 5, 7)


def test_an_address_is_signed_for_a_time(assets: Assets, data: bytes) -> None:
    asset = assets.put(data)
    signed = assets.sign(asset.sha256, timedelta(hours=1))
    path, _, query = signed.url.partition("?")
    assert path.endswith(f"/blobs/{asset.sha256}.txt")
    assert re.fullmatch(r"expires=[0-9]+&signature=[A-Za-z0-9_-]+", query)
    assert signed.expires_at.endswith("Z")
    with pytest.raises(InvalidError):
        assets.sign(asset.sha256, timedelta(days=31))
    with pytest.raises(InvalidError):
        assets.sign("nonsense", timedelta(hours=1))
    with pytest.raises(NotFoundError):
        assets.sign(secrets.token_hex(32), timedelta(hours=1))


def test_the_same_bytes_again_are_the_same_record(assets: Assets, data: bytes) -> None:
    first = assets.put(data, filename="first.txt")
    again = assets.put(data, filename="second.txt", tags=["late"])
    other = assets.put(data, type="avatar")
    assert (again.id, again.duplicate, again.filename, len(again.tags)) == (first.id, True, "first.txt", 1)
    assert (other.id != first.id, other.duplicate) == (True, False)
    assert [each.id for each in assets.find(sha256(data))] == [first.id, other.id]


def test_a_path_brings_its_name(assets: Assets, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / 'a name, with "marks" and ümläute.txt'
    file.write_bytes(data)
    assert assets.put(file).filename == file.name
    assert assets.put(file, type="avatar", filename="../other.txt").filename == "other.txt"


def test_an_open_file_is_read_to_its_end_and_stays_open(assets: Assets, data: bytes) -> None:
    file = io.BytesIO(data * 30_000)
    asset = assets.put(file)
    assert (asset.size, asset.filename, file.closed) == (len(data) * 30_000, "file", False)
    with assets.open(asset.sha256) as source:
        assert source.read(5) == b"text "
        assert source.read() == (data * 30_000)[5:]


def test_fields_are_kept(assets: Assets, data: bytes) -> None:
    asset = assets.put(
        data,
        type="image",
        source="generated",
        generation_prompt="a forest, ☂",
        generation_model="m1",
        tags=["Fan Tasy"],
    )
    found = assets.get(asset.id)
    assert (found.type, found.source, len(found.tags)) == ("image", "generated", 1)
    assert (found.wire["generationPrompt"], found.wire["generationModel"]) == ("a forest, ☂", "m1")


def test_what_cannot_be_stored(assets: Assets, data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ConflictError):
        assets.put(data, sha256=sha256(b"other"))
    with pytest.raises(InvalidError):
        assets.put(data, sha256="abc")
    with pytest.raises(InvalidError):
        assets.put(b"")
    with pytest.raises(InvalidError):
        assets.put(data, type="painting")
    with pytest.raises(InvalidError):
        assets.put(data, character_id="00000000-0000-4000-8000-000000000000")
    with pytest.raises(InvalidError, match="colour"):
        assets.put(data, colour="red")  # type: ignore[call-arg] # what a program without types may do
    with pytest.raises(NotFoundError):
        assets.put(tmp_path / "absent")
    with pytest.raises(InvalidError):
        assets.put(tmp_path)
    assert assets.have([sha256(data)]) == [sha256(data)]


def test_a_file_over_the_limit(assets: Assets) -> None:
    with pytest.raises(TooLargeError) as caught:
        assets.put(bytes(LIMIT + 1))
    assert caught.value.details["limit"] == LIMIT
    assert caught.value.details["setting"] == "CALOTYPE_MAX_UPLOAD_BYTES"


def test_absent_things(assets: Assets, data: bytes) -> None:
    absent = "00000000-0000-4000-8000-000000000000"
    assert assets.find(sha256(data)) == []
    for ask in (assets.get, assets.delete, assets.restore, assets.references):
        for key in (absent, "no id at all"):
            with pytest.raises(NotFoundError):
                ask(key)
    for read in (assets.open, assets.read):
        with pytest.raises(NotFoundError):
            read(sha256(data))
        with pytest.raises(InvalidError):
            read(sha256(data).upper())
    with pytest.raises(InvalidError):
        assets.find("abc")


def test_have_names_what_is_missing(assets: Assets, data: bytes) -> None:
    assets.put(data)
    many = [sha256(str(number).encode()) for number in range(1_500)]
    assert list(assets.have([*many, sha256(data)])) == many
    assert list(assets.have([])) == []
    with pytest.raises(InvalidError):
        assets.have(["abc"])


def test_lists_are_filtered_and_paged(assets: Assets, data: bytes) -> None:
    tag = secrets.token_hex(8)
    made = [assets.put(data + bytes([number]), filename=f"{number}.txt", tags=[tag]) for number in range(5)]
    page = assets.list(limit=2, tags=[tag])
    assert ([item.id for item in page.items], page.total, page.total_capped) == ([a.id for a in made[:2]], 5, False)
    following = assets.list(limit=2, tags=[tag], cursor=page.next_cursor)
    assert [item.id for item in following.items] == [a.id for a in made[2:4]]
    assert [item.id for item in walk(assets, tags=[tag], sort="-filename")] == [a.id for a in reversed(made)]
    assert assets.list(sha256=made[0].sha256, type="chat_file", mime_type=made[0].media_type).total == 1
    assert assets.list(tags=[tag, "nobody's tag"]).total == 0


def test_a_list_refuses_what_it_does_not_know(assets: Assets) -> None:
    for wrong in ({"sort": "nothing"}, {"limit": 0}, {"limit": 501}, {"cursor": "x"}, {"colour": "red"}):
        with pytest.raises(InvalidError):
            assets.list(**wrong)


def test_search_finds_words(assets: Assets, data: bytes) -> None:
    word = secrets.token_hex(8)
    asset = assets.put(data, filename=f"a {word} b.txt")
    assert [item.id for item in assets.list(q=word).items] == [asset.id]


def test_tags_come_and_go(assets: Assets, data: bytes) -> None:
    asset = assets.put(data, tags=["One"])
    tagged = assets.tag(asset.id, "one", "Two")
    assert tagged.tags[:1] == asset.tags
    assert len(tagged.tags) == 2
    assert assets.tag(asset.id, tagged.tags[1]).tags == tagged.tags
    assert assets.untag(asset.id, tagged.tags[0]).tags == tagged.tags[1:]
    assert assets.untag(asset.id, tagged.tags[0]).tags == tagged.tags[1:]
    with pytest.raises(NotFoundError):
        assets.tag("00000000-0000-4000-8000-000000000000", "One")


def test_what_is_deleted_can_be_restored(assets: Assets, data: bytes) -> None:
    asset = assets.put(data)
    with pytest.raises(ConflictError):
        assets.restore(asset.id)
    assets.delete(asset.id)
    with pytest.raises(NotFoundError):
        assets.get(asset.id)
    with pytest.raises(NotFoundError):
        assets.read(asset.sha256)
    assert assets.restore(asset.id).id == asset.id
    assert assets.read(asset.sha256) == data


def test_what_is_purged_is_gone(assets: Assets, data: bytes) -> None:
    asset = assets.put(data)
    assets.delete(asset.id, purge=True)
    with pytest.raises(NotFoundError):
        assets.restore(asset.id)


def test_what_is_mentioned_is_kept_and_known(assets: Assets, data: bytes) -> None:
    asset = assets.put(data)
    other = assets.put(data + b".", generation_prompt=f"after {asset.sha256}")
    expected = [Reference("asset", other.id, "mention")]
    assert list(assets.references(asset.id)) == list(assets.references(asset.sha256)) == expected
    assert list(assets.references(other.id)) == []
    with pytest.raises(ConflictError) as caught:
        assets.delete(asset.id)
    assert caught.value.details["referrers"] == [{"kind": "asset", "id": other.id, "field": "mention"}]
    assets.delete(asset.id, force=True)
    assert assets.read(asset.sha256) == data, "a payload that is mentioned is live"
