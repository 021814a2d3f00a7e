"""Character cards over HTTP: in, out, and in again; and what is hostile."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assets.cards.chunks import walk
from metadata.errors import FullError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import httpx2

    from tests.server.conftest import Api

IMPORT = "/api/import/cards"
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=zz"}


@pytest.fixture(scope="session")
def building(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Make files with cards."""
    return load_beside(Path(__file__).parents[2] / "assets" / "cards" / "building.py")


@pytest.fixture(scope="session")
def hostile(load_beside: Callable[[Path], ModuleType]) -> ModuleType:
    """Make files that are made to harm."""
    return load_beside(Path(__file__).parents[2] / "assets" / "transfer" / "cards" / "hostile.py")


def send(api: Api, *files: bytes, **more: Any) -> httpx2.Response:
    parts = [("file", (f"card{n}.png", data)) for n, data in enumerate(files)]
    return api.ask("POST", IMPORT, files=parts, **more)


def one(answer: httpx2.Response) -> dict[str, Any]:
    (item,) = answer.json()["items"]
    return dict(item)


def texts(png: bytes) -> list[str]:
    return [chunk.card_keyword for chunk in walk(io.BytesIO(png)) if chunk.card_keyword]


def test_seraphina_comes_in_goes_out_and_is_known_again(api: Api, corpus: Path) -> None:
    file = (corpus / "tavern" / "default_Seraphina.png").read_bytes()
    answer = api.ask("POST", IMPORT, content=file, params={"filename": "s.png"})
    item = one(answer)
    assert (answer.status_code, item["status"], item["outcome"]) == (201, 201, "imported")
    assert (item["filename"], item["name"], item["notes"]) == ("s.png", "Seraphina", [])
    url = f"/api/characters/{item['characterId']}"
    character = api.ask("GET", url).json()
    assert len(character["sillyTavernData"]["data"]["character_book"]["entries"]) == 4
    assert api.ask("GET", f"{url}/avatar").content == file
    out = api.ask("GET", f"{url}/export").content
    assert out != file
    assert sorted(texts(out)) == ["ccv3", "chara"]
    again = send(api, out, file)
    assert again.status_code == 200
    assert [found["outcome"] for found in again.json()["items"]] == ["same", "same"]
    assert {found["characterId"] for found in again.json()["items"]} == {item["characterId"]}
    assert (len(api.payloads()), api.staged()) == (1, [])


def test_what_is_in_a_card_comes_in_and_goes_out(api: Api, building: ModuleType) -> None:
    note = building.text("chara-ext-asset_:note.txt", base64.b64encode(b"note"))
    charx = building.charx(building.V3, {"smile.png": building.png(colour=1)})
    files = (charx, building.png(after=[note, building.text("chara", building.encoded(building.V1))]))
    told = [one(api.ask("POST", IMPORT, content=files[0])), one(send(api, files[1]))]
    assert [item["outcome"] for item in told] == ["imported", "imported"]
    assert (len(api.payloads()), api.staged()) == (4, [])
    out = [api.ask("GET", f"/api/characters/{item['characterId']}/export?format=charx").content for item in told]
    names = [zipfile.ZipFile(io.BytesIO(each)).namelist() for each in out]
    assert ("smile.png" in names[0], "note.txt" in names[1]) == (True, True)
    assert [item["outcome"] for item in send(api, *files).json()["items"]] == ["same", "same"]


def test_each_of_several_is_told_of_and_one_that_is_bad_hinders_no_other(api: Api, building: ModuleType) -> None:
    bad = building.png(after=[building.text("chara", b"!")])
    answer = send(api, building.card_png(building.V2), bad, building.png(), b"")
    items = answer.json()["items"]
    assert answer.status_code == 201
    assert [(item["status"], item["outcome"], item["filename"]) for item in items] == [
        (201, "imported", "card0.png"),
        (422, "failed", "card1.png"),
        (415, "failed", "card2.png"),
        (422, "failed", "card3.png"),
    ]
    assert "Download it again" in items[1]["problem"]["detail"]
    refused = send(api, bad, building.png())
    assert refused.status_code == 422
    assert (len(api.payloads()), api.staged()) == (1, [])


def test_what_is_no_card_is_an_asset_where_that_is_wanted(api: Api, building: ModuleType) -> None:
    bad = building.png(after=[building.text("chara", b"!")])
    for file, outcome, told in (
        (building.card_png(building.V2), "imported", ""),
        (building.png(), "stored", ""),
        (bad, "stored", "Download it again"),
        (b"any text", "stored", ""),
    ):
        answer = api.ask("POST", IMPORT, content=file, params={"filename": "a.png", "others": "1"})
        item = one(answer)
        assert (answer.status_code, item["outcome"], "asset" in item) == (201, outcome, outcome == "stored")
        assert told in " ".join(item["notes"])
        if outcome == "stored":
            assert api.ask("GET", item["asset"]["url"]).content == file
            again = api.ask("POST", IMPORT, content=file, params={"others": ""})
            assert (again.status_code, one(again)["asset"]["id"]) == (200, item["asset"]["id"])
    refused = api.ask("POST", IMPORT, content=b"other text", headers={"X-SHA-256": "0" * 64}, params={"others": "1"})
    assert refused.status_code == 409
    assert (len(api.payloads()), api.staged()) == (4, [])


