"""Searching the text: which records have all words of a question, and which of them come first.

Records come in stages: those with the words in a heading (a name, a title) before those that have them elsewhere, and
whole words before beginnings of words before other parts of them. Inside a stage the best come first by BM25, whose
columns weigh what the schemas declare.

A word may be in every record, so no stage looks at more than `RANKED_OF` of its records, the first in order of their
coming. Beginnings and parts of words are phrases of grams, whose frequencies SQLite would have to count all over the
index: they are not ranked by.
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
"""From a word of the question to the phrase of grams that finds it in one way."""

Within = Callable[[str, "Part | None"], str]
"""From a word of the question to what finds it in some columns; without a way to find parts, as a whole word."""

_NOTHING = '"\N{NO-BREAK SPACE}"'
"""An expression that finds nothing: no term is this."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What else the found records have to be: conditions on their row `t`, and the values these bind."""

    where: str = ""
    values: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stage:
    """One way to find records.

    Attributes:
        expression: finds them.
        score: the whole words in it, by which they are ranked; empty: they stay in the order of their coming.
    """

    expression: str
    score: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """The best records by their positions, the best first, and how many there are, up to one more than the cap."""

    best: list[int]
    count: int


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
    def expression(self) -> str:
        """What finds every record that has all words, as parts of its own."""
        return self._all(self._in_any, folding.inside) if self._tokens else _NOTHING

    def ranked(self, db: sqlite3.Connection, narrowing: Narrowing) -> Ranked:
        """Return the best records, `RANKED_CAP` at most."""
        everything = self._find(db, _Stage(self.expression), narrowing)
        if not everything:
            return Ranked([], 0)
        found: dict[int, None] = {}
        for stage in self._stages():
            if len(found) >= min(len(everything), RANKED_CAP):
                break
            found |= dict.fromkeys(self._find(db, stage, narrowing))
        best = list(found | dict.fromkeys(everything))
        return Ranked(best[:RANKED_CAP], min(len(everything), RANKED_CAP + 1))

    def count(self, db: sqlite3.Connection, narrowing: Narrowing, most: int) -> int:
        """Return how many records are found, or `most` if there are more."""
        sql = f"SELECT count(*) FROM (SELECT 1 {self._source(narrowing)} LIMIT ?)"
        return int(db.execute(sql, (self.expression, *narrowing.values, most)).fetchone()[0])

    def _stages(self) -> Iterator[_Stage]:
        titled = self._titles != "{}"
        if titled:
            words = self._all(self._in_titles, None)
            yield _Stage(words, words)
            yield _Stage(self._all(self._in_titles, folding.beginning))
            yield _Stage(self._all(self._in_titles, folding.inside))
        others = self._tokens[:-1]
        words = self._all(self._in_any, None)
        if titled and others:
            any_title = " OR ".join(self._in_titles(token, folding.inside) for token in self._tokens)
            yield _Stage(f"{words} AND ({any_title})", words)
        yield _Stage(words, words)
        # The last word may not have been typed to its end.
        typed = self._all(self._in_any, None, others) if others else ""
        yield _Stage(self._all(self._in_any, folding.beginning), typed)

    def _find(self, db: sqlite3.Connection, stage: _Stage, narrowing: Narrowing) -> list[int]:
        found = f"SELECT {self.table}.rowid AS seq {self._source(narrowing)} LIMIT {RANKED_OF}"
        values: tuple[object, ...] = (stage.expression, *narrowing.values)
        if not stage.score:
            return [seq for (seq,) in db.execute(found, values)]
        if stage.score == stage.expression:
            scored = found.replace(" AS seq", f" AS seq, {self._score()} AS score", 1)
        else:
            scored = (
                f"SELECT rowid AS seq, {self._score()} AS score FROM {self.table} WHERE {self.table} MATCH ?"
                f" AND +rowid IN ({found})"
            )
            values = (stage.score, *values)
        sql = f"SELECT seq FROM ({scored}) ORDER BY score, seq LIMIT {RANKED_CAP}"
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

    def _all(self, within: Within, part: Part | None, some: list[str] | None = None) -> str:
        found = [within(token, part) for token in (self._tokens if some is None else some)]
        return f"{self._owner}({' AND '.join(found)})"

    def _in_titles(self, token: str, part: Part | None) -> str:
        if part is None or folding.is_cjk(token):
            return f'{self._titles} : "{folding.pairs(token) if folding.is_cjk(token) else token}"'
        return f'heads : "{folding.in_heading(part(token))}"'

    def _in_any(self, token: str, part: Part | None) -> str:
        if part is None or folding.is_cjk(token):
            return f'{self._words} : "{folding.pairs(token) if folding.is_cjk(token) else token}"'
        return f'(heads : "{folding.in_heading(part(token))}" OR rest : "{part(token)}")'
