"""Other people's code for character cards: a package from PyPI, two from npm behind one process of node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10)
ENTRY = st.fixed_dictionaries(
    {
        "keys": st.lists(TEXT, max_size=2),
        "content": TEXT,
        "extensions": st.dictionaries(NAMES, TEXT, max_size=1),
        "enabled": st.booleans(),
        "insertion_order": st.integers(0, 1000),
        "use_regex": st.just(False),  # noqa: FBT003 - a member of V3 alone
    },
    optional={"name": TEXT, "priority": st.integers(0, 9), "position": st.sampled_from(["before_char", "after_char"])},
)
FIELDS = {
    "name": NAMES,
    **dict.fromkeys(("description", "personality", "scenario", "first_mes", "mes_example"), TEXT),
}
MORE = {
    **dict.fromkeys(("creator_notes", "system_prompt", "post_history_instructions", "creator"), TEXT),
    "character_version": TEXT,
    "alternate_greetings": st.lists(TEXT, max_size=3),
    "tags": st.lists(NAMES, max_size=3),
    "extensions": st.dictionaries(NAMES, st.lists(TEXT, max_size=2), max_size=2),
}
BOOK = {"character_book": st.fixed_dictionaries({"extensions": st.just({}), "entries": st.lists(ENTRY, max_size=2)})}
LATER = {
    "nickname": TEXT,
    "source": st.lists(TEXT, max_size=2),
    "creator_notes_multilingual": st.dictionaries(st.sampled_from(["de", "ko"]), TEXT, max_size=2),
    "creation_date": st.integers(0, 2**40),
    "assets": st.just([{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}]),
}


def _v2(data: dict[str, Any]) -> dict[str, Any]:
    book = data.get("character_book", {"entries": []})
    for entry in book["entries"]:
        entry.pop("use_regex", None)
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": data}


def _v3(data: dict[str, Any]) -> dict[str, Any]:
    return {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}


@pytest.fixture(scope="session")
def v1_cards() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(FIELDS)


@pytest.fixture(scope="session")
def v2_cards() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(FIELDS | MORE, optional=BOOK).map(_v2)


@pytest.fixture(scope="session")
def v3_cards() -> st.SearchStrategy[dict[str, Any]]:
    more = MORE | {"group_only_greetings": st.lists(TEXT, max_size=2)}
    return st.fixed_dictionaries(FIELDS | more, optional=BOOK | LATER).map(_v3)


class Node:
    """A process of node that answers questions about cards."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, name: str, *given: object) -> Any:
        """Return what a function of `answer.mjs` says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *given]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer.get("value")


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    if not (HERE / "node_modules/@risuai/ccardlib").is_dir():
        pytest.skip("the packages are not installed: npm ci --ignore-scripts --prefix tests/interop")
    with subprocess.Popen(
        [program, str(HERE / "answer.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield Node(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
