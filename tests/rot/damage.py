"""Ways to damage a store, each for one seed; each returns the files that it touched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping


def _name(store: Any, path: Any) -> str:
    return str(path.relative_to(store.root).as_posix())


def flipped_document(store: Any, dice: random.Random) -> set[str]:
    """Change a byte of a file of records."""
    path = dice.choice(store.documents())
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    path.write_bytes(data)
    return {_name(store, path)}


def flipped_payload(store: Any, dice: random.Random) -> set[str]:
    """Change a byte of a payload."""
    path = store.raw(dice.choice(sorted(store.payloads)))
    if not path.is_file():
        return set()
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    path.write_bytes(data)
    return {_name(store, path)}


def cut_payload(store: Any, dice: random.Random) -> set[str]:
    """Cut a payload short."""
    path = store.raw(dice.choice(sorted(store.payloads)))
    if not path.is_file():
        return set()
    path.write_bytes(path.read_bytes()[:-1])
    return {_name(store, path)}


def removed_payload(store: Any, dice: random.Random) -> set[str]:
    """Remove a payload's folder, or only the payload in it."""
    path = store.raw(dice.choice(sorted(store.payloads)))
    if dice.random() < 0.5:
        shutil.rmtree(path.parent, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return {_name(store, path)}


def lost_facts(store: Any, dice: random.Random) -> set[str]:
    """Remove or empty what is known of the payloads."""
    path = store.root / "binaries/facts.jsonl"
    path.write_bytes(b"") if dice.random() < 0.5 else path.unlink(missing_ok=True)
    return {_name(store, path)}


def lost_records(store: Any, dice: random.Random) -> set[str]:
    """Remove or empty the list of assets."""
    path = store.root / "binaries/index.jsonl"
    path.write_bytes(b"") if dice.random() < 0.5 else path.unlink(missing_ok=True)
    return {_name(store, path)}


def removed_document(store: Any, dice: random.Random) -> set[str]:
    """Remove a character or a persona."""
    paths = [*(store.root / "characters").glob("*.json"), *(store.root / "personas").glob("*.json")]
    if not paths:
        return set()
    path = dice.choice(sorted(paths))
    path.unlink()
    return {_name(store, path)}


def edited_links(store: Any, dice: random.Random) -> set[str]:
    """Take one side of a link away, or let a character refer to what is not there, by hand."""
    paths = sorted((store.root / "characters").glob("*.json"))
    if not paths:
        return set()
    path = dice.choice(paths)
    try:
        body = json.loads(path.read_bytes())
    except ValueError:
        return set()
    if dice.random() < 0.5:
        body["personaLinks"] = []
    else:
        body["tags"] = [*body.get("tags", []), "018f3c5e-7b2a-7cde-8f01-23456789abcd"]
    path.write_text(json.dumps(body, indent=2))
    return set()  # what it says is still to be there


def wrong_size(store: Any, dice: random.Random) -> set[str]:
    """Write another size into the last line of the facts."""
    del dice
    path = store.root / "binaries/facts.jsonl"
    if path.is_file():
        path.write_bytes(path.read_bytes() + b'{"sha256":"%s","size":1,"_rev":99}\n' % min(store.payloads).encode())
    return set()


def strays(store: Any, dice: random.Random) -> set[str]:
    """Put files and folders where none belong."""
    folder = dice.choice(["characters", "binaries", "chats", "tags", f"binaries/{min(store.payloads)}", "uploads"])
    place = store.root / folder
    if place.is_dir():
        (place / f"what is this {dice.randrange(9)}.txt").write_bytes(b"?")
        (store.root / "binaries" / f"strange{dice.randrange(9)}").mkdir(exist_ok=True)
    return set()


def leftovers(store: Any, dice: random.Random) -> set[str]:
    """Leave temporary files and staged uploads of dead processes, from long ago."""
    pid = 4_000_000 + dice.randrange(1000)
    made = [
        store.root / "characters" / f".x.json.{pid}.0123abcd.tmp",
        store.root / f"uploads/{pid}.0123abcd.{'0' * 16}",
    ]
    made[0].write_bytes(b"{")
    made[1].mkdir(exist_ok=True)
    for path in made:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return set()


def open_rights(store: Any, dice: random.Random) -> set[str]:
    """Let others read secrets."""
    for name in ("settings", "settings/general.json", "auth", "secrets", "secrets/master.key"):
        if dice.random() < 0.5 and (store.root / name).exists():
            (store.root / name).chmod(0o777 if (store.root / name).is_dir() else 0o664)
    return set()


def wrong_index(store: Any, dice: random.Random) -> set[str]:
    """Change rows of the index behind its back."""
    changes = [
        "UPDATE k_tag SET body = json_set(body, '$.name', 'nonsense')",
        "DELETE FROM refs WHERE src_kind = 'character'",
        "UPDATE k_chat SET body = json_set(body, '$.messageCount', 77)",
        "DELETE FROM k_message WHERE seq % 3 = 0",
        "UPDATE counts SET n = n + 1",
    ]
    with store.checks():
        pass  # a copied folder's files are others than the index knew
    with closing(sqlite3.connect(store.root / "cache/index.sqlite3")) as db:
        db.execute(dice.choice(changes))
        db.commit()
    return set()


def repeated_line(store: Any, dice: random.Random) -> set[str]:
    """Repeat a line without a revision."""
    path = store.root / "chats/index.jsonl"
    lines = [line for line in path.read_bytes().splitlines() if line.startswith(b'{"id"')] if path.is_file() else []
    if lines:
        path.write_bytes(path.read_bytes() + dice.choice(lines) + b"\n")
    return set()


WAYS: Mapping[str, Callable[[Any, random.Random], set[str]]] = {
    way.__name__: way
    for way in (
        flipped_document,
        flipped_payload,
        cut_payload,
        removed_payload,
        lost_facts,
        lost_records,
        removed_document,
        edited_links,
        wrong_size,
        strays,
        leftovers,
        open_rights,
        wrong_index,
        repeated_line,
    )
}
