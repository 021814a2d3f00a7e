"""One byte changed in each of many payloads, documents and lines: all of them are found, and nothing else is.

The negative controls leave out one check each; the harness has to notice.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from assets.fsck import payloads, scrub
from assets.fsck.report import Wishes
from metadata.checks import files as file_checks
from metadata.files import codec, engine

if TYPE_CHECKING:
    from collections.abc import Callable


def verified(store: Any) -> list[Any]:
    with store.checks() as checks:
        found: list[Any] = checks.verifier.run(Wishes(full=True)).findings
        return found


def wounds(store: Any, dice: random.Random) -> set[tuple[str, int]]:
    """Change a byte of every payload, of every document, and of every third line of each journal.

    Returns the files; for a line with the byte it begins at, else with -1.
    """
    changed = set()
    for path in [*store.documents(), store.root / "secrets/master.key", *map(store.raw, store.payloads)]:
        data = path.read_bytes()
        places = {-1: dice.randrange(len(data))}
        if path.name == "master.key":  # what people write behind a # means nothing, so its rot is no damage
            places = {-1: data.rindex(b"\n", 0, -1) + 1 + dice.randrange(20)}
        if path.suffix == ".jsonl":
            starts = [0, *(at + 1 for at, byte in enumerate(data[:-1]) if byte == ord("\n"))]
            lines = list(zip(starts, [*starts[1:], len(data)], strict=True))[dice.randrange(3) :: 3]
            places = {start: dice.randrange(start, end - 1) for start, end in lines}
        with path.open("r+b") as file:
            for start, place in places.items():
                file.seek(place)
                file.write(bytes([data[place] ^ dice.randrange(1, 256)]))
                changed.add((path.relative_to(store.root).as_posix(), start))
    return changed


def told_of(finding: Any) -> tuple[str, int]:
    """Return the file and the byte that a finding is about; -1 for all of a file."""
    name = finding.about.removeprefix("quarantine/")
    if finding.kind == "set-aside":  # the end of a journal, which was cut off when the folder was opened
        folder, _, rest = name.partition("-")
        stem, place, _ = rest.rsplit(".", 2)
        return f"{folder}/{stem}", int(place)
    if finding.kind.startswith("payload"):
        return f"binaries/{name}/raw", -1
    return str(finding.details.get("path", name)), int(finding.details.get("offset", -1))


def missed(changed: set[tuple[str, int]], findings: list[Any]) -> set[tuple[str, int]]:
    return changed - {told_of(finding) for finding in findings}


def test_a_sound_store_has_no_findings(copied: Callable[[], Any], promise: Callable[[str, int, int], None]) -> None:
    store = copied()
    found = verified(store) + verified(store)  # a second time, when the first has noted what it saw
    files = sum(path.is_file() for path in store.root.rglob("*"))
    promise("rot: files of a sound store, and findings in it", files, len(found))
    assert found == []


@pytest.mark.heavy
def test_every_changed_byte_is_found(
    copied: Callable[[], Any],
    scale: int,
    counts: Callable[[int, int, int], int],
    promise: Callable[[str, int, int], None],
) -> None:
    dice = random.Random(scale)  # noqa: S311 - for repeatable damage
    count = unseen = 0
    while count < counts(100, 300, 1_000):
        store = copied()
        changed = wounds(store, dice)
        unseen += len(missed(changed, verified(store)))
        count += len(changed)
    promise("rot: one byte changed in payloads and documents", count, unseen)
    assert unseen == 0


@pytest.mark.heavy
@pytest.mark.parametrize("left_out", ["payloads", "documents", "lines"])
def test_the_harness_notices_a_check_that_is_left_out(
    left_out: str, copied: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if left_out == "payloads":
        monkeypatch.setattr(scrub, "hash_of", lambda _blobs, digest, _passed: digest)
        monkeypatch.setattr(payloads, "hash_of", lambda _blobs, digest: digest)
    elif left_out == "documents":
        monkeypatch.setattr(file_checks, "reformatted", lambda _: False)
        monkeypatch.setattr(engine, "decode_document", lambda data: (codec.decode_document(data)[0], "sound"))
    else:
        monkeypatch.setattr(codec, "_check_of_line", lambda _: "sound")
    dice = random.Random(7)  # noqa: S311 - for repeatable damage
    store = copied()
    lost = missed(wounds(store, dice), verified(store))
    assert lost
    endings = {"payloads": "/raw", "documents": ".json", "lines": ".jsonl"}
    assert all(path.endswith(endings[left_out]) for path, _ in lost)


def test_blanks_and_the_name_of_the_check_value_count_too(copied: Callable[[], Any], rot: Any) -> None:
    store = copied()
    first, second = sorted((store.root / "characters").glob("*.json"))[:2]
    blank, name = first.read_bytes().index(b"\n  "), second.read_bytes().index(b"_crc")
    rot.flip(first, blank + 1, 0x29)  # a blank becomes a tab
    rot.flip(second, name + 1)
    found = {(finding.kind, finding.about) for finding in verified(store)}
    assert found == {("document-altered", path.relative_to(store.root).as_posix()) for path in (first, second)}


def test_rot_that_no_time_of_change_shows(copied: Callable[[], Any], rot: Any) -> None:
    """A disk changes bytes without touching the times of files; the index believes them, and is told."""
    store = copied()
    with store.checks() as checks:
        assert checks.verifier.run(Wishes()).findings == []
        path = store.root / "tags/tags.json"
        before = path.stat()
        rot.flip(path, path.read_bytes().index(b"tag 3") + 4, 4)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        kinds = [finding.kind for finding in checks.verifier.run(Wishes()).findings]
        assert kinds == ["document-altered"]
