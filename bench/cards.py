"""Characters as people have them: cards of 2 to 6 kB, mostly English, some Japanese or Chinese, with tags and pictures.

Words come with the frequencies of natural language (Zipf), so that some are in every card and most in a few. The same
seed gives the same cards.
"""

from __future__ import annotations

import json
import random
import uuid
from bisect import bisect
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SEED = 20_261
VOCABULARY = 30_000
COMMON = ("the", "and", "of", "to", "a", "in", "is", "her", "his", "you", "with", "that", "she", "he", "they", "for")
_ONSETS = (
    "",
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "v",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou", "é")
_CODAS = ("", "n", "r", "s", "l", "nd", "rt", "ck", "m")
_HAN = "桜花龍猫魔女王姫剣士学園月夜空海山川東京都会社先生友達物語世界秘密約束時間記憶少年少女冒険森林古城"
_KANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのまみむめもやゆよらりるれろわをん"
_CJK_SHARE = 0.1
_MANY_DAYS = 300


class Cards:
    """Makes characters of one owner.

    Args:
        owner: the owner's id.
        tags: ids of tags.
        pictures: ids of assets; every second card has one.
    """

    def __init__(self, owner: str, tags: Sequence[str], pictures: Sequence[str]) -> None:
        self._owner = owner
        self._tags = tags
        self._pictures = pictures
        self._random = random.Random(SEED)  # noqa: S311 - not a secret
        invented = dict.fromkeys(self._invented() for _ in range(2 * VOCABULARY))
        self.words = [*COMMON, *list(invented)[:VOCABULARY]]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.words))))

    def make(self, count: int) -> Iterator[dict[str, object]]:
        """Yield characters as records."""
        for number in range(count):
            yield self._card(number)

    def _card(self, number: int) -> dict[str, object]:
        chance = self._random
        prose = self._chinese if chance.random() < _CJK_SHARE else self._prose
        moment = (
            f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:00.{number % 1000:03}Z"
        )
        record: dict[str, object] = {
            "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "userId": self._owner,
            "name": " ".join(self._name() for _ in range(chance.randint(1, 2))),
            "title": prose(4),
            "description": prose(chance.randint(40, 250)),
            "personality": prose(chance.randint(20, 120)),
            "scenario": prose(chance.randint(20, 120)),
            "firstMessage": prose(chance.randint(30, 180)),
            "exampleDialogues": prose(chance.randint(0, 120)),
            "isFavorite": number % 20 == 0,
            "personaLinks": [],
            "tags": chance.sample(self._tags, chance.randint(3, 12)),
            "avatarOverrides": [],
            "createdAt": moment,
            "updatedAt": moment,
        }
        if self._pictures and number % 2:
            record["defaultImageId"] = self._pictures[number % len(self._pictures)]
        return record

    def _invented(self) -> str:
        chance = self._random
        syllables = (chance.choice(_ONSETS) + chance.choice(_VOWELS) + chance.choice(_CODAS) for _ in range(9))
        return "".join(part for part, _ in zip(syllables, range(chance.randint(1, 4)), strict=False))

    def _name(self) -> str:
        if self._random.random() < _CJK_SHARE:
            return "".join(self._random.choices(_HAN, k=self._random.randint(2, 3)))
        return self._random.choice(self.words[len(COMMON) :]).capitalize()

    def _word(self) -> str:
        return self.words[bisect(self._weights, self._random.random() * self._weights[-1])]

    def _prose(self, count: int) -> str:
        return " ".join(self._word() for _ in range(count)).capitalize() + "."

    def _chinese(self, count: int) -> str:
        return "".join(self._random.choices(_HAN + _KANA, k=count)) + "。"


def write_cards(folder: Path, cards: Iterator[dict[str, object]]) -> int:
    """Write each card into a file of its own, as another program would; return how many bytes they have."""
    size = 0
    for card in cards:
        data = json.dumps(card, ensure_ascii=False).encode()
        (folder / f"{card['id']}.json").write_bytes(data)
        size += len(data)
    return size
