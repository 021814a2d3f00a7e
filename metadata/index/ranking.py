"""Searching the text: which records have all words of a question, and which of them come first.

Records come in stages: those with the words in a heading (a name, a title) before those that have them elsewhere, and
whole words before beginnings of words before other parts of them. Inside a stage the best come first by BM25, whose
columns weigh what the schemas declare.

A word may be in every record, so no stage looks at more than `RANKED_OF` of its records, the first in order of their
coming. Beginnings and parts of words are phrases of trigrams, whose frequencies SQLite would have to count all over the
index: they are not ranked by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..schemas.fields import HEADING
from . import folding
from .tables import heads_table_of, parts_table_of, text_table_of, weights_of
from .texts import owner_mark, owner_term

if TYPE_CHECKING:
    import sqlite3

    from ..schemas.catalog import Kind

LONGEST = 1000
"""A question of more characters is refused."""
RANKED_CAP = 500
"""As many records at most come ranked (protocols.md, "The index")."""
RANKED_OF = 2000

Part = Callable[[str], str]
"""From a word of the question to the phrase of trigrams that finds it in one way."""

_NOTHING = '"\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"'
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
        table: is asked.
        expression: finds them in it.
        score: the whole words in it, by which they are ranked; empty: they stay in the order of their coming.
    """

    table: str
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
        self.table = parts_table_of(kind)
        """Finds every record that has all words; by `expression`."""
        self._kind = kind
        self._heads = heads_table_of(kind)
        self._tokens = list(dict.fromkeys(folding.tokens(text)))
        self._owner = None if kind.owner is None else owner
        self._words = "{" + " ".join(f"w{weight}" for weight in weights_of(kind)) + "}"
        self._titles = "{" + " ".join(f"w{weight}" for weight in weights_of(kind) if weight >= HEADING) + "}"

    @property
    def expression(self) -> str:
        """What finds every record that has all words, as parts of its own."""
        return self._parts(folding.inside) if self._tokens else _NOTHING

    def ranked(self, db: sqlite3.Connection, narrowing: Narrowing) -> Ranked:
        """Return the best records, `RANKED_CAP` at most."""
        everything = self._find(db, _Stage(self.table, self.expression), narrowing)
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
        sql = f"SELECT count(*) FROM (SELECT 1 {self._source(self.table, narrowing)} LIMIT ?)"
        return int(db.execute(sql, (self.expression, *narrowing.values, most)).fetchone()[0])

    def _stages(self) -> Iterator[_Stage]:
        words, others = text_table_of(self._kind), self._tokens[:-1]
        whole = self._whole(self._words, self._tokens)
        if self._heads is not None:
            titled = self._whole(self._titles, self._tokens)
            # Scoring counts every place of a word: worth it for one word, and where it decides; not for each stage.
            yield _Stage(words, titled, "" if others else titled)
            yield _Stage(self._heads, self._parts(folding.beginning))
            yield _Stage(self._heads, self._parts(folding.inside))
            if others:
                one_in_title = " OR ".join(self._word(self._titles, token) for token in self._tokens)
                yield _Stage(words, f"{whole} AND ({one_in_title})")
        yield _Stage(words, whole, whole)
        # The last word may not have been typed to its end.
        typed = self._whole(self._words, others) if others else ""
        yield _Stage(self.table, self._parts(folding.beginning), typed)

    def _find(self, db: sqlite3.Connection, stage: _Stage, narrowing: Narrowing) -> list[int]:
        words = text_table_of(self._kind)
        found = f"SELECT {stage.table}.rowid AS seq {self._source(stage.table, narrowing)} LIMIT {RANKED_OF}"
        values: tuple[object, ...] = (stage.expression, *narrowing.values)
        if not stage.score:
            return [seq for (seq,) in db.execute(found, values)]
        if stage.score == stage.expression:
            scored = found.replace(" AS seq", f" AS seq, {self._score()} AS score", 1)
        else:
            scored = (
                f"SELECT rowid AS seq, {self._score()} AS score FROM {words} WHERE {words} MATCH ?"
                f" AND +rowid IN ({found})"
            )
            values = (stage.score, *values)
        sql = f"SELECT seq FROM ({scored}) ORDER BY score, seq LIMIT {RANKED_CAP}"
        return [seq for (seq,) in db.execute(sql, values)]

    def _source(self, table: str, narrowing: Narrowing) -> str:
        if not narrowing.where:
            return f"FROM {table} WHERE {table} MATCH ?"
        # The text comes first: led by another index SQLite would look every one of the records up in the text.
        joined = f'{table} CROSS JOIN "k_{self._kind.name}" t ON {table}.rowid = t.seq'
        return f"FROM {joined} WHERE {table} MATCH ? AND {narrowing.where}"

    def _score(self) -> str:
        return f"bm25({', '.join([text_table_of(self._kind), '0', *map(str, weights_of(self._kind))])})"

    def _parts(self, part: Part) -> str:
        found = " AND ".join(f'"{part(token)}"' for token in self._tokens)
        return found if self._owner is None else f'"{owner_mark(self._owner)}" AND {found}'

    def _whole(self, columns: str, tokens: list[str]) -> str:
        found = " AND ".join(self._word(columns, token) for token in tokens)
        return f"({found})" if self._owner is None else f'owner : "{owner_term(self._owner)}" AND ({found})'

    def _word(self, columns: str, token: str) -> str:
        return f'{columns} : "{folding.pairs(token) if folding.is_cjk(token) else token}"'
