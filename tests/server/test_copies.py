"""Copies of what was fetched."""

from __future__ import annotations

import io

from server.copies import Copies


def test_each_is_a_file_of_its_own_and_all_go() -> None:
    copies = Copies()
    one, two = (copies.keep("a.png", lambda: io.BytesIO(b"bytes")) for _ in range(2))
    assert one != two
    assert (one.read_bytes(), one.name.endswith("-a.png")) == (b"bytes", True)
    copies.close()
    assert not one.parent.exists()
    copies.close()
