"""Whatever is in a card survives: from a file to a character and back, through every container."""

from __future__ import annotations

import base64
import copy
import io
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from assets.cards.card import Card, is_card
from assets.cards.chunks import walk
from assets.cards.identity import picture_identity
from assets.cards.mapping import card_tags, character_fields, compose
from assets.cards.reading import read_card
from assets.cards.specs import V1_FIELDS
from assets.cards.text import encode_json
from assets.cards.writing import to_json, write_charx, write_png

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from assets.cards.specs import Written

TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
UNKNOWN = st.dictionaries(st.text(min_size=1, max_size=8).map("x_".__add__), VALUES, max_size=3)
ENTRIES = st.builds(
    lambda known, unknown: known | unknown,
    st.fixed_dictionaries({"keys": st.lists(TEXT, max_size=2), "content": TEXT, "use_regex": st.booleans()}),
    UNKNOWN,
)
V1 = st.fixed_dictionaries(dict.fromkeys(V1_FIELDS, TEXT))
DATA = st.builds(
    lambda first, more, unknown: first | more | unknown,
    V1,
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("creator_notes", "system_prompt", "post_history_instructions", "nickname"), TEXT),
            "alternate_greetings": st.lists(TEXT, max_size=3),
            "tags": st.lists(TEXT, max_size=3),
            "extensions": UNKNOWN,
            "character_book": st.fixed_dictionaries({"entries": st.lists(ENTRIES, max_size=3), "extensions": UNKNOWN}),
            "creation_date": st.integers(),
        },
    ),
    UNKNOWN,
)
FLAT = st.builds(lambda first, unknown: first | unknown, V1, UNKNOWN)
NESTED = st.builds(
    lambda spec, data, mirrors, unknown: {"spec": spec[0], "spec_version": spec[1], "data": data} | mirrors | unknown,
    st.sampled_from([("chara_card_v2", "2.0"), ("chara_card_v3", "3.0"), ("chara_card_v3", "3.2")]),
    DATA,
    V1 | st.just({}),
    UNKNOWN,
)
CARDS = FLAT | NESTED
KINDS = st.sampled_from([("tEXt", True), ("zTXt", True), ("iTXt", True), ("iTXt", False)])
KEYWORDS = st.sampled_from(["chara", "ccv3", "Chara", "CCV3"])
# Any ancillary chunk that is no card's: a name with its third letter large, any bytes.
FOREIGN = st.lists(
    st.tuples(st.sampled_from([b"gAMA", b"tIME", b"prVt", b"tEXt", b"zTXt", b"iTXt"]), st.binary(max_size=20)),
    max_size=3,
)
KNOWN = (
    *V1_FIELDS,
    *("char_name", "tags", "extensions", "character_book", "assets", "nickname", "alternate_greetings"),
)
# What a member should not be, and what looks like what it should be.
NEARLY: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, 0, -1.5, True, "", "x", [], {}, [None, "a", 3], {"a": None}, [[]]),
        *([{"uri": 5}, {"uri": "embeded://x", "type": None}, {"uri": "data:,x"}], {"entries": None}),
        *({"entries": [None, {"keys": 1}]}, {"risuai": {"emotions": [[1, 2], ["a", "__asset:1"]]}}, {"calotype": 1}),
    ]
)
ODD = st.dictionaries(st.sampled_from(KNOWN), NEARLY, max_size=8)
SPECS: list[Written] = ["v2", "v3"]


def file_with(
    building: ModuleType, texts: list[bytes], foreign: list[tuple[bytes, bytes]], *, after: bool
) -> tuple[bytes, bytes]:
    """A picture with texts among foreign chunks, and the same without the texts."""
    kept = [building.chunk(name, content) for name, content in foreign]
    both = [*kept[:1], *texts, *kept[1:]]
    with_texts = building.png([], both) if after else building.png(both)
    return with_texts, building.png([], kept) if after else building.png(kept)


