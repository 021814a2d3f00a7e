"""Items, their document and the totals."""

from __future__ import annotations

from assets.transfer.report import Item, Report, Status


def test_a_report_counts_by_kind_and_status() -> None:
    report = Report()
    report.add(Item("tag", Status.IMPORTED, "tags.json"))
    report.add(Item("message", Status.IMPORTED, "a.jsonl", count=40))
    report.add(Item("message", Status.FAILED, "a.jsonl:3", why="It is not JSON."))
    assert report.total(Status.IMPORTED) == 41
    document = report.document()
    assert document["totals"] == {"tag": {"imported": 1}, "message": {"imported": 40, "failed": 1}}
    assert (document["imported"], document["same"], document["failed"]) == (41, 0, 1)


def test_an_items_document_leaves_out_what_says_nothing() -> None:
    assert Item("tag", Status.SAME, "p").document() == {"kind": "tag", "status": "same", "place": "p"}
    full = Item("tag", Status.REMAPPED, "p", "1", "Forest", "2", "why", ("note",), 3).document()
    assert full == {
        "kind": "tag",
        "status": "remapped",
        "place": "p",
        "id": "1",
        "name": "Forest",
        "newId": "2",
        "why": "why",
        "notes": ["note"],
        "count": 3,
    }
