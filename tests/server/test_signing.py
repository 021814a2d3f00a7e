"""Signed URLs open exactly the path they name, until their moment, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from server.signing import UrlSigner

KEY = bytes(range(32))
SHA = "ab" * 32
BLOB = f"/blobs/{SHA}.png"
HOUR = timedelta(hours=1)
TEXT = st.text(st.characters(exclude_categories=()), max_size=100)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0


def test_it_is_what_the_protocol_says() -> None:
    clock = Clock()
    signed = UrlSigner(KEY, clock).sign(BLOB, HOUR)
    assert signed.expires == int((clock.moment + HOUR).timestamp())
    digest = hmac.new(KEY, f"{BLOB}\n{signed.expires}".encode(), hashlib.sha256).digest()
    assert signed.signature == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert signed.url == f"{BLOB}?expires={signed.expires}&signature={signed.signature}"


@pytest.mark.parametrize(
    "path", [f"/blobs/{SHA}", BLOB, f"/blobs/{SHA}/thumb.webp", f"/avatars/{SHA}", f"/blobs/{SHA}/x512"]
)
def test_it_opens_its_path_until_its_moment(path: str) -> None:
    clock = Clock()
    signer = UrlSigner(KEY, clock)
    signed = signer.sign(path, HOUR)
    assert signer.check(path, str(signed.expires), signed.signature)
    clock.moment += HOUR - timedelta(seconds=1)
    assert signer.check(path, str(signed.expires), signed.signature)
    clock.moment += timedelta(seconds=1)
    assert not signer.check(path, str(signed.expires), signed.signature)


def test_every_change_is_refused() -> None:
    signer = UrlSigner(KEY, Clock())
    signed = signer.sign(BLOB, HOUR)
    good = (BLOB, str(signed.expires), signed.signature)
    assert signer.check(*good)
    for part, text in enumerate(good):
        for place, letter in enumerate(text):
            for other in (chr(ord(letter) ^ 1), chr(ord(letter) ^ 32), "", letter * 2):
                changed = list(good)
                changed[part] = text[:place] + other + text[place + 1 :]
                if changed[part] != text:
                    assert not signer.check(*changed), changed
    assert not UrlSigner(bytes(32), Clock()).check(*good)


@pytest.mark.parametrize("expires", ["+{}", " {}", "{} ", "0{}", "{}.0", "{}\n", "-1", "", "٣", "9" * 40])
def test_a_moment_is_written_in_one_way(expires: str) -> None:
    signer = UrlSigner(KEY, Clock())
    signed = signer.sign(BLOB, HOUR)
    assert not signer.check(BLOB, expires.format(signed.expires), signed.signature)


@given(path=TEXT, expires=TEXT, signature=TEXT)
def test_no_text_is_an_error(path: str, expires: str, signature: str) -> None:
    assert not UrlSigner(KEY, Clock()).check(path, expires, signature)


@pytest.mark.parametrize(
    "path",
    [
        "/api/assets",
        "/blobs/",
        f"/blobs/{SHA.upper()}",
        f"/blobs/{SHA}/../x",
        f"{BLOB}?d=1",
        f"{BLOB}\n1",
        f"//{BLOB}",
        "",
    ],
)
def test_only_payloads_are_signed(path: str) -> None:
    with pytest.raises(InvalidError, match="signed"):
        UrlSigner(KEY, Clock()).sign(path, HOUR)


@pytest.mark.parametrize("span", [timedelta(0), timedelta(seconds=-1), timedelta(days=30, seconds=1), timedelta.max])
def test_it_lives_between_a_second_and_thirty_days(span: timedelta) -> None:
    with pytest.raises(InvalidError, match="30 days"):
        UrlSigner(KEY, Clock()).sign(BLOB, span)
    UrlSigner(KEY, Clock()).sign(BLOB, timedelta(days=30))


def test_the_key_is_not_shown() -> None:
    assert "\\x01" not in repr(UrlSigner(KEY, Clock()))
