"""`calotype key`: the master key that seals API keys and other secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metadata.errors import InvalidError
from metadata.keys import PATH
from metadata.rotation import ORIGINAL

from .options import AsJson, DataDir
from .output import Output
from .places import open_folder

if TYPE_CHECKING:
    from ..vault import Vault

Yes = Annotated[bool, typer.Option("--yes", help="The old key is lost for good.")]


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="Show and change the master key that seals API keys.")
    for command in (show, rotate, new):
        app.command()(command)
    return app


def show(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the keys by their ids, and how many values each has sealed.

    The keys themselves are never shown; the one in the folder is the file secrets/master.key.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output, keyless=True) as store:
        rows = _rows(store.inside.vault)
    if as_json:
        output.document({"keys": [dict(zip(("keyId", "place", "values"), row, strict=True)) for row in rows]})
    else:
        output.table(("key", "where", "values"), [(key_id or "-", place, str(count)) for key_id, place, count in rows])


def rotate(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Seal everything with a new key, all or nothing.

    A server may go on running. Cut off, it is finished when the folder is next opened. A key from CALOTYPE_MASTER_KEY
    is changed by putting the new one before the old one there, separated by a blank, before this command, and taking
    the old one away after it.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output, keyless=True) as store:
        vault = store.inside.vault
        done = vault.rotation.rotate()
        outside = bool(vault.keys.given)
    if as_json:
        output.document({"keyId": done.key_id, "renewed": done.renewed, "left": done.left})
        return
    output.line(f"Key {done.key_id} seals now. Values sealed anew: {done.renewed}.")
    if done.left:
        output.note(f"Values that cannot be opened, left as they were, to be entered again: {done.left}.")
    if outside:
        output.note("The key comes from CALOTYPE_MASTER_KEY or its file; take older keys away there.")
    else:
        output.note(f"Keep a copy of {PATH} in a safe place, apart from the backups.")


def new(*, yes: Yes = False, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a key in place of one that is lost for good.

    What it sealed stays, cannot be opened, and has to be entered again. `rotate` is for all other cases.
    """
    if not yes:
        raise InvalidError(
            "Only for a key that is lost for good: what it sealed has to be entered again. Repeat with --yes if so.",
            field="yes",
        )
    output = Output(as_json=as_json)
    with open_folder(data_dir, output, keyless=True) as store:
        key_id = store.inside.vault.keys.replace_lost().id
    if as_json:
        output.document({"keyId": key_id})
    else:
        output.line(f"Key {key_id} seals from now on.")


def _rows(vault: Vault) -> list[tuple[str, str, int]]:
    survey = dict(vault.rotation.survey())
    ring = vault.keys.ring().keys
    rows = [(key.id, "setting" if key in vault.keys.given else PATH, survey.pop(key.id, 0)) for key in ring]
    rows += [("", "the original's", survey.pop(ORIGINAL))] if ORIGINAL in survey else []
    return rows + [(key_id, "not at hand", count) for key_id, count in sorted(survey.items())]
