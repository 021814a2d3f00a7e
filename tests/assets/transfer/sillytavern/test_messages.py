"""What was said: alternatives, attachments, order; completed and not doubled when the chat went on there."""

from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from assets.transfer.events import AT_ONCE
from assets.transfer.report import Status

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Brought, Home, Pick

CHAT = "Seraphina - 2023-6-19@16h07m12s"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A user's folder with nothing in it."""
    for name in ("characters", "chats/Seraphina", "user/images"):
        (tmp_path / "user" / name).mkdir(parents=True)
    return tmp_path / "user"


def write(user: Path, content: bytes, name: str = "One") -> None:
    (user / f"chats/Seraphina/{name}.jsonl").write_bytes(content)


def texts(home: Home, chat: str = "One") -> list[str]:
    return [event["content"] for event in home.events(chat)]


def test_a_message_keeps_all_it_had(brought: Brought) -> None:
    home = brought.home
    halt, welcome, hello, look, after = home.events(CHAT)
    assert [one["content"] for one in (halt, welcome, hello, look, after)] == [
        *("Halt!", "Welcome.", "Hello.", "Look.", "After.")
    ]
    assert [one["role"] for one in (halt, hello)] == ["ASSISTANT", "USER"]
    assert halt["swipeGroupId"] == welcome["swipeGroupId"]
    assert (halt["swipeIndex"], welcome["swipeIndex"]) == (0, 1)
    assert "swipeGroupId" not in hello
    chat = home.one("chat", title=CHAT)["id"]
    assert home.store.messages.chosen_swipe(chat, halt["id"]).to_record()["content"] == "Welcome."
    assert (welcome["createdAt"], after["createdAt"]) == ("2023-06-19T16:07:00.000Z", "2023-06-19T16:07:12.000Z")
    assert welcome["rawResponse"]["sillyTavern"]["send_date"] == "June 19, 2023 4:07pm"
    assert home.one("chat", title=CHAT)["messageCount"] == 5


def test_what_was_attached_comes_with_its_message(brought: Brought, pick: Pick) -> None:
    home, report = brought.home, brought.report
    _, welcome, hello, look, _ = home.events(CHAT)
    picture, notes = home.asset("user/images/Seraphina/1.png"), home.asset("user/files/n.txt")
    assert welcome["attachments"] == [picture["id"]]
    assert (picture["type"], picture["messageId"]) == ("image", welcome["id"])
    assert hello["attachments"] == [notes["id"]]
    first = home.events("First steps")[0]
    assert first["attachments"] == [notes["id"]]
    assert (notes["type"], notes["messageId"]) == ("chat_file", first["id"])  # of the first chat that names it
    (inline,) = [home.store.images.get(one) for one in look["attachments"]]
    assert inline.width == 1
    kept = look["rawResponse"]["sillyTavern"]["extra"]["media"][0]["url"]
    assert kept == f"/blobs/{inline.sha256}"
    (missing,) = [item for item in pick(report, Status.IMPORTED, "message") if item.notes]
    assert "/user/images/gone.png is not in the folder." in missing.notes


def test_a_picture_that_was_missing_comes_later(home: Home, tavern: Path) -> None:
    home.bring(tavern)
    (tavern / "user/images/gone.png").write_bytes(b"found again")
    assert home.bring(tavern).totals["message"][Status.IMPORTED] == 1
    assert len(home.events("First steps")[1]["attachments"]) == 1
    assert home.bring(tavern).total(Status.IMPORTED) == 0