def test_a_form_that_breaks_off_stores_nothing(api: Api, building: ModuleType) -> None:
    part = b'--zz\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    whole = part + building.card_png(building.V2)
    for body in (whole, b"--zz--\r\n", b"nothing"):
        assert api.ask("POST", IMPORT, content=body, headers=BOUNDARY).status_code == 422
    text = b'--zz\r\nContent-Disposition: form-data; name="tags"\r\n\r\nx\r\n--zz--\r\n'
    assert api.ask("POST", IMPORT, content=text, headers=BOUNDARY).status_code == 422
    assert send(api, building.card_png(building.V2), params={"filename": "x"}).json()["field"] == "filename"
    assert (api.payloads(), api.staged()) == ([], [])


def test_limits_are_those_of_uploads(open_api: Callable[..., Api], building: ModuleType) -> None:
    api = open_api(MAX_UPLOAD_BYTES="5000", MAX_FORM_PARTS="2")
    small = building.card_png({"name": "A", "description": ""})
    large = building.card_png({"name": "A", "description": "x" * 5000})
    assert [item["status"] for item in send(api, small, large).json()["items"]] == [201, 413]
    assert api.ask("POST", IMPORT, content=large).status_code == 413
    assert send(api, small, small, small).status_code == 413
    assert api.staged() == []


def test_a_digest_that_was_announced_has_to_be_right(api: Api, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    wrong = api.ask("POST", IMPORT, content=file, headers={"X-SHA-256": "0" * 64})
    assert (wrong.status_code, one(wrong)["outcome"]) == (409, "failed")
    right = api.ask("POST", IMPORT, content=file, headers={"X-SHA-256": hashlib.sha256(file).hexdigest()})
    assert right.status_code == 201
    assert api.staged() == []


def test_whose_they_are(api: Api, building: ModuleType) -> None:
    file = building.card_png(building.V2)
    assert send(api, file, token=None).status_code == 401
    assert send(api, file, token=api.reader).status_code == 403
    mine, theirs = (one(send(api, file, token=token)) for token in (api.alice, api.bob))
    assert mine["characterId"] != theirs["characterId"]
    url = f"/api/characters/{mine['characterId']}/export"
    assert api.ask("GET", url, token=api.reader).status_code == 200
    assert api.ask("GET", url, token=None).status_code == 401
    assert api.ask("GET", url, token=api.bob).status_code == 404
    assert api.ask("GET", "/api/characters/x/export").status_code == 404


def test_an_export_is_kept_while_nothing_changes(api: Api, building: ModuleType) -> None:
    item = one(send(api, building.card_png({**building.V2, "data": {**building.V2_DATA, "name": "Zoë / \u202eÄ"}})))
    url = f"/api/characters/{item['characterId']}"
    shown = api.ask("GET", f"{url}/export?format=json")
    assert shown.headers["content-type"] == "application/json"
    assert shown.headers["cache-control"] == "private, no-cache"
    named = shown.headers["content-disposition"]
    assert named == "attachment; filename=\"Zoe_-A_.json\"; filename*=UTF-8''Zo%C3%AB-%C3%84.json"
    same = {"If-None-Match": shown.headers["etag"]}
    kept = api.ask("GET", f"{url}/export?format=json", headers=same)
    assert (kept.status_code, kept.content) == (304, b"")
    part = api.ask("GET", f"{url}/export?format=json", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, shown.content[:5])
    assert api.ask("HEAD", f"{url}/export?format=json").headers["content-length"] == str(len(shown.content))
    assert api.ask("GET", f"{url}/export?format=json&spec=v2", headers=same).json()["spec"] == "chara_card_v2"
    patch = {"Content-Type": "application/merge-patch+json"}
    assert api.ask("PATCH", url, content=b'{"firstMessage": "Hi!"}', headers=patch).status_code == 200
    edited = api.ask("GET", f"{url}/export?format=json", headers=same)
    assert (edited.status_code, edited.json()["data"]["first_mes"]) == (200, "Hi!")


def test_what_is_asked_for_wrongly_is_refused(api: Api, building: ModuleType) -> None:
    url = f"/api/characters/{one(send(api, building.card_png(building.V2)))['characterId']}/export"
    for wrong in ("format=gif", "spec=v1", "format=charx&spec=v2", "other=1"):
        assert api.ask("GET", f"{url}?{wrong}").status_code == 422


def test_a_picture_that_cannot_be_shown_is_told(api: Api) -> None:
    asset = api.upload(b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")
    url = f"/api/characters/{api.character(defaultImageId=asset['id'])}/export"
    assert api.ask("GET", url).status_code == 422
    assert api.ask("GET", f"{url}?format=json").status_code == 200
    drawn = api.ask("GET", f"/api/characters/{api.character()}/export")
    assert texts(drawn.content) == ["chara", "ccv3"]


def test_a_full_disk_is_told_for_every_file(
    open_api: Callable[..., Api], building: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = open_api()
    monkeypatch.setattr(api.store.documents, "apply", full)
    answer = send(api, building.card_png(building.V2), building.card_png(building.V1))
    assert [item["status"] for item in answer.json()["items"]] == [507, 507]


def full(*_: object) -> None:
    raise FullError("No room.")


def test_what_is_hostile_is_refused_and_leaves_nothing(api: Api, hostile: ModuleType, tmp_path: Path) -> None:
    for name, make in hostile.HOSTILE.items():
        item = one(api.ask("POST", IMPORT, content=make()))
        assert (item["outcome"], item["status"]) in {("failed", 413), ("failed", 422)}, name
        assert item["problem"]["detail"]
    assert (api.payloads(), api.staged()) == ([], [])
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    assert api.ask("GET", "/api/characters").json()["total"] == 0
