"""Whatever a folder holds, an import ends with a report, and a second one changes nothing."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from .conftest import Home

SHARE = 0.04
"""Of all values, how many become another, and twice as many as of all members are lost."""


def damaged(value: Any, chance: random.Random, others: list[Any]) -> Any:
    """Return a value with some of what is in it replaced, lost or repeated."""
    if chance.random() < SHARE:
        return chance.choice(others)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if chance.random() > SHARE / 2}
        return {name: damaged(one, chance, others) for name, one in kept.items()}
    if isinstance(value, list):
        items = [damaged(one, chance, others) for one in value]
        return [*items, *items[:1]] if chance.random() < SHARE else items
    return value


def damage(data: Path, chance: random.Random, others: list[Any]) -> None:
    for path in sorted(data.rglob("*.json*")):
        lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
        content = "\n".join(json.dumps(damaged(json.loads(line), chance, others)) for line in lines).encode()
        if content and chance.random() < SHARE * 3:
            place = chance.randrange(len(content))
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
        path.write_bytes(content)


@pytest.mark.heavy
@pytest.mark.parametrize("generation", ["application", "later_application"])
def test_no_damage_ends_an_import_and_a_second_one_changes_nothing(
    homes: Callable[[], Home],
    original: ModuleType,
    request: pytest.FixtureRequest,
    generation: str,
    scale: int,
) -> None:
    data: Path = request.getfixturevalue(generation) / "data"
    sound = {path: path.read_bytes() for path in data.rglob("*.json*")}
    plain: list[Any] = [
        None,
        7,
        -1,
        1.5,
        True,
        "",
        "x",
        [],
        {},
        [None],
        ["x"],
        [{}],
        {"a": 1},
        "\ud800",
        "../..",
        "a" * 5000,
    ]
    others = [*plain, original.USER, original.CHARACTER, original.TAG, original.NOW]
    for seed in range(5 * scale):
        for path, content in sound.items():
            path.write_bytes(content)
        damage(data, random.Random(seed), others)  # noqa: S311 - damage, no secret
        home = homes()
        json.dumps(home.bring(data).document())
        before = home.everything()
        home.bring(data)
        assert home.everything() == before, seed
