"""Each kind of finding, from the damage on: what is told, what about, and whether a repair mends it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from assets.fsck import repairing
from assets.fsck.report import Wishes
from assets.library import Upload
from metadata.files.codec import encode_document, encode_line
from metadata.files.filesystem import FileSystem
from metadata.findings import SORTS, Repair, Weight

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Damage = Callable[[Any], str | None]

GONE = "018f3c5e-7b2a-7cde-8f01-23456789abcd"


def one(store: Any, folder: str, ending: str = ".json") -> Path:
    """Return a file of a folder."""
    found: Path = min(path for path in (store.root / folder).iterdir() if path.suffix == ending)
    return found


def name(store: Any, path: Path) -> str:
    return str(path.relative_to(store.root).as_posix())


def rewritten(path: Path, **members: object) -> dict[str, Any]:
    """Change members of a document as we would, with a check value that fits."""
    body: dict[str, Any] = {**json.loads(path.read_bytes()), **members}
    path.write_bytes(encode_document({n: value for n, value in body.items() if value is not None}, stamp=True))
    return body


def appended(path: Path, **members: object) -> None:
    """Let the last line of a journal be superseded, as we would."""
    *_, last = path.read_bytes().splitlines()
    path.write_bytes(path.read_bytes() + encode_line({**json.loads(last), **members}, batch=path.stat().st_size))


def flipped(path: Path, at: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(at, at[:-1] + b"\x7f", 1))


def rotten(store: Any) -> str:
    digest = str(min(store.payloads))
    data = bytearray(store.raw(digest).read_bytes())
    data[0] ^= 1
    store.raw(digest).write_bytes(data)
    return digest


def rotten_in_the_trash(store: Any) -> str:
    path = store.root / f"trash/{min(store.payloads)}.1000000000"
    path.mkdir(parents=True)
    (path / "raw").write_bytes(b"?")
    return name(store, path)


def shorter(store: Any) -> str:
    digest = str(min(store.payloads))
    store.raw(digest).write_bytes(store.raw(digest).read_bytes()[:-1])
    return digest


def unreadable(store: Any) -> str:
    digest = str(min(store.payloads))
    store.raw(digest).unlink()
    store.raw(digest).mkdir()
    return digest


def missing(store: Any) -> str:
    digest = str(min(store.payloads))
    shutil.rmtree(store.raw(digest).parent)
    return digest


def elsewhere(store: Any) -> None:
    path = store.root / "binaries/index.jsonl"
    lines = [line for line in path.read_bytes().splitlines() if b"_deleted" not in line]
    record = json.loads(lines[0])
    record |= {"sha256": "0" * 64, "relativePath": "uploads/images/x.png", "id": GONE}
    path.write_bytes(path.read_bytes() + json.dumps(record).encode() + b"\n")


def unfactual(store: Any) -> str:
    path = store.root / "binaries/facts.jsonl"
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(rest))
    return str(json.loads(first)["sha256"])


def misjudged(store: Any) -> str:
    path = store.root / "binaries/facts.jsonl"
    digest = json.loads(path.read_bytes().splitlines()[-1])["sha256"]
    appended(path, size=1, _rev=9)
    return str(digest)


def mismeasured(store: Any) -> str:
    path = store.root / "binaries/index.jsonl"
    first = json.loads(path.read_bytes().splitlines()[3])
    path.write_bytes(path.read_bytes() + encode_line({**first, "size": 1, "_rev": 9}, batch=0))
    return f"asset {first['id']}"


def without_records(store: Any) -> str:
    (store.root / "binaries/index.jsonl").unlink()
    return "binaries/index.jsonl"


def damaged_line(store: Any) -> str:
    path = store.root / "chats/index.jsonl"
    flipped(path, b'{"id"')
    return "chats/index.jsonl:0"


def altered_line(store: Any) -> str:
    flipped(store.root / "chats/index.jsonl", b"t 0")
    return "chats/index.jsonl:0"


def altered_tombstone(store: Any) -> str:
    path = store.root / "binaries/index.jsonl"
    data = path.read_bytes()
    place = data.index(b'"_was"')
    path.write_bytes(data[:place] + data[place:].replace(b'"a.bin"', b'"b.bin"', 1))
    start = data.rindex(b'{"id"', 0, data.rindex(b"_deleted"))
    return f"binaries/index.jsonl:{start}"


def repeated_line(store: Any) -> str:
    path = store.root / "chats/index.jsonl"
    data = path.read_bytes()
    path.write_bytes(data + data.splitlines(keepends=True)[0])
    return f"chats/index.jsonl:{len(data)}"


def damaged_document(store: Any) -> str:
    path = one(store, "characters")
    path.write_bytes(path.read_bytes()[:-20])
    return name(store, path)


def damaged_container(store: Any) -> str:
    flipped(store.root / "tags/tags.json", b'  "tags": [')
    return "tags/tags.json"


def altered_document(store: Any) -> str:
    path = one(store, "characters")
    flipped(path, b'"name": "w')
    return name(store, path)


def damaged_record(store: Any) -> str:
    flipped(store.root / "tags/tags.json", b'"userId')
    tag = json.loads((store.root / "tags/tags.json").read_bytes())["tags"][0]
    return f"tags/tags.json tag {tag['id']}"


def repeated_record(store: Any) -> str:
    path = store.root / "tags/tags.json"
    tags = json.loads(path.read_bytes())["tags"]
    rewritten(path, tags=[*tags, tags[0]])
    return f"tags/tags.json tag {tags[0]['id']}"


def dangling(store: Any) -> str:
    path = one(store, "characters")
    return f"character {rewritten(path, tags=[GONE])['id']}"


def ownerless(store: Any) -> str:
    path = one(store, "personas")
    return f"persona {rewritten(path, userId=GONE)['id']}"


def parentless(store: Any) -> str:
    path = store.root / f"chats/{GONE}.jsonl"
    shutil.copy(min(set((store.root / "chats").glob("*.jsonl")) - {store.root / "chats/index.jsonl"}), path)
    return name(store, path)


def one_sided(store: Any) -> str:
    path = one(store, "personas")
    links = json.loads(path.read_bytes())["characterLinks"]
    rewritten(path, characterLinks=[])
    return f"character {links[0]}"


def one_sided_picture(store: Any) -> str:
    path = store.root / "image-profiles/image-profiles.json"
    (profile,) = json.loads(path.read_bytes())["profiles"]
    rewritten(path, profiles=[{**profile, "_imageIds": []}])
    return f"asset {profile['_imageIds'][0]}"


def closed_seal(store: Any) -> str:
    path = store.root / "settings/connection-profiles.json"
    (key,) = json.loads(path.read_bytes())["apiKeys"]
    rewritten(path, apiKeys=[{**key, "iv": "AAAAAAAAAAAAAAAA"}])
    return f"apiKey {key['id']} key"


def foreign_seal(store: Any) -> str:
    path = store.root / "settings/connection-profiles.json"
    (key,) = json.loads(path.read_bytes())["apiKeys"]
    del key["_keyId"]
    rewritten(path, apiKeys=[{**key, "ciphertext": "00", "iv": "00" * 16, "authTag": "00" * 16}])
    return f"apiKey {key['id']} key"


def damaged_key(store: Any) -> str:
    path = store.root / "secrets/master.key"
    path.write_bytes(path.read_bytes().replace(b"=", b"-"))
    return "secrets/master.key"


def wrong_index(store: Any) -> None:
    with store.checks():
        pass  # a copied folder's files are others than the index knew
    with closing(sqlite3.connect(store.root / "cache/index.sqlite3")) as db:
        db.execute("UPDATE k_asset SET body = json_set(body, '$.filename', 'nonsense')")
        db.commit()


def stuck(store: Any) -> str:
    path = store.root / f"intents/{GONE}.json"
    step = {"path": "tags/tags.json", "kind": "tag", "key": GONE, "body": {"id": GONE, "name": 1}}
    (store.root / "tags/tags.json").write_bytes(b"{")
    path.write_bytes(encode_document({"version": 1, "steps": [step]}, stamp=True))
    path.chmod(0o600)
    return name(store, path)


def stray(store: Any) -> str:
    (store.root / "chats/notes.txt").write_text("mine")
    return "chats/notes.txt"


def linked(store: Any) -> str:
    (store.root / "chats/link.txt").symlink_to("/etc/hostname")
    return "chats/link.txt"


def leftover(store: Any) -> str:
    path = store.root / "chats/.index.jsonl.4000001.0123abcd.tmp"
    path.write_bytes(b"half")
    os.utime(path, (1e9, 1e9))
    return name(store, path)


def abandoned(store: Any) -> str:
    path = store.root / f"uploads/4000001.0123abcd.{'0' * 16}"
    path.mkdir()
    os.utime(path, (1e9, 1e9))
    return name(store, path)


def open_payload(store: Any) -> str:
    digest = min(store.payloads)
    store.raw(digest).chmod(0o666)
    return f"binaries/{digest}/raw"


def unlisted(store: Any) -> str:
    """Lose the list of assets, and go on: the next upload begins a new one."""
    (store.root / "binaries/index.jsonl").unlink()
    with store.open() as opened:
        with opened.assets.receive() as staging:
            staging.write(b"the next upload")
            staged = staging.finish()
        opened.assets.store(staged, Upload(user_id=opened.owner.id, filename="n"))
    return "binaries/index.jsonl"


def leftover_marker(store: Any) -> str:
    path = store.root / "..calotype.4000001.0123abcd.tmp"
    path.write_bytes(b"half")
    os.utime(path, (1e9, 1e9))
    return name(store, path)


def open_secret(store: Any) -> str:
    (store.root / "secrets/master.key").chmod(0o644)
    return "secrets/master.key"


def set_aside(store: Any) -> str:
    path = store.root / "quarantine/something"
    path.write_bytes(b"?")
    path.chmod(0o600)
    return name(store, path)


CASES: dict[str, list[Damage]] = {
    "payload-rotten": [rotten, shorter],
    "trash-rotten": [rotten_in_the_trash],
    "payload-unreadable": [unreadable],
    "payload-missing": [missing],
    "payload-elsewhere": [elsewhere],
    "facts-missing": [unfactual],
    "facts-wrong": [misjudged],
    "size-wrong": [mismeasured],
    "records-lost": [without_records],
    "records-missing": [unlisted],
    "line-damaged": [damaged_line],
    "line-altered": [altered_line, altered_tombstone],
    "line-duplicate": [repeated_line],
    "document-damaged": [damaged_document, damaged_container],
    "document-altered": [altered_document],
    "record-damaged": [damaged_record],
    "record-duplicate": [repeated_record],
    "dangling": [dangling],
    "ownerless": [ownerless],
    "parentless": [parentless],
    "one-sided": [one_sided, one_sided_picture],
    "seal-closed": [closed_seal],
    "seal-foreign": [foreign_seal],
    "key-damaged": [damaged_key],
    "index-differs": [wrong_index],
    "unfinished": [stuck],
    "stray": [stray, linked],
    "leftover": [leftover, abandoned, leftover_marker],
    "open-to-others": [open_secret, open_payload],
    "set-aside": [set_aside],
}
ALL = [(kind, damage) for kind, damages in CASES.items() for damage in damages]


@pytest.mark.parametrize(("kind", "damage"), ALL, ids=[damage.__name__ for _, damage in ALL])
def test_damage_is_told_and_mended(kind: str, damage: Damage, copied: Callable[[], Any]) -> None:
    store = copied()
    about = damage(store)
    with store.checks() as checks:
        report = checks.verifier.run(Wishes(full=True))
        found = [finding for finding in report.findings if finding.kind == kind]
        assert found, [(finding.kind, finding.about) for finding in report.findings]
        assert about in {None, *(finding.about for finding in found)}
        assert report.sound is not any(finding.weight is Weight.DAMAGE for finding in report.findings)
        left = report.findings
        while steps := repairing.plan(left):
            assert [done.error for done in checks.repairer.execute(steps) if done.error] == []
            left = checks.verifier.run(Wishes(full=True)).findings
    mendable = any(finding.repair is not Repair.NONE for finding in found)
    assert mendable is not any(finding.kind == kind for finding in left), left


def test_every_kind_of_finding_has_a_case() -> None:
    assert SORTS.keys() - CASES.keys() == {"payload-unrecorded", "trashed"}


def test_records_that_somebody_deleted_are_not_missed(copied: Callable[[], Any]) -> None:
    store = copied()
    with store.open() as opened:
        for asset in list(opened.assets.images.find_all()):
            opened.assets.forget(asset.id, force=True)
        assert opened.checks.verifier.run(Wishes()).findings == []


def test_an_operation_that_waits_is_told_of_beside_damaged_secrets(copied: Callable[[], Any]) -> None:
    store = copied()
    waiting = stuck(store)
    (store.root / "settings/connection-profiles.json").write_bytes(b"{")
    with store.checks() as checks:
        assert waiting in {finding.about for finding in checks.verifier.run(Wishes()).findings}


def test_a_step_that_the_system_refuses_hinders_no_other(
    copied: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    store = copied()
    about, gone = open_payload(store), leftover(store)
    with store.checks() as checks:
        steps = repairing.plan(checks.verifier.run(Wishes()).findings)
        monkeypatch.setattr(FileSystem, "chmod", refused)
        done = checks.repairer.execute(steps)
    assert [one.step.finding.about for one in done if one.error] == [about]
    assert "chown" in done[0].error
    assert not (store.root / gone).exists()
