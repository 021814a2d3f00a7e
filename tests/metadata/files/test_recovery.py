"""What a crash or rot does to a journal: exactly the sound records are read, and nothing is lost in silence."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metadata.errors import CalotypeError
from metadata.files.codec import encode_line
from metadata.files.engine import FileEngine
from metadata.files.lines import Damage, Line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metadata.files.journal import Journal

    Promise = Callable[[str, int, int], None]

NAME = "log.jsonl"
COUNT = 64


def written(folder: Path, sizes: list[int], name: str = NAME) -> list[Line]:
    """Write records in commits of these sizes, and return the lines."""
    engine = FileEngine.open(folder, durability="full")
    journal, number = engine.journal(name), 0
    for size in sizes:
        records = [{"id": f"r{number + i}", "text": "x" * ((number + i) % 7)} for i in range(size)]
        journal.commit(lambda batch, records=records: [batch.stage(record) for record in records])  # type: ignore[misc]  # mypy cannot type a default argument of a lambda
        number += size
    lines = [line for line in journal.read() if isinstance(line, Line)]
    engine.close()
    return lines


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Line]]:
    """A journal of 64 records: single ones, then a last write of 16."""
    folder = tmp_path_factory.mktemp("sound")
    lines = written(folder, [1] * (COUNT - 16) + [16])
    return (folder / NAME).read_bytes(), lines


def reopened(folder: Path, data: bytes) -> Journal:
    """Put these bytes in a journal's place and open it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(data)
    return FileEngine.open(folder, durability="none").journal(NAME)


def quarantined(folder: Path) -> list[bytes]:
    """Return what was set aside."""
    return [path.read_bytes() for path in sorted((folder / "quarantine").glob("*"))]


def ids(journal: Journal) -> list[str]:
    """Return the ids of the records in a journal, which must all be readable."""
    return [line.record["id"] if isinstance(line, Line) else f"damage at {line.offset}" for line in journal.read()]


def wrong(check: Callable[[int], None], place: int) -> str:
    """Return what is not as it should be at a place in a journal; empty when all is."""
    try:
        check(place)
    except (AssertionError, CalotypeError) as error:
        return f"{place}: {error}"
    return ""


def test_cut_at_every_byte(tmp_path: Path, sound: tuple[bytes, list[Line]], promise: Promise) -> None:
    data, lines = sound

    def check(cut: int) -> None:
        journal = reopened(tmp_path / "d", data[:cut])
        # A record whose last byte but the line break is there is whole.
        whole = [line for line in lines if line.end - 1 <= cut]
        rest = data[whole[-1].end if whole else 0 : cut]
        complete = [line for line in whole if line.end <= cut]
        assert ids(journal) == [line.record["id"] for line in complete]
        torn = journal.recover()
        assert [bytes_.strip() for bytes_ in quarantined(tmp_path / "d")] == ([rest] if rest else [])
        assert [(damage.kind, damage.length) for damage in torn] == ([("tail", len(rest))] if rest else [])
        journal.commit(lambda batch: batch.stage({"id": "new"}))
        assert ids(journal) == [*(line.record["id"] for line in whole), "new"]

    bad = [said for said in (wrong(check, cut) for cut in range(len(data) + 1)) if said]
    promise("a journal of 64 records cut at every byte", len(data) + 1, len(bad))
    assert bad == []


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_flipped_bytes_hide_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, sound: tuple[bytes, list[Line]], data: st.DataObject
) -> None:
    original, lines = sound
    places = data.draw(st.lists(st.integers(0, len(original) - 1), min_size=1, max_size=3, unique=True))
    broken = bytearray(original)
    for place in places:
        broken[place] ^= data.draw(st.integers(1, 255))
    hit = {line.offset for line in lines if any(line.offset <= place < line.end for place in places)}
    # A line break that goes takes the next line with it.
    hit |= {line.offset for line in lines if line.offset - 1 in places}
    folder = tmp_path_factory.mktemp("flipped") / "d"
    journal = reopened(folder, bytes(broken))
    for _ in range(2):  # as it is, and after recovery
        found = list(journal.read())
        sounds = {line.offset: line.record for line in found if isinstance(line, Line) and line.check == "sound"}
        for line in lines:
            if line.offset not in hit:
                assert sounds.pop(line.offset) == line.record
        # Whatever else passes for sound can only be what was written there: a white-space flip beside a line break.
        assert all(record in [line.record for line in lines] for record in sounds.values())
        reports = journal.recover()
    shown = [item for item in journal.read() if isinstance(item, Damage) or item.check != "sound"]
    told = {(damage.offset, damage.length) for damage in reports}
    assert {(i.offset, i.length if isinstance(i, Damage) else i.end - i.offset) for i in shown} <= told
    kept = b"".join(quarantined(folder))
    after = (folder / NAME).read_bytes()
    assert len(kept) + len(after) >= len(broken)
    shutil.rmtree(folder.parent)