def survives(before: Any, after: Any) -> bool:
    """Whether every member is where it was, with nothing but members added."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and survives(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(survives, before, after))
    return bool(before == after)


def expected(document: Mapping[str, Any]) -> dict[str, Any]:
    """What of a card must be found in any card made of it."""
    if "data" in document:
        return {name: value for name, value in document.items() if name not in {"spec", "spec_version"}}
    fields = {name: value for name, value in document.items() if name in V1_FIELDS}
    return {"data": fields, **{name: value for name, value in document.items() if name not in V1_FIELDS}}


@given(CARDS, KINDS, KEYWORDS, FOREIGN, st.booleans())
def test_what_stands_in_a_picture_is_read(
    building: ModuleType,
    document: dict[str, Any],
    kind: tuple[str, bool],
    keyword: str,
    foreign: list[tuple[bytes, bytes]],
    after: bool,  # noqa: FBT001 - from hypothesis
) -> None:
    text = building.text(keyword, base64.b64encode(encode_json(document)), kind[0], packed=kind[1])
    data, bare = file_with(building, [text], foreign, after=after)
    found = read_card(io.BytesIO(data))
    assert found.card.document == document
    assert found.picture_identity == picture_identity(io.BytesIO(bare))


@given(KINDS, KINDS, KEYWORDS, st.permutations([0, 1]), st.booleans())
def test_ccv3_wins(
    building: ModuleType,
    kind: tuple[str, bool],
    other: tuple[str, bool],
    keyword: str,
    order: list[int],
    after: bool,  # noqa: FBT001 - from hypothesis
) -> None:
    new = building.text("ccv3", building.encoded(building.V3), kind[0], packed=kind[1])
    old = building.text(keyword.replace("ccv3", "chara"), building.encoded(building.V2), other[0], packed=other[1])
    if keyword == "CCV3":  # with two of them, the one that stands last
        order = [1, 0]
    texts = [(new, old)[at] for at in order]
    found = read_card(io.BytesIO(building.png([], texts) if after else building.png(texts[:1], texts[1:])))
    assert found.card.document == building.V3


@given(CARDS, KINDS, FOREIGN, st.booleans())
def test_a_picture_comes_back_with_everything(
    building: ModuleType,
    document: dict[str, Any],
    kind: tuple[str, bool],
    foreign: list[tuple[bytes, bytes]],
    after: bool,  # noqa: FBT001 - from hypothesis
) -> None:
    text = building.text("chara", base64.b64encode(encode_json(document)), kind[0], packed=kind[1])
    data, bare = file_with(building, [text], foreign, after=after)
    found = read_card(io.BytesIO(data))
    before = copy.deepcopy(document)
    character = character_fields(found.card)
    cards = [compose(character, spec=spec) for spec in SPECS]
    out = io.BytesIO()
    write_png(io.BytesIO(data), cards[0], cards[1], out)
    assert [chunk.card_keyword for chunk in walk(out) if chunk.card_keyword] == ["chara", "ccv3"]
    again = read_card(out)
    assert again.card == cards[1]
    assert again.picture_identity == picture_identity(io.BytesIO(bare))
    for card in cards:
        assert survives(expected(document), card.document)
    assert character_fields(again.card)["firstMessage"] == character["firstMessage"]
    assert document == before  # what was stored was not changed on the way


@given(CARDS)
def test_a_file_of_its_own_specification_is_the_same_again(document: dict[str, Any]) -> None:
    card = Card(document)
    if card.spec == "v1":
        return
    once = compose(character_fields(card), spec="v2" if card.spec == "v2" else "v3")
    assert survives(document, once.document)
    twice = compose(character_fields(once), spec="v2" if card.spec == "v2" else "v3")
    assert twice.document == once.document
    for data in (to_json(once), charx(once)):
        again = read_card(io.BytesIO(data)).card
        assert survives(expected(once.document), again.document)


@given(CARDS, st.dictionaries(st.sampled_from(["description", "firstMessage", "systemPrompt"]), TEXT), st.lists(TEXT))
def test_edits_show_and_nothing_else_changes(document: dict[str, Any], edits: dict[str, str], tags: list[str]) -> None:
    names = {"description": "description", "firstMessage": "first_mes", "systemPrompt": "system_prompt"}
    character = character_fields(Card(document))
    for spec in SPECS:
        plain = compose(character, spec=spec)
        edited = compose(character | edits, spec=spec, tags=tags)
        for field, text in edits.items():
            assert edited.data[names[field]] == text or (character.get(field) or "") == text
        changed = {*(names[field] for field in edits), "tags"}
        assert {name: value for name, value in edited.data.items() if name not in changed} == {
            name: value for name, value in plain.data.items() if name not in changed
        }


@given(
    st.builds(
        lambda flat, data: flat | data, ODD, st.just({}) | ODD.map(lambda data: {"spec": "chara_card_v2", "data": data})
    )
)
def test_members_of_any_type_harm_nobody(building: ModuleType, document: dict[str, Any]) -> None:
    """What a card is called and asked for may be anything: it is read, mapped and written all the same."""
    if not is_card(document):
        return
    found = read_card(io.BytesIO(encode_json(document)))
    fields = character_fields(found.card)
    assert all(isinstance(fields[name], str) for name in ("name", "description", "firstMessage"))
    tags = card_tags(found.card)
    cards = [compose(fields | {"title": "t", "description": "new"}, spec=spec, tags=["x", *tags]) for spec in SPECS]
    out = io.BytesIO()
    write_png(io.BytesIO(building.png()), cards[0], cards[1], out, assets=found.assets)
    assert read_card(out).card == cards[1]
    packed = io.BytesIO()
    write_charx(cards[1], found.assets, packed)
    assert read_card(packed).card.data["description"] == "new"


def charx(card: Card) -> bytes:
    out = io.BytesIO()
    write_charx(card, [], out)
    return out.getvalue()
