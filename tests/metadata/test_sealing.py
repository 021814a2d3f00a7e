"""Sealing: what was sealed opens again there and nowhere else, the original's data too, and nothing leaks."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import pickle
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidError
from metadata.sealing import KEY_BYTES, MEMBERS, MasterKey, NeedsReentry, Reason, Revealed, Ring, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Promise = Callable[[str, int, int], None]

RECORD = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
USER = "6f9619ff-8b86-4011-b42d-00c04fc964ff"
PEPPER = "pepper of the original"
PLAIN = "sk-a very secret key"
TEXT = st.text(st.characters(exclude_categories=()), max_size=200)


class Keys:
    """Keys in memory, made on first use."""

    def __init__(self, *keys: MasterKey) -> None:
        self.keys = list(keys)

    def ring(self) -> Ring:
        return Ring(tuple(self.keys))

    def ensure(self) -> Ring:
        self.keys = self.keys or [MasterKey.new()]
        return self.ring()


@pytest.fixture(scope="module")
def sealer() -> Sealer:
    return Sealer(Keys(MasterKey(bytes(range(KEY_BYTES)))), PEPPER)


def seal(sealer: Sealer, plain: str = PLAIN) -> dict[str, str]:
    return sealer.seal("apiKey", RECORD, "key", plain, user=USER)


def opened(sealer: Sealer, envelope: dict[str, str]) -> Revealed | NeedsReentry:
    return sealer.open("apiKey", RECORD, "key", envelope, user=USER)


def of_the_original(plain: str, user: str = USER, pepper: str = PEPPER) -> dict[str, str]:
    """Seal as the original does, with nothing of ours."""
    key = hashlib.pbkdf2_hmac("sha256", user.encode(), pepper.encode(), 100_000, 32)
    iv = bytes(range(16))
    both = AESGCM(key).encrypt(iv, plain.encode(), None)
    return {"ciphertext": both[:-16].hex(), "iv": iv.hex(), "authTag": both[-16:].hex()}


@given(plain=TEXT)
def test_any_text_comes_back(sealer: Sealer, plain: str) -> None:
    assert opened(sealer, seal(sealer, plain)) == Revealed(plain)


def test_an_envelope_is_what_the_format_says(sealer: Sealer) -> None:
    envelope = seal(sealer)
    assert tuple(envelope) == MEMBERS
    ciphertext, iv, tag = (base64.b64decode(envelope[name]) for name in MEMBERS[:3])
    assert (len(iv), len(tag)) == (12, 16)
    place = json.dumps(["apiKey", RECORD, "key", USER], separators=(",", ":")).encode()
    assert AESGCM(bytes(range(KEY_BYTES))).decrypt(iv, ciphertext + tag, place) == PLAIN.encode()


def test_sealing_twice_gives_two_envelopes(sealer: Sealer) -> None:
    first, second = seal(sealer), seal(sealer)
    assert first["iv"] != second["iv"]
    assert first["ciphertext"] != second["ciphertext"]


def altered(envelope: dict[str, str]) -> Iterator[dict[str, str]]:
    """Every envelope that differs in one byte of one member: each of the byte's bits, and the byte gone."""
    for name, text in envelope.items():
        data = text.encode()
        for place, byte in enumerate(data):
            for bit in range(8):
                other = bytes([byte ^ (1 << bit)])
                yield {**envelope, name: (data[:place] + other + data[place + 1 :]).decode("latin-1")}
            yield {**envelope, name: (data[:place] + data[place + 1 :]).decode()}
        yield {**envelope, name: text + "A"}
        yield {**envelope, name: ""}
        yield {member: value for member, value in envelope.items() if member != name}


@pytest.mark.parametrize("original", [False, True])
def test_every_byte_changed_is_refused(sealer: Sealer, promise: Promise, *, original: bool) -> None:
    envelope = of_the_original(PLAIN) if original else seal(sealer)
    tried = list(altered(envelope))
    assert len(tried) > 700
    accepted = [other for other in tried if not isinstance(opened(sealer, other), NeedsReentry)]
    promise("sealed values with one byte changed", len(tried), len(accepted))
    assert accepted == []