def test_every_byte_flipped(tmp_path: Path, sound: tuple[bytes, list[Line]], promise: Promise) -> None:
    """Each byte once: exactly the sound records are there as they were, and what is not is told or set aside."""
    data, lines = sound
    path = tmp_path / NAME
    journal = reopened(tmp_path, data)
    records = {line.offset: line.record for line in lines}

    def check(place: int) -> None:
        broken = bytearray(data)
        broken[place] ^= 1 + place % 255
        path.write_bytes(broken)
        hit = {line.offset for line in lines if line.offset <= place < line.end or line.offset - 1 == place}
        found = list(journal.read())
        whole = {item.offset: item.record for item in found if isinstance(item, Line) and item.check == "sound"}
        assert {at: record for at, record in records.items() if at not in hit}.items() <= whole.items()
        assert all(record in records.values() for record in whole.values())
        told = [item for item in found if isinstance(item, Damage) or item.check != "sound"]
        if hit - whole.keys() and not told:  # the last line break: what has no end is told when somebody holds the lock
            assert place == len(data) - 1
            assert reopened(tmp_path / "again", bytes(broken)).recover() != []

    bad = [said for said in (wrong(check, place) for place in range(len(data))) if said]
    promise("a journal of 64 records with every byte flipped", len(data), len(bad))
    assert bad == []


