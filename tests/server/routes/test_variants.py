"""Derived pictures over HTTP."""

from __future__ import annotations

import hashlib
import io
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from assets.images.process import Process
from assets.images.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assets.images.process import Answer
    from tests.server.conftest import Api

UNKNOWN = "0" * 64


def picture(kind: str = "PNG", size: tuple[int, int] = (400, 300), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(out, kind, **options)
    return out.getvalue()


def stored(api: Api, data: bytes) -> str:
    api.upload(data)
    return hashlib.sha256(data).hexdigest()


def test_a_smaller_picture_comes_with_everything_a_cache_needs(api: Api) -> None:
    sha = stored(api, picture())
    answer = api.ask("GET", f"/blobs/{sha}/thumb.webp", token=None)
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
    fields = {
        "content-type": "image/webp",
        "content-length": str(len(answer.content)),
        "cache-control": "public, max-age=31536000, immutable",
        "accept-ranges": "bytes",
        "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "cross-origin-resource-policy": "cross-origin",
        "content-disposition": f'inline; filename="{sha}-256x256-cover.webp"',
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
    }
    assert {name: answer.headers[name] for name in fields} == fields
    assert "vary" not in answer.headers
    assert "repr-digest" not in answer.headers, "nobody knows their hash; that of the original would be wrong"
    assert sha in answer.headers["etag"]


def test_conditions_heads_and_ranges_are_as_for_payloads(api: Api) -> None:
    url = f"/blobs/{stored(api, picture())}/64x64-cover.png"
    whole = api.ask("GET", url, token=None)
    tag = whole.headers["etag"]
    assert api.ask("GET", url, token=None, headers={"If-None-Match": tag}).status_code == 304
    head = api.ask("HEAD", url, token=None)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    part = api.ask("GET", url, token=None, headers={"Range": "bytes=5-14", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[5:15])
    assert api.ask("GET", url, token=None, headers={"Range": "bytes=999999-"}).status_code == 416


def test_without_an_extension_the_caller_says_which_format(api: Api) -> None:
    url = f"/blobs/{stored(api, picture())}/64x"
    tags = set()
    for accept, kind in (("image/avif,*/*", "avif"), ("image/webp", "webp"), ("*/*", "jpeg"), ("image/png", "png")):
        answer = api.ask("GET", url, token=None, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{kind}")
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["cache-control"] == "public, max-age=86400"
        tags.add(answer.headers["etag"])
    assert len(tags) == 4
    again = api.ask("GET", url, token=None, headers={"Accept": "image/png", "If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["vary"]) == (304, "Accept")
    clear = stored(api, picture(mode="RGBA"))
    assert api.ask("GET", f"/blobs/{clear}/64x", token=None).headers["content-type"] == "image/png"


@pytest.mark.parametrize("name", ["257x257-cover", "64x64", "thump", "x", "64x.gif", "64x.", "64x.png.png", "0x", "½x"])
def test_what_is_not_on_offer_is_named(api: Api, png: bytes, name: str) -> None:
    answer = api.ask("GET", f"/blobs/{stored(api, png)}/{name}", token=None)
    assert (answer.status_code, answer.json()["field"]) == (422, "variant")


def test_a_size_that_is_not_allowed_is_answered_with_those_that_are(api: Api, png: bytes) -> None:
    problem = api.ask("GET", f"/blobs/{stored(api, png)}/100x.png", token=None).json()
    assert problem["allowed"] == [32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
    assert problem["setting"] == "CALOTYPE_VARIANT_SIZES"


def test_unknown_hashes_other_files_and_damaged_pictures(open_api: Callable[..., Api]) -> None:
    api = open_api(MAX_PIXELS="100000")
    assert api.ask("GET", f"/blobs/{UNKNOWN}/thumb.webp", token=None).status_code == 404
    for data in (b"just words", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"):
        assert api.ask("GET", f"/blobs/{stored(api, data)}/thumb.webp", token=None).status_code == 415
    damaged = stored(api, picture()[:200])
    assert api.ask("GET", f"/blobs/{damaged}/thumb.webp", token=None).status_code == 422
    large = api.ask("GET", f"/blobs/{stored(api, picture(size=(400, 300)))}/thumb.webp", token=None)
    assert (large.status_code, large.json()["setting"], large.json()["limit"]) == (422, "CALOTYPE_MAX_PIXELS", 100_000)
    assert api.ask("GET", f"/blobs/{UNKNOWN}.png/thumb.webp", token=None).status_code == 404


def test_private_smaller_pictures_are_their_owners_or_signed(open_api: Callable[..., Api]) -> None:
    api = open_api(BLOB_ACCESS="private")
    asset = api.upload(picture())
    url = f"/blobs/{asset['sha256']}/64x.webp"
    assert api.ask("GET", url, token=None).status_code == 401
    assert api.ask("GET", url, token=api.bob).status_code == 404
    mine = api.ask("GET", url)
    assert (mine.status_code, mine.headers["cache-control"]) == (200, "private, max-age=31536000, immutable")
    assert mine.headers["cross-origin-resource-policy"] == "same-origin"
    sign = f"/api/assets/{asset['id']}/sign"
    signed = api.ask("POST", sign, json={"expiresIn": 60, "variant": "64x.webp"}).json()["url"]
    assert api.ask("GET", signed, token=None).content == mine.content
    assert api.ask("GET", signed.replace("64x", "96x"), token=None).status_code == 401
    for wrong in ("63x.webp", "64x.gif", "../raw"):
        assert api.ask("POST", sign, json={"expiresIn": 60, "variant": wrong}).status_code == 422


def test_what_had_to_make_room_is_made_again(api: Api, tmp_path: Path) -> None:
    sha = stored(api, picture())
    first = api.ask("GET", f"/blobs/{sha}/64x.png", token=None)
    assert api.store.prints.tidying.purge() == 1
    assert not list((tmp_path / "data/binaries" / sha).glob("64x*"))
    again = api.ask("GET", f"/blobs/{sha}/64x.png", token=None)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])


def test_a_decoder_that_the_system_ended_is_not_the_pictures_fault(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = stored(api, picture())
    ask = Process.ask

    def killed(process: Process, *arguments: Any) -> Answer:
        os.kill(process.pid, signal.SIGKILL)
        return ask(process, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Process, "ask", killed)
        answer = api.ask("GET", f"/blobs/{sha}/thumb.webp", token=None)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert api.ask("GET", f"/blobs/{sha}/thumb.webp", token=None).status_code == 200
    assert "calotype_decoders_killed_total 1.0" in api.ask("GET", "/metrics", token=api.admin).text.splitlines()


def test_what_was_cut_short_for_time_is_not_kept(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.effect_noise((300, 200), 40 + number).convert("P") for number in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
    sha, run = stored(api, out.getvalue()), Workers.run
    with monkeypatch.context() as patch:  # the process is as one whose time is over at once
        patch.setattr(Workers, "run", lambda self, job, *more: run(self, {**job, "still": True}, *more))
        first = api.ask("GET", f"/blobs/{sha}/thumb.webp", token=None)
    again = api.ask("GET", f"/blobs/{sha}/thumb.webp", token=None)
    for answer in (first, again):
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=60")
    assert again.headers["etag"] == first.headers["etag"]
    assert api.ask("GET", f"/blobs/{sha}/thumb.png", token=None).headers["cache-control"].endswith("immutable")
