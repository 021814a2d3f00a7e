"""Drawn stand-ins."""

from __future__ import annotations

import hashlib
from xml.etree import ElementTree as ET

import pytest

from server.standins import StandIn, draw

HASHES = [hashlib.sha256(bytes([number])).hexdigest() for number in range(200)]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("kind", [StandIn.PERSON, StandIn.IDENTICON, StandIn.BLANK])
def test_they_are_well_formed_of_the_right_size_and_without_anything_active(kind: StandIn) -> None:
    root = ET.fromstring(draw(kind, HASHES[0], 96))  # noqa: S314 - our own
    assert (root.tag, root.get("width"), root.get("height")) == (f"{SVG}svg", "96", "96")
    assert {each.tag for each in root.iter()} <= {SVG + name for name in ("svg", "rect", "circle", "path")}
    assert draw(kind, HASHES[0], 96) == draw(kind, HASHES[0], 96)


def test_everybody_has_another_pattern_mirrored_and_never_an_empty_one() -> None:
    drawn = [draw(StandIn.IDENTICON, each, 96) for each in HASHES]
    assert len(set(drawn)) == len(HASHES)
    for each in drawn:
        tiles = {
            (float(tile.get("x", 0)) + 6, tile.get("y"), tile.get("fill"))
            for tile in ET.fromstring(each).iter(f"{SVG}rect")  # noqa: S314 - our own
            if tile.get("rx")
        }
        assert tiles
        assert {(80 - x, y, fill) for x, y, fill in tiles} == tiles


def test_one_person_for_all_and_nothing_in_a_blank() -> None:
    assert len({draw(StandIn.PERSON, each, 96) for each in HASHES}) == 1
    assert len(ET.fromstring(draw(StandIn.BLANK, HASHES[0], 10))) == 0  # noqa: S314 - our own
