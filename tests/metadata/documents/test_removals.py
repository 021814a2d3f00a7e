"""What an intent says of a great removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.documents.removals import Removal, refusal, removal_in, under_way
from metadata.errors import UnreadableError
from metadata.files.engine import FileEngine

if TYPE_CHECKING:
    from pathlib import Path

    from metadata.documents.json_files import JsonFiles


def test_what_is_written_is_what_is_read() -> None:
    removal = Removal("tag", "1", force=True, heir="2")
    assert removal_in(removal.written()) == removal
    assert removal_in({"version": 1, "steps": []}) is None
    assert removal_in([]) is None


@pytest.mark.parametrize("found", [5, {}, {"kind": "nonsense", "key": "1"}, {"kind": "tag", "key": 1}])
def test_what_names_no_record_is_damage(found: object) -> None:
    with pytest.raises(UnreadableError):
        removal_in({"removes": found})


def test_damage_is_set_aside_and_a_removal_of_nothing_is_done(files: JsonFiles, root: Path) -> None:
    (root / "intents").mkdir(exist_ok=True)
    (root / "intents/0.json").write_text('{"version": 2, "removes": {"kind": "nonsense"}}')
    (root / "intents/1.json").write_text('{"version": 2, "removes": {"kind": "tag", "key": "gone"}}')
    files.rebuild()
    files.work_off()
    assert files.health().unfinished == 0
    assert {path.name.split(".json")[0] for path in (root / "quarantine").iterdir()} == {"intents-0"}


def test_a_refusal_says_what_gives_way() -> None:
    assert "cascade=1" in refusal("user", []).message
    assert "force=1" in refusal("asset", []).message
    assert "force" not in refusal("connectionProfile", []).message


def test_a_great_removal_is_told_from_what_could_not_be_finished(root: Path) -> None:
    engine = FileEngine.open(root)
    engine.write_document("intents/0.json", Removal("tag", "1").written(), stamp=True)
    engine.write_document("intents/1.json", {"version": 1, "steps": []}, stamp=True)
    engine.write_bytes("intents/2.json", b"{")
    assert [under_way(engine, f"intents/{name}.json") for name in range(4)] == [True, False, False, True]
