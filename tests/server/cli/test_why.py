"""`calotype why`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.cli.conftest import Invoke


def test_it_says_in_words_what_keeps_a_payload(calo: Invoke, picture: Path) -> None:
    calo("init")
    calo("put", picture)
    (item,) = calo("ls", "--json").json()["items"]
    result = calo("why", item["sha256"])
    assert f"{item['id']}  names it as picture.png" in result.out
    assert "It is kept: 1 record(s) name it." in result.out
    assert calo("why", item["sha256"], "--json").json()["uses"][0]["key"] == item["id"]
    calo("rm", item["id"])
    result = calo("why", item["sha256"])
    assert "Deleted records that can be restored" in result.out
    assert "Nothing uses it." in result.out


def test_a_hash_that_is_none(calo: Invoke) -> None:
    calo("init")
    assert calo("why", "abc").status == 2
    assert "There is no such payload" in calo("why", "0" * 64).out
