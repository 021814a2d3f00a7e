"""The digest is a value that cannot be wrong, and the hasher agrees with sha256sum whatever the chunks."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.digest import Digest, Hasher, digest_of, is_digest, parse_digest
from metadata.errors import InvalidError

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_takes_what_sha256sum_prints() -> None:
    digest = parse_digest(EMPTY)
    assert digest == EMPTY
    assert isinstance(digest, Digest)
    assert json.dumps({"sha256": digest}) == f'{{"sha256": "{EMPTY}"}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        EMPTY[:-1],
        EMPTY + "0",
        EMPTY.upper(),
        EMPTY + "\n",
        "../" + EMPTY[3:],
        "g" + EMPTY[1:],
        "٣" * 64,
        "x" * 5000,
    ],
)
def test_refuses_anything_else_in_a_short_message(text: str) -> None:
    with pytest.raises(InvalidError, match="64 lower-case hex digits") as caught:
        parse_digest(text)
    assert len(caught.value.message) < 200
    assert caught.value.details == {"field": "sha256"}


def test_shard_is_the_first_byte_and_base64_is_that_of_the_header() -> None:
    digest = parse_digest(EMPTY)
    assert digest.shard == 0xE3
    assert digest.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # RFC 9530's own example of emptiness


@given(st.lists(st.binary(max_size=100)))
def test_hasher_counts_and_hashes_whatever_the_chunks(chunks: list[bytes]) -> None:
    hasher = Hasher()
    for chunk in chunks:
        hasher.update(memoryview(chunk))
    whole = b"".join(chunks)
    assert hasher.digest() == hashlib.sha256(whole).hexdigest() == digest_of(whole)
    assert hasher.size == len(whole)


def test_what_is_a_digest_can_be_asked() -> None:
    assert is_digest("0f" * 32)
    assert not any(is_digest(text) for text in ("0F" * 32, "0f" * 31, "0f" * 32 + "\n", ""))