class Unauthenticated:
    """AES in counter mode as GCM uses it, without looking at the tag."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def decrypt(self, nonce: bytes, data: bytes, place: bytes | None) -> bytes:
        """Decrypt whatever it is."""
        del place
        cipher = Cipher(algorithms.AES(self._key), modes.CTR(nonce + b"\0\0\0\2"))
        return cipher.decryptor().update(data[:-16])


def test_changes_would_pass_without_the_tag(sealer: Sealer, monkeypatch: pytest.MonkeyPatch, promise: Promise) -> None:
    """Negative control: a sealer that does not look at the tag opens what was changed."""
    envelope = seal(sealer)
    monkeypatch.setattr("metadata.sealing.AESGCM", Unauthenticated)
    tried = list(altered(envelope))
    accepted = [other for other in tried if not isinstance(opened(sealer, other), NeedsReentry)]
    promise("control, must be bad: sealed values opened without their tag", len(tried), len(accepted))
    assert accepted


def test_bytes_do_not_pass_from_one_member_to_another(sealer: Sealer) -> None:
    envelope = seal(sealer)
    ciphertext, tag = (base64.b64decode(envelope[name]) for name in ("ciphertext", "authTag"))
    both = ciphertext + tag
    for place in {*range(len(both) + 1)} - {len(ciphertext)}:
        parts = {"ciphertext": both[:place], "authTag": both[place:]}
        moved = {**envelope, **{name: base64.b64encode(part).decode() for name, part in parts.items()}}
        assert opened(sealer, moved) == NeedsReentry(Reason.MALFORMED)


@pytest.mark.parametrize(
    ("kind", "record", "field", "user"),
    [
        ("user", RECORD, "key", USER),
        ("apiKey", USER, "key", USER),
        ("apiKey", RECORD, "totp", USER),
        ("apiKey", RECORD, "key", RECORD),
        ("apiKey", RECORD, "key", ""),
    ],
)
def test_moved_to_another_type_record_field_or_user_it_is_refused(
    sealer: Sealer, kind: str, record: str, field: str, user: str, promise: Promise
) -> None:
    found = sealer.open(kind, record, field, seal(sealer), user=user)
    promise("sealed values moved to another record, field or user", 1, found != NeedsReentry(Reason.REFUSED))
    assert found == NeedsReentry(Reason.REFUSED)


@given(places=st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), min_size=2, max_size=2, unique=True))
def test_no_two_places_are_the_same(sealer: Sealer, places: list[tuple[str, str, str, str]]) -> None:
    (kind, record, field, user), other = places
    envelope = sealer.seal(kind, record, field, PLAIN, user=user)
    assert sealer.open(other[0], other[1], other[2], envelope, user=other[3]) == NeedsReentry(Reason.REFUSED)


@given(
    envelope=st.dictionaries(
        st.sampled_from([*MEMBERS, "label"]), st.one_of(st.none(), st.integers(), TEXT, st.lists(TEXT))
    )
)
def test_nonsense_is_an_answer_and_no_error(sealer: Sealer, envelope: dict[str, object]) -> None:
    assert isinstance(sealer.open("apiKey", RECORD, "key", envelope, user=USER), NeedsReentry)


def test_what_the_original_sealed_opens_and_is_sealed_anew(sealer: Sealer) -> None:
    envelope = of_the_original("naïve \U0001f511")
    assert opened(sealer, envelope) == Revealed("naïve \U0001f511")
    fresh = sealer.renewed("apiKey", RECORD, "key", envelope, user=USER)
    assert fresh is not None
    assert fresh["_keyId"]
    assert opened(sealer, fresh) == Revealed("naïve \U0001f511")


def test_what_the_original_sealed_for_another_user_or_pepper_does_not_open(sealer: Sealer) -> None:
    assert opened(sealer, of_the_original(PLAIN, user=RECORD)) == NeedsReentry(Reason.REFUSED)
    assert opened(sealer, of_the_original(PLAIN, pepper="another")) == NeedsReentry(Reason.REFUSED)
    without = Sealer(Keys())
    assert opened(without, of_the_original(PLAIN)) == NeedsReentry(Reason.NO_PEPPER)
    assert without.renewed("apiKey", RECORD, "key", of_the_original(PLAIN), user=USER) is None


def test_an_older_key_opens_and_its_values_are_renewed_once() -> None:
    old, new = MasterKey.new(), MasterKey.new()
    envelope = seal(Sealer(Keys(old)))
    both = Sealer(Keys(new, old))
    assert opened(both, envelope) == Revealed(PLAIN)
    fresh = both.renewed("apiKey", RECORD, "key", envelope, user=USER)
    assert fresh is not None
    assert fresh["_keyId"] == new.id
    assert both.renewed("apiKey", RECORD, "key", fresh, user=USER) is None
    assert opened(Sealer(Keys(new)), fresh) == Revealed(PLAIN)
    assert opened(Sealer(Keys(new)), envelope) == NeedsReentry(Reason.NO_KEY)
    assert opened(Sealer(Keys()), envelope) == NeedsReentry(Reason.NO_KEY)


def test_the_first_seal_makes_the_key_and_opening_never_does() -> None:
    keys = Keys()
    envelope = seal(Sealer(Keys(MasterKey.new())))
    sealer = Sealer(keys)
    assert opened(sealer, envelope) == NeedsReentry(Reason.NO_KEY)
    assert keys.keys == []
    seal(sealer)
    assert len(keys.keys) == 1


def test_no_key_and_no_value_is_shown() -> None:
    key = MasterKey(b"k" * KEY_BYTES)
    sealer = Sealer(Keys(key), PEPPER)
    shown = f"{key!r} {key} {Ring((key,))!r} {sealer!r} {opened(sealer, seal(sealer))!r} {vars(sealer)!r}"
    assert "kkkk" not in shown
    assert key.secret.hex() not in shown
    assert PLAIN not in shown


def test_a_key_has_32_bytes_and_an_id_of_its_own() -> None:
    with pytest.raises(InvalidError, match="32 bytes"):
        MasterKey(b"short")
    keys = [MasterKey.new() for _ in range(100)]
    assert len({key.id for key in keys}) == 100
    assert copy.deepcopy(keys[0]) == keys[0] == pickle.loads(pickle.dumps(keys[0]))  # noqa: S301 - made here