def test_flips_would_be_found_by_nobody_without_the_check_values(
    tmp_path: Path, sound: tuple[bytes, list[Line]], monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    """Negative control: with lines believed as they parse, flips pass for sound that changed a record."""
    data, lines = sound
    monkeypatch.setattr("metadata.files.codec._check_of_line", lambda _: "sound")
    journal, silent = reopened(tmp_path, data), 0
    records = [line.record for line in lines]
    places = range(0, len(data), 11)
    for place in places:
        broken = bytearray(data)
        broken[place] ^= 1
        (tmp_path / NAME).write_bytes(broken)
        silent += any(isinstance(item, Line) and item.record not in records for item in journal.read())
    promise("control, must be bad: flips without check values", len(places), silent)
    assert silent > 0


def test_damage_before_the_last_write_is_rot_and_stays(tmp_path: Path, sound: tuple[bytes, list[Line]]) -> None:
    data, lines = sound
    broken = data[: lines[5].offset] + b"#" + data[lines[5].offset + 1 :]
    journal = reopened(tmp_path / "d", broken)
    journal.commit(lambda batch: batch.stage({"id": "new"}))
    assert [damage.kind for damage in journal.recover()] == ["rot"]
    assert (tmp_path / "d" / NAME).read_bytes().startswith(broken)
    assert quarantined(tmp_path / "d") == []
    assert len([item for item in journal.read() if isinstance(item, Line)]) == COUNT


def test_damage_inside_the_last_write_is_set_aside_and_its_sound_lines_stay_in_place(
    tmp_path: Path, sound: tuple[bytes, list[Line]]
) -> None:
    data, lines = sound
    hurt = lines[-10]
    broken = data[: hurt.offset] + b"\0" * 9 + data[hurt.offset + 9 :]
    journal = reopened(tmp_path / "d", broken)
    torn = journal.recover()
    assert [(damage.kind, damage.offset) for damage in torn] == [("tail", hurt.offset)]
    assert quarantined(tmp_path / "d") == [broken[hurt.offset : hurt.end]]
    kept = [item for item in journal.read() if isinstance(item, Line)]
    assert [line.offset for line in kept] == [line.offset for line in lines if line is not hurt]
    assert journal.recover() == []


def test_zeroed_pages_over_several_lines_of_the_last_write(tmp_path: Path, sound: tuple[bytes, list[Line]]) -> None:
    data, lines = sound
    first, last = lines[-9], lines[-6]
    broken = data[: first.offset + 3] + b"\0" * (last.offset - first.offset) + data[last.offset + 3 :]
    journal = reopened(tmp_path / "d", broken)
    assert [damage.kind for damage in journal.recover()] == ["tail"]
    assert ids(journal) == [line.record["id"] for line in lines if not first.offset <= line.offset <= last.offset]


def test_a_line_put_in_by_hand_costs_no_other_line(tmp_path: Path, sound: tuple[bytes, list[Line]]) -> None:
    data, lines = sound
    for strange in (b'{"id": broken\n', b'{"id":"by hand"}\n'):
        journal = reopened(tmp_path / "moved", strange + data)
        journal.commit(lambda batch: batch.stage({"id": "next"}))
        kept = [line.record["id"] for line in journal.read() if isinstance(line, Line)]
        assert kept[-len(lines) - 1 :] == [line.record["id"] for line in lines] + ["next"]
        assert quarantined(tmp_path / "moved") == []


def test_in_a_foreign_file_only_the_last_line_is_tail(tmp_path: Path) -> None:
    journal = reopened(tmp_path / "d", b'{"id":"a"}\n{"id":#}\n{"id":"b"}\n{"id":#}\n{"id":')
    damage = journal.recover()
    assert [(d.kind, d.length) for d in damage] == [("tail", 6), ("rot", 9), ("rot", 9)]
    assert (tmp_path / "d" / NAME).read_bytes() == b'{"id":"a"}\n{"id":#}\n{"id":"b"}\n{"id":#}\n'


def test_whole_foreign_last_line_gets_its_line_break(tmp_path: Path) -> None:
    journal = reopened(tmp_path / "d", b'{"id":"a"}\n{"id":"b"}')
    assert ids(journal) == ["a"]
    assert journal.recover() == []
    assert ids(journal) == ["a", "b"]
    assert (tmp_path / "d" / NAME).read_bytes() == b'{"id":"a"}\n{"id":"b"}\n'


def test_blank_rest_does_not_spoil_the_next_line(tmp_path: Path) -> None:
    journal = reopened(tmp_path / "d", b'{"id":"a"}\n   ')
    journal.commit(lambda batch: batch.stage({"id": "b"}))
    assert [item.check for item in journal.read() if isinstance(item, Line)] == ["absent", "sound"]


def test_line_changed_by_hand_is_served_and_reported(tmp_path: Path, sound: tuple[bytes, list[Line]]) -> None:
    data, _ = sound
    journal = reopened(tmp_path / "d", data.replace(b'"r63"', b'"R63"'))
    assert ids(journal)[-1] == "R63"
    assert [damage.kind for damage in journal.recover()] == ["altered"]


def test_nothing_is_cut_that_could_not_be_set_aside(tmp_path: Path, sound: tuple[bytes, list[Line]]) -> None:
    data, _ = sound
    journal = reopened(tmp_path / "d", data[:-5])
    (tmp_path / "d" / "quarantine").write_bytes(b"in the way")
    with pytest.raises(Exception, match="recovered"):
        journal.recover()
    assert (tmp_path / "d" / NAME).read_bytes() == data[:-5]


@given(st.binary(max_size=3000), st.integers(1, 200))
@settings(deadline=None, max_examples=60)
def test_any_bytes_can_be_opened_and_appended_to(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, repeat: int
) -> None:
    folder = tmp_path_factory.mktemp("any") / "d"
    journal = reopened(folder, (data + b"\n" + encode_line({"id": "a"}, batch=0)) * repeat + data)
    before = sum(isinstance(item, Line) and item.record.get("id") == "a" for item in journal.read())
    journal.commit(lambda batch: batch.stage({"id": "a"}))
    after = sum(isinstance(item, Line) and item.record.get("id") == "a" for item in journal.read())
    assert after == before + 1
    shutil.rmtree(folder.parent)
