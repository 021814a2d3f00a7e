"""A store with records of every kind, and what is in it: what the checks of this folder damage and mend."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assets.library import Upload
from metadata.errors import CalotypeError
from metadata.schemas.catalog import CATALOG
from server.configuration import load_settings
from server.wiring import Store, open_checks, open_store

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
Bodies = dict[tuple[str, str], dict[str, Any]]


@dataclass
class Filled:
    """A data folder and what was put into it.

    Attributes:
        root: the folder.
        payloads: the bytes of every payload, by digest.
    """

    root: Path
    payloads: dict[str, bytes] = field(default_factory=dict)

    def settings(self, durability: str = "none") -> Any:
        """Return the settings that open the folder."""
        more = {"CALOTYPE_DURABILITY": durability, "CALOTYPE_MIN_FREE_BYTES": "0"}
        return load_settings({"DATA_DIR": str(self.root), **more}).settings

    def open(self, durability: str = "none") -> Store:
        """Open the folder."""
        return open_store(self.settings(durability))

    def checks(self) -> Any:
        """Open the folder to check it."""
        return open_checks(self.settings())

    def raw(self, digest: str) -> Path:
        """Return a payload's file."""
        return self.root / "binaries" / digest / "raw"

    def documents(self) -> list[Path]:
        """Return every file that holds records, and that of the master key."""
        folders = ("settings", "auth", "tags", "image-profiles", "characters", "personas", "chats", "binaries")
        found = [path for folder in folders for path in (self.root / folder).rglob("*.json*")]
        return sorted(path for path in found if path.suffix in {".json", ".jsonl"} and path.stat().st_size > 0)


def bodies(store: Store) -> Bodies:
    """Return every record that can be read; what the store cannot answer for is left out."""
    found: Bodies = {}
    for name in CATALOG:
        try:
            found |= {(name, one.key): one.body for one in store.documents.scan(name)}
        except CalotypeError:
            continue
    return found


def records_of(filled: Filled) -> dict[tuple[str, str], str]:
    """Return every record that the index of a folder has, with its file."""
    with closing(sqlite3.connect(filled.root / "cache/index.sqlite3")) as db:
        return {
            (name, key): path
            for name in CATALOG
            for key, path in db.execute(f'SELECT key, path FROM "k_{name}"')  # noqa: S608 - a name of the catalog
        }


def put(store: Store, data: bytes, **links: str) -> Any:
    """Store bytes and return their record."""
    with store.assets.receive() as staging:
        staging.write(data)
        staged = staging.finish()
    return store.assets.store(staged, Upload(user_id=store.owner.id, filename="a.bin", links=links)).asset


def fill(root: Path, *, payloads: int = 12, seed: int = 1) -> Filled:
    """Make a store and fill it."""
    dice = random.Random(seed)  # noqa: S311 - for repeatable bytes, no secret
    filled = Filled(root)
    with filled.open("full") as store:  # or every line would count as the torn end of its journal
        records = store.records
        assets = []
        for _ in range(payloads):
            data = dice.randbytes(dice.randrange(1, 3000))
            assets.append(put(store, data))
            filled.payloads[assets[-1].sha256] = data
        tags = [records.tags.create(name=f"tag {n}") for n in range(6)]
        records.api_keys.create(label="main", provider="OPENAI", key="sk-secret")
        connection = records.connections.create(name="c", provider="OPENAI", model_name="m", tags=[tags[0].id])
        profile = records.image_profiles.create(name="p", provider="OPENAI", model_name="m")
        records.image_profiles.add_image(profile.id, assets[0].id)
        personas = [records.personas.create(name=f"visitor {n}", description="d") for n in range(3)]
        for n in range(4):
            who = records.characters.create(
                name=f"who {n}", **TEXTS, default_image_id=assets[n].id, tags=[tags[n].id, tags[5].id]
            )
            records.characters.add_persona(who.id, personas[n % 3].id)
            talk = records.chats.create(title=f"t {n}", character_id=who.id, connection_profile_id=connection.id)
            for m in range(5):
                said = {"type": "message", "role": "USER", "content": f"said {m}", "attachments": [assets[m].id]}
                records.messages.append(talk.id, said)
        for n in range(3):
            other = records.users.create(email=f"user{n}@example.org")
            records.access_tokens.issue(other.id, "laptop", "read")
        records.accounts.create(user_id=store.owner.id, type="oauth", provider="google", provider_account_id="1")
        store.assets.images.add_tag(assets[1].id, tags[1].id)
        store.assets.images.delete(put(store, b"gone again").id)
        filled.payloads.pop("", None)
    return filled


def flip(path: Path, place: int, by: int = 1) -> None:
    """Change one byte of a file where it stands."""
    data = bytearray(path.read_bytes())
    data[place] ^= by
    with path.open("r+b") as file:
        file.write(data)
