"""`calotype key`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

import calotype
from metadata.documents.contract import put
from metadata.keys import PATH
from metadata.sealing import MasterKey, NeedsReentry, Revealed

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke

KEY = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
PLAIN = "sk-plain"


@pytest.fixture
def sealed(calo: Invoke, folder: Path) -> Path:
    """A store with one API key; its folder."""
    calo("init")
    with calotype.open(folder) as store, store.documents.guard():
        envelope = store.inside.vault.sealer.seal("apiKey", KEY, "key", PLAIN, user=store.inside.owner.id)
        dates = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        record = {"id": KEY, "label": "Mine", "provider": "OPENAI", "isActive": True, **envelope, **dates}
        store.documents.apply([put("apiKey", record)])
    return folder


def value(folder: Path) -> Revealed | NeedsReentry:
    with calotype.open(folder) as store:
        stored = store.documents.get("apiKey", KEY)
        assert stored is not None
        return store.inside.vault.sealer.open("apiKey", KEY, "key", stored.body, user=store.inside.owner.id)


def secrets_of(folder: Path) -> list[str]:
    return [word for word in (folder / PATH).read_text().split() if len(word) == 44]


def test_rotating_seals_everything_anew_and_shows_no_key(calo: Invoke, sealed: Path) -> None:
    (old,) = secrets_of(sealed)
    shown = calo("key", "show")
    rotated = calo("key", "rotate")
    (new,) = secrets_of(sealed)
    assert (shown.status, rotated.status) == (0, 0)
    assert new != old
    assert "sealed anew: 1." in rotated.out
    assert "copy of secrets/master.key" in rotated.err
    again = calo("key", "show")
    (listed,) = calo("key", "show", "--json").json()["keys"]
    assert listed == {"keyId": MasterKey(base64.b64decode(new)).id, "place": PATH, "values": 1}
    said = "".join(done.out + done.err for done in (shown, rotated, again))
    assert [word for word in (old, new, PLAIN) if word in said] == []
    assert value(sealed) == Revealed(PLAIN)


def test_json_counts(calo: Invoke, sealed: Path) -> None:
    done = calo("key", "rotate", "--json").json()
    assert (done["renewed"], done["left"]) == (1, 0)
    assert sealed.is_dir()


def test_a_key_from_a_setting_is_changed_by_putting_the_new_one_first(
    calo: Invoke, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = MasterKey.new()
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", f"{outside.secret.hex()} {secrets_of(sealed)[0]}")
    done = calo("key", "rotate")
    assert "take older keys away" in done.err
    monkeypatch.setenv("CALOTYPE_MASTER_KEY", outside.secret.hex())
    assert value(sealed) == Revealed(PLAIN)
    rows = {row["place"]: row["values"] for row in calo("key", "show", "--json").json()["keys"]}
    assert rows == {"setting": 1, PATH: 0}


def test_a_lost_key_is_refused_until_it_is_said_to_be_lost(calo: Invoke, sealed: Path) -> None:
    assert calo("key", "new", "--yes").status == 2, "there is a key"
    (sealed / PATH).unlink()
    rotated = calo("key", "rotate")
    assert rotated.status == 2
    assert "`calotype key new --yes`" in rotated.err
    assert calo("key", "new").status == 2
    assert not (sealed / PATH).exists()
    made = calo("key", "new", "--yes", "--json").json()
    rows = {row["place"]: (row["keyId"], row["values"]) for row in calo("key", "show", "--json").json()["keys"]}
    assert rows[PATH] == (made["keyId"], 0)
    assert rows["not at hand"][1] == 1
    assert isinstance(value(sealed), NeedsReentry)
    assert "entered again: 1." in calo("key", "rotate").err


def test_no_store_is_an_error(calo: Invoke, folder: Path) -> None:
    for command in (("key", "show"), ("key", "rotate"), ("key", "new", "--yes")):
        assert calo(*command).status == 3
    assert not folder.exists()
