"""References of a record that comes from elsewhere, made to name what is here.

Which members refer to what is the schema's to say, so an importer need not know it.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metadata.documents.contract import Record
    from metadata.schemas.catalog import Kind


def rewritten(
    kind: Kind, record: Record, resolve: Callable[[Sequence[str], str], str | None]
) -> tuple[Record, list[str]]:
    """Return a copy whose references name what is here, and a sentence for each that names nothing and was left out.

    The owner's member and references into another record's log are left to the caller. A reference that may be to one
    of several kinds (an asset's tags) and names nothing is kept, as the data format has it.

    Args:
        kind: the record's kind.
        record: the record as it is elsewhere.
        resolve: finds the id here of what an id there names, None when that is nothing.
    """
    body, notes = deepcopy(record), []
    for ref in kind.refs:
        if ref.path == (kind.owner,) or ref.to == "message":
            continue
        found = {target: _meant(ref.target_kind(body, target), ref.targets) for target in ref.values(body)}
        answers = {target: resolve(kinds, target) for target, kinds in found.items()}
        for target, answer in answers.items():
            if answer is None and ref.to is not None:
                body = ref.without(body, target) or body
                notes.append(f"{ref.name} named {target}, which is not there, and was left out.")
        moved = {target: answer for target, answer in answers.items() if answer not in (None, target)}
        if moved:
            _replace(body, ref.path, moved)
            _rename(body, ref.types, moved)
    return body, notes


def _meant(kind: str | None, targets: Sequence[str]) -> Sequence[str]:
    return targets if kind is None else (kind,)


def _rename(body: Record, member: str | None, moved: dict[str, Any]) -> None:
    types = body.get(member) if member is not None else None
    if isinstance(types, dict):
        body[str(member)] = {moved.get(key, key): value for key, value in types.items()}


def _replace(value: Any, path: tuple[str, ...], moved: dict[str, Any]) -> None:  # noqa: ANN401 - JSON
    head, rest = path[0], path[1:]
    if isinstance(value, list) and head == "*":
        for place, item in enumerate(value):
            if rest:
                _replace(item, rest, moved)
            elif isinstance(item, str):
                value[place] = moved.get(item, item)
        if not rest:
            value[:] = list(dict.fromkeys(map(str, value)))  # two names of one thing have become one
    elif isinstance(value, dict) and head in value:
        if rest:
            _replace(value[head], rest, moved)
        elif isinstance(value[head], str):
            value[head] = moved.get(value[head], value[head])
