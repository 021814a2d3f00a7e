"""The events of chats: streamed, in order, damage told, what is here kept."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home, Items


def log(application: Path, original: ModuleType) -> Path:
    path: Path = application / f"data/chats/{original.CHAT}.jsonl"
    return path


def event(number: int, **members: Any) -> str:
    one = {"type": "message", "id": f"00000000-0000-4000-8000-{number:012d}", "role": "USER", "content": str(number)}
    return json.dumps({**one, "createdAt": "2025-11-22T09:30:00.000Z", **members})


def test_damaged_lines_are_told_and_the_others_keep_their_order(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    lines = [event(1), '{"type":"mess', event(2, role="NOBODY"), event(3), "[]", event(2)]
    log(application, original).write_text("\n".join(lines))
    report = home.bring(application)
    failed = items(report, Status.FAILED)
    assert [item.place.rpartition(":")[2] for item in failed] == ["2", "3", "5"]
    assert [item.why != "" for item in failed] == [True] * 3
    assert [key[-1] for key in home.events] == ["1", "3", "2"]


def test_a_log_longer_than_one_write_comes_whole_and_goes_on_where_it_was_cut(
    home: Home, application: Path, original: ModuleType
) -> None:
    path = log(application, original)
    path.write_text("\n".join(event(number) for number in range(700)))
    home.bring(application)
    assert len(home.events) == 700
    path.write_text("\n".join(event(number) for number in range(1300)))
    report = home.bring(application)
    counts = {item.status: item.count for item in report.items if item.kind == "message"}
    assert counts == {Status.SAME: 700, Status.IMPORTED: 600}
    assert [int(key[-12:]) for key in home.events] == list(range(1300))


def test_memory_does_not_grow_with_a_log(home: Home, application: Path, original: ModuleType) -> None:
    with log(application, original).open("w") as file:
        file.writelines(event(number, content="x" * 100_000) + "\n" for number in range(500))
    work = home.importing(application, dry_run=True)
    tracemalloc.start()
    try:
        imported = sum(item.count for item in work.run() if item.kind == "message")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert imported == 500
    assert peak < 25_000_000  # the log has 50 MB


def test_an_event_that_was_changed_here_is_kept(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    home.bring(application)
    home.records.messages.edit_message(
        original.CHAT, original.MESSAGE, lambda found: found.replaced(content="Edited here.")
    )
    (kept,) = items(home.bring(application), Status.SKIPPED, "message")
    assert kept.id == original.MESSAGE
    assert home.body("message", f"{original.CHAT}/{original.MESSAGE}")["content"] == "Edited here."


def test_events_without_ids_come_once_each(home: Home, application: Path, original: ModuleType) -> None:
    dice = json.dumps({"type": "dice-roll", "value": 4})
    log(application, original).write_text("\n".join([dice, dice, event(1)]))
    home.bring(application)
    assert len(set(home.events)) == 3
    before = home.everything()
    home.bring(application)
    assert home.everything() == before


def test_a_log_whose_chat_cannot_be_read_is_told_with_its_length(
    home: Home, application: Path, original: ModuleType, items: Items
) -> None:
    (application / "data/chats/index.jsonl").write_text("damaged\n")
    failed = items(home.bring(application), Status.FAILED, "message")
    assert [(item.id, item.count) for item in failed] == [(original.CHAT, 4)]


def test_very_many_damaged_lines_are_counted(home: Home, application: Path, original: ModuleType, items: Items) -> None:
    log(application, original).write_text("damaged\n" * 250)
    failed = items(home.bring(application), Status.FAILED, "message")
    assert len(failed) == 101
    assert sum(item.count for item in failed) == 250
