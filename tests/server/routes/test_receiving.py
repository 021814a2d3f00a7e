"""Uploads."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.server.conftest import Api

ONE = "11111111-1111-4111-8111-111111111111"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def form(api: Api, *files: tuple[str, bytes], token: str = "", **texts: Any) -> Any:
    parts = [("file", (name, data)) for name, data in files]
    return api.ask("POST", "/api/assets", files=parts, data=texts, token=token)


def raw_form(api: Api, body: bytes, content_type: str = "multipart/form-data; boundary=x") -> Any:
    return api.ask("POST", "/api/assets", content=body, headers={"Content-Type": content_type})


def part(body: bytes, disposition: str = 'form-data; name="file"; filename="a"', *fields: str) -> bytes:
    head = "\r\n".join([f"Content-Disposition: {disposition}", *fields])
    return b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n"


def nothing_left(api: Api) -> bool:
    return api.staged() == [] and api.payloads() == [] and api.ask("GET", "/api/assets").json()["total"] == 0


def test_several_files_in_the_order_sent(api: Api, png: bytes) -> None:
    answer = form(
        api, ("a.png", png), ("b.txt", b"words"), ("a.png", b"other words"), tags=["One", "two"], source="import"
    )
    assert answer.status_code == 201
    items = answer.json()["items"]
    assert [(item["status"], item["asset"]["filename"], item["asset"]["size"]) for item in items] == [
        (201, "a.png", len(png)),
        (201, "b.txt", 5),
        (201, "a.png", 11),
    ]
    first = items[0]["asset"]
    assert (first["type"], first["width"], first["mimeType"], first["source"]) == ("image", 1, "image/png", "import")
    assert items[1]["asset"]["type"] == "chat_file"
    names = [api.store.records.tags.get(tag).name for tag in first["tags"]]
    assert names == ["One", "two"]
    assert api.staged() == []


def test_a_form_that_was_sent_before_is_200_and_of_mixed_fortune_201(api: Api, png: bytes) -> None:
    assert form(api, ("a.png", png)).status_code == 201
    again = form(api, ("b.png", png), ("b.png", png))
    assert again.status_code == 200
    assert [item["asset"]["duplicate"] for item in again.json()["items"]] == [True, True]
    assert form(api, ("empty", b""), ("c.png", png)).status_code == 200
    mixed = form(api, ("empty", b""), ("c.png", b"new"))
    assert mixed.status_code == 201
    empty, new = mixed.json()["items"]
    assert (empty["status"], empty["problem"]["status"], empty["problem"]["field"]) == (422, 422, "file")
    assert new["status"] == 201


def test_when_all_fail_the_first_errors_status_is_the_answers(open_api: Callable[..., Api]) -> None:
    api = open_api(MAX_UPLOAD_BYTES="10")
    answer = form(api, ("big", b"x" * 11), ("empty", b""))
    assert answer.status_code == 413
    big, empty = (item["problem"] for item in answer.json()["items"])
    assert (big["limit"], big["setting"], empty["status"]) == (10, "CALOTYPE_MAX_UPLOAD_BYTES", 422)
    assert nothing_left(api)


def test_a_body_that_is_the_file(api: Api, png: bytes) -> None:
    fields = {"type": "avatar", "generationPrompt": "a cat", "generationModel": "m", "tags": ["x", "y"]}
    answer = api.ask("POST", "/api/assets", content=png, params={"filename": "../a b.png", **fields})
    asset = answer.json()
    assert answer.status_code == 201
    assert (asset["filename"], asset["type"], asset["generationPrompt"]) == ("a b.png", "avatar", "a cat")
    assert (asset["generationModel"], len(asset["tags"]), asset["duplicate"]) == ("m", 2, False)
    assert answer.headers["location"] == f"/api/assets/{asset['id']}"
    read = api.ask("GET", answer.headers["location"])
    assert read.headers["etag"] == answer.headers["etag"]
    assert {**read.json(), "duplicate": False} == asset
    named = {"Content-Disposition": "attachment; filename*=UTF-8''%C3%A9.png"}
    assert api.ask("POST", "/api/assets?filename=no", content=b"1", headers=named).json()["filename"] == "\u00e9.png"
    assert api.ask("POST", "/api/assets", content=b"2").json()["filename"] == "file"


def test_a_declared_type_that_the_bytes_contradict_is_recorded(api: Api, png: bytes) -> None:
    def declared(data: bytes, content_type: str) -> object:
        answer = api.ask("POST", "/api/assets", content=data, headers={"Content-Type": content_type})
        return answer.json()["declaredType"]

    assert declared(png, "image/gif; x=y") == "image/gif"
    assert declared(png + b"1", "IMAGE/PNG") is None
    assert declared(png + b"2", "application/x-www-form-urlencoded") is None
    assert declared(png + b"3", "application/octet-stream") is None
    assert declared(b'{"json": "is a file too"}', "application/json") is None


def test_sameness_is_owner_bytes_type_and_links(api: Api, png: bytes) -> None:
    first = api.upload(png, filename="a.png")
    again = api.upload(png, filename="b.png", source="generated", tags="new")
    assert (again["id"], again["duplicate"], again["filename"], again["source"]) == (
        first["id"],
        True,
        "a.png",
        "upload",
    )
    assert len(again["tags"]) == 1
    others = [
        api.upload(png, type="avatar"),
        api.upload(png, characterId=api.character()),
        api.upload(png, token=api.bob),
    ]
    assert [other["duplicate"] for other in others] == [False] * 3
    assert len({first["id"], *(other["id"] for other in others)}) == 4
    assert api.payloads() == [sha(png)]


@pytest.mark.parametrize("field", ["characterId", "chatId", "messageId", "tags"])
def test_a_link_to_nothing_is_refused_and_leaves_nothing(api: Api, png: bytes, field: str) -> None:
    answer = api.ask("POST", "/api/assets", content=png, params={field: ONE})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert nothing_left(api)
    assert form(api, ("a", png), **{field: ONE}).status_code == 422
    assert nothing_left(api)
    assert list(api.store.records.tags.find_all()) == []


def test_a_refused_upload_makes_no_tags(api: Api, png: bytes) -> None:
    refused = {"characterId": ONE, "tags": "made up"}
    assert api.ask("POST", "/api/assets", content=png, params=refused).status_code == 422
    assert form(api, ("a", png), **refused).status_code == 422
    assert list(api.store.records.tags.find_all()) == []
    assert nothing_left(api)
    asset = api.upload(png, tags="made")
    assert [api.store.records.tags.get(tag).name for tag in asset["tags"]] == ["made"]


def test_another_users_character_is_nothing(api: Api, png: bytes) -> None:
    assert (
        api.ask("POST", "/api/assets", content=png, params={"characterId": api.character()}, token=api.bob).status_code
        == 422
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"Repr-Digest": "sha-256=:{good}:"},
        {"Content-Digest": "md5=:AA==:, sha-256=:{good}:"},
        {"X-SHA-256": "{hex}"},
    ],
)
def test_a_right_digest_is_taken(api: Api, png: bytes, fields: dict[str, str]) -> None:
    good = base64.b64encode(hashlib.sha256(png).digest()).decode()
    headers = {name: value.format(good=good, hex=sha(png)) for name, value in fields.items()}
    assert api.ask("POST", "/api/assets", content=png, headers=headers).status_code == 201


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"Repr-Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}, 409),
        ({"Content-Digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"}, 409),
        ({"X-SHA-256": "0" * 64}, 409),
        ({"X-SHA-256": "short"}, 422),
        ({"Repr-Digest": "sha-256=nonsense"}, 422),
    ],
)
def test_a_wrong_digest_stores_nothing(api: Api, png: bytes, fields: dict[str, str], status: int) -> None:
    assert api.ask("POST", "/api/assets", content=png, headers=fields).status_code == status
    assert nothing_left(api)


def test_in_a_form_each_part_has_its_own_digest(api: Api, png: bytes) -> None:
    body = part(png, 'form-data; name="file"; filename="good"', f"X-SHA-256: {sha(png)}")
    body += part(png, 'form-data; name="file"; filename="bad"', f"X-SHA-256: {'0' * 64}") + b"--x--\r\n"
    answer = api.ask(
        "POST",
        "/api/assets",
        content=body,
        headers={
            "Content-Type": "multipart/form-data; boundary=x",
            "Repr-Digest": "sha-256=:of the form, not checked:",
        },
    )
    assert [item["status"] for item in answer.json()["items"]] == [201, 409]


def test_an_empty_body_is_refused(api: Api) -> None:
    assert api.ask("POST", "/api/assets", content=b"").status_code == 422
    assert raw_form(api, b"--x--\r\n").status_code == 422
    assert form(api, ("empty", b"")).status_code == 422
    assert nothing_left(api)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--\r\n"),
        ("multipart/form-data; boundary=", b"--x--\r\n"),
        (f"multipart/form-data; boundary={'x' * 71}", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", part(b"cut off, no closing boundary")),
        ("multipart/form-data; boundary=x", part(b"d", "form-data") + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d", 'form-data; name=""; filename="a"') + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d", 'attachment; name="file"') + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d", 'form-data; name="picture"; filename="a"') + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d") + part(b"1", 'form-data; name="nonsense"') + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d") + part(b"banana", 'form-data; name="type"') + b"--x--\r\n"),
        ("multipart/form-data; boundary=x", part(b"d") + 2 * part(b"image", 'form-data; name="type"') + b"--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            part(b"d") + part(b"\xff\xfe", 'form-data; name="generationPrompt"') + b"--x--\r\n",
        ),
        ("multipart/form-data; boundary=x", part(b"d", 'form-data; name="file"; filename="a"', "X: " + "y" * 70_000)),
        ("multipart/form-data; boundary=x", part(b"d", 'form-data; name="file"; filename="a"', *["X: y"] * 100)),
    ],
)
def test_a_broken_form_is_refused_whole(api: Api, content_type: str, body: bytes) -> None:
    answer = raw_form(api, body, content_type)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert nothing_left(api)


def test_ten_thousand_parts_are_too_many(api: Api) -> None:
    answer = raw_form(api, 10_000 * part(b"d") + b"--x--\r\n")
    assert (answer.status_code, answer.json()["limit"], answer.json()["setting"]) == (
        413,
        100,
        "CALOTYPE_MAX_FORM_PARTS",
    )
    assert nothing_left(api)


def test_nothing_of_a_form_is_committed_before_its_closing_boundary(api: Api, png: bytes) -> None:
    seen: list[bool] = []

    async def slowly() -> AsyncIterator[bytes]:
        yield part(png) + part(b"more")
        seen.append(api.payloads() == [])
        yield b"--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = api.ask("POST", "/api/assets", content=slowly(), headers=headers)
    assert (answer.status_code, seen) == (201, [True])
    assert len(api.payloads()) == 2


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ('quo"te.png', 'quo"te.png'),
        ("new\nline\r.png", "newline.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.png", "a.png"),
        ("..", "file"),
        ("gpj\u202e.exe", "gpj.exe"),
        ("\u00e9\u4e2d\U0001f600.png", "\u00e9\u4e2d\U0001f600.png"),
    ],
)
def test_hostile_file_names_are_made_harmless(api: Api, name: str, kept: str) -> None:
    assert api.upload(b"1", filename=name)["filename"] == kept
    assert api.upload(b"1" + name.encode(), filename=f"{name}\x00")["filename"] == kept
    assert form(api, (name, b"2")).json()["items"][0]["asset"]["filename"] == kept


def test_a_name_of_four_thousand_characters_is_shortened_and_keeps_its_extension(api: Api) -> None:
    for asset in (
        api.upload(b"1", filename="x" * 4000 + ".png"),
        form(api, ("x" * 4000 + ".png", b"2")).json()["items"][0]["asset"],
    ):
        assert len(asset["filename"].encode()) == 255
        assert asset["filename"].endswith("x.png")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("nonsense=1", "nonsense"),
        ("type=banana", "type"),
        ("source=stolen", "source"),
        ("type=image&type=avatar", "type"),
    ],
)
def test_unknown_and_wrong_query_fields_are_refused_before_the_body_is_read(api: Api, query: str, field: str) -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    answer = api.ask("POST", f"/api/assets?{query}", content=never())
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert nothing_left(api)


def test_with_a_form_fields_are_parts(api: Api, png: bytes) -> None:
    answer = api.ask("POST", "/api/assets?type=avatar", files=[("file", ("a", png))])
    assert (answer.status_code, answer.json()["field"]) == (422, "type")
    assert nothing_left(api)


def test_a_file_over_the_limit_is_413_before_and_while_it_comes(open_api: Callable[..., Api]) -> None:
    api = open_api(MAX_UPLOAD_BYTES="10")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 5

    for content in (b"x" * 11, unannounced()):
        answer = api.ask("POST", "/api/assets", content=content)
        assert (answer.status_code, answer.json()["limit"], answer.json()["setting"]) == (
            413,
            10,
            "CALOTYPE_MAX_UPLOAD_BYTES",
        )
    assert nothing_left(api)
    assert api.upload(b"x" * 10)["size"] == 10


@pytest.mark.parametrize(("setting", "value"), [("MIN_FREE_BYTES", "1 EiB"), ("MAX_STORE_BYTES", "1")])
def test_no_room_is_507(open_api: Callable[..., Api], png: bytes, setting: str, value: str) -> None:
    open_api().upload(b"the first one fits")
    api = open_api(**{setting: value})
    before = api.payloads()
    for answer in (api.ask("POST", "/api/assets", content=png), form(api, ("a", png))):
        assert answer.status_code == 507
        problem = answer.json() if "setting" in answer.json() else answer.json()["items"][0]["problem"]
        assert problem["setting"] == f"CALOTYPE_{setting}"
    assert (api.staged(), api.payloads()) == ([], before)


def test_a_compressed_body_is_not_the_file(api: Api) -> None:
    answer = api.ask("POST", "/api/assets", content=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert nothing_left(api)


def test_uploading_needs_write_scope(api: Api, png: bytes) -> None:
    assert api.ask("POST", "/api/assets", content=png, token=None).status_code == 401
    assert api.ask("POST", "/api/assets", content=png, token="calo_wrong").status_code == 401  # noqa: S106 - wrong on purpose
    denied = api.ask("POST", "/api/assets", content=png, token=api.reader)
    assert (denied.status_code, denied.json()["scope"], denied.json()["actual"]) == (403, "write", "read")
    assert nothing_left(api)