def test_a_chat_that_went_on_is_completed(home: Home, empty: Path, folders: ModuleType, pick: Pick) -> None:
    said, log = folders.said, folders.log
    first = said("a", send_date="2024-01-01T10:00:00Z", swipes=["a"], swipe_id=0)
    second = said("b", user=True, send_date="2024-01-01T10:01:00Z")
    last = said("c", send_date="2024-01-01T10:02:00Z", swipes=["c"], swipe_id=0)
    write(empty, log([folders.OLD_HEADER, first, second, last]))
    home.bring(empty)
    later = {"send_date": "2024-01-01T10:05:00Z"}
    infos = [{"send_date": last["send_date"]}, later]
    swiped = {**last, **later, "mes": "C", "swipes": ["c", "C"], "swipe_id": 1, "swipe_info": infos}
    # One line went, one was edited, the last was swiped, and one more was said.
    write(empty, log([folders.HEADER, {**second, "mes": "B"}, swiped, said("d", user=True, send_date=1704103600000)]))
    report = home.bring(empty)
    assert texts(home) == ["a", "b", "c", "C", "d"]
    events = home.events("One")
    assert events[2]["swipeGroupId"] == events[3]["swipeGroupId"]
    chat = events[0]["chatId"]
    assert home.store.messages.chosen_swipe(chat, events[2]["id"]).to_record()["content"] == "C"
    assert len(pick(report, Status.SKIPPED, "message")) == 1


def test_lines_that_nothing_tells_apart_come_each(home: Home, empty: Path, folders: ModuleType) -> None:
    same = [folders.said("a"), folders.said("a"), folders.said("a", user=True), folders.said("b")]
    write(empty, folders.log(same))
    home.bring(empty)
    assert texts(home) == ["a", "a", "a", "b"]
    write(empty, folders.log([*same, folders.said("b")]))
    home.bring(empty)
    assert texts(home) == ["a", "a", "a", "b", "b"]


def test_dates_that_are_missing_are_those_before(home: Home, empty: Path, folders: ModuleType) -> None:
    lines = [folders.said("a"), folders.said("b", send_date=1704103600000), folders.said("c", send_date="yesterday")]
    write(empty, folders.log(lines), "2023-6-19@16h07m12s")
    home.bring(empty)
    dates = [event["createdAt"] for event in home.events("2023-6-19@16h07m12s")]
    assert dates == [folders.LONG_AGO, "2024-01-01T10:06:40.000Z", "2024-01-01T10:06:40.000Z"]


def test_a_log_longer_than_one_write_keeps_its_order(home: Home, empty: Path, folders: ModuleType) -> None:
    write(empty, folders.long_log(AT_ONCE + 100))
    home.bring(empty)
    shown = [one for one in texts(home) if one.startswith("Line")]
    assert shown == [f"Line {n}" for n in range(AT_ONCE + 100)]


def test_memory_does_not_grow_with_a_log(home: Home, empty: Path, folders: ModuleType, scale: int) -> None:
    line = json.dumps(folders.said("x" * 100_000)).encode() + b"\n"
    with (empty / "chats/Seraphina/Long.jsonl").open("wb") as file:
        file.writelines(line for _ in range(400 * scale))
    work = home.importing(empty, dry_run=True)
    tracemalloc.start()
    try:
        count = sum(item.count for item in work.run() if item.kind == "message")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 400 * scale
    assert peak < 25_000_000  # the log has 40 MB


def test_what_cannot_be_attached_is_told_and_the_message_comes(
    home: Home, empty: Path, folders: ModuleType, pick: Pick
) -> None:
    extras: list[dict[str, Any]] = [
        {"image": "https://example.org/a.png"},
        {"image": "data:image/png;base64,@@@@"},
        {"image": "data:image/png;base64,"},
        {"image": "/user/images/empty.png"},
        {"file": {"url": "/user/images/" + "long" * 50}},
    ]
    (empty / "user/images/empty.png").touch()
    write(empty, folders.log([folders.said(str(n), extra=extra) for n, extra in enumerate(extras)]))
    report = home.bring(empty)
    notes = [item.notes[0] for item in pick(report, Status.IMPORTED, "message") if item.notes]
    assert texts(home) == ["0", "1", "2", "3", "4"]
    assert "on another server" in notes[0]
    assert "damaged" in notes[1]
    assert "empty" in notes[2]
    assert "empty" in notes[3]
    assert notes[4].endswith("… is not in the folder.")
