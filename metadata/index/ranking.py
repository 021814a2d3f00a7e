"""Searching the text: which records have all words of a question, and which of them come first.

Records come in stages: those with the words in a heading (a name, a title) before those that have them elsewhere, and
whole words before beginnings of words before other parts of them. Inside a stage the best come first by BM25, whose
columns weigh what the schemas declare.

A word may be in every record, so no stage ranks more than `RANKED_OF` of its records, the first in order of their
coming. Beginnings and parts of words are phrases of grams, whose frequencies SQLite would have to count all over the
index; such a stage is ranked only if it is no larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..schemas.fields import HEADING
from . import folding
from .tables import text_table_of, weights_of
from .texts import owner_term

if TYPE_CHECKING:
    import sqlite3

    from ..schemas.catalog import Kind

LONGEST = 1000
"""A question of more characters is refused."""
RANKED_CAP = 500
"""As many records at most come ranked (protocols.md, "The index")."""
RANKED_OF = 2000

Part = Callable[[str], str]
"""From a word of the question to the phrase that finds it in one way."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What else the found records have to be: conditions on their row `t`, and the values these bind."""

    where: str = ""
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stage:
    """One way to find records; `words`: by whole words, whose frequencies SQLite knows at once."""

    expression: str
    words: bool


class Search:
    """A question for records of one kind.

    Args:
        kind: has searched fields.
        text: the question; every word of it must be found.
        owner: whose records; None: everybody's.

    Raises:
        InvalidError: the question is too long, or the kind's records have no text to search.
    """

    def __init__(self, kind: Kind, text: str, owner: str | None) -> None:
        if not kind.searched:
            raise InvalidError("These records have no text to search; leave q out.", field="q")
        if len(text) > LONGEST:
            raise InvalidError(
                f"q must not be longer than {LONGEST} characters.", field="q", limit=LONGEST, actual=len(text)
            )
        self.table = text_table_of(kind)
        self._kind = kind
        self._tokens = list(dict.fromkeys(folding.tokens(text)))
        self._owner = "" if owner is None or kind.owner is None else f'owner : "{owner_term(owner)}" AND '
        self._words = "{" + " ".join(f"w{weight}" for weight in weights_of(kind)) + "}"
        self._titles = "{" + " ".join(f"w{weight}" for weight in weights_of(kind) if weight >= HEADING) + "}"

    @property
    def expression(self) -> str | None:
        """What finds every record that has all words, as parts of its own; None when nothing is asked for."""
        return self._all(self._words, "{heads rest}", folding.inside) if self._tokens else None

    def ranked(self, db: sqlite3.Connection, narrowing: Narrowing) -> list[int]:
        """Return the positions of the best records, the best first; `RANKED_CAP` at most."""
        found: dict[int, None] = {}
        for stage in self._stages() if self._tokens else ():
            found |= dict.fromkeys(self._best(db, stage, narrowing))
            if len(found) >= RANKED_CAP:
                break
        return list(found)[:RANKED_CAP]

    def count(self, db: sqlite3.Connection, narrowing: Narrowing, most: int) -> int:
        """Return how many records are found, or `most` if there are more."""
        if self.expression is None:
            return 0
        sql = f"SELECT count(*) FROM (SELECT 1 {self._source(narrowing)} LIMIT ?)"
        return int(db.execute(sql, (self.expression, *narrowing.values, most)).fetchone()[0])

    def _stages(self) -> Iterator[_Stage]:
        grams = "{heads rest}"
        titled = self._titles != "{}"
        if titled:
            yield _Stage(self._all(self._titles, None, folding.pairs), words=True)
            yield _Stage(self._all(self._titles, "{heads}", folding.beginning), words=False)
            yield _Stage(self._all(self._titles, "{heads}", folding.inside), words=False)
        if titled and len(self._tokens) > 1:
            any_title = " OR ".join(self._one(self._titles, "{heads}", folding.inside, one) for one in self._tokens)
            yield _Stage(f"{self._all(self._words, None, folding.pairs)} AND ({any_title})", words=True)
        yield _Stage(self._all(self._words, None, folding.pairs), words=True)
        yield _Stage(self._all(self._words, grams, folding.beginning), words=False)
        yield _Stage(self._all(self._words, grams, folding.inside), words=False)

    def _best(self, db: sqlite3.Connection, stage: _Stage, narrowing: Narrowing) -> list[int]:
        source = self._source(narrowing)
        values = (stage.expression, *narrowing.values)
        if not stage.words:
            sql = f"SELECT {self.table}.rowid {source} LIMIT {RANKED_OF + 1}"
            found = [seq for (seq,) in db.execute(sql, values)]
            if len(found) > RANKED_OF or len(found) <= 1:
                return found[:RANKED_CAP]
        sql = (
            f"SELECT seq FROM (SELECT {self.table}.rowid AS seq, {self._score()} AS score {source} LIMIT {RANKED_OF})"
            f" ORDER BY score, seq LIMIT {RANKED_CAP}"
        )
        return [seq for (seq,) in db.execute(sql, values)]

    def _source(self, narrowing: Narrowing) -> str:
        if not narrowing.where:
            return f"FROM {self.table} WHERE {self.table} MATCH ?"
        # The text comes first: led by another index SQLite would look every one of the records up in the text.
        joined = f'{self.table} CROSS JOIN "k_{self._kind.name}" t ON {self.table}.rowid = t.seq'
        return f"FROM {joined} WHERE {self.table} MATCH ? AND {narrowing.where}"

    def _score(self) -> str:
        weights = weights_of(self._kind)
        return f"bm25({', '.join([self.table, '0', *map(str, weights), str(weights[0]), '1'])})"

    def _all(self, words: str, grams: str | None, part: Part) -> str:
        return self._owner + "(" + " AND ".join(self._one(words, grams, part, token) for token in self._tokens) + ")"

    def _one(self, words: str, grams: str | None, part: Part, token: str) -> str:
        """Return what finds one token: CJK always as pairs, and others as words where no grams are asked for."""
        if folding.is_cjk(token):
            return f'{words} : "{folding.pairs(token)}"'
        return f'{words} : "{token}"' if grams is None else f'{grams} : "{part(token)}"'
