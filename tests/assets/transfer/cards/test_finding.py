"""Which files are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assets.transfer.cards.finding import offers_in

if TYPE_CHECKING:
    from pathlib import Path


def test_files_that_are_named_and_what_may_be_a_card_in_folders(tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    for name in ("b.PNG", "a.json", "notes.txt", ".hidden.png", "deep/er/c.charx", "deep/d.webp"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (folder / "round").symlink_to(folder)
    named = tmp_path / "card"
    found = [(offer.place, offer.named) for offer in offers_in([named, folder])]
    inside = [str(folder / name) for name in ("a.json", "b.PNG", "deep/d.webp", "deep/er/c.charx")]
    assert found == [(str(named), True), *((place, False) for place in inside)]
