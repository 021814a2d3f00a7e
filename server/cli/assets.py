"""`calotype get`, `ls`, `show` and `rm`: what is stored, in a folder or on a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assets.digest import DIGEST_LENGTH
from metadata.errors import NotFoundError
from metadata.schemas.enums import AssetType

from ..interface import Filters, walk
from .download import copy_checked, save
from .options import AsJson, DataDir, Token, Url
from .output import Output, counted, size_of
from .places import open_assets

if TYPE_CHECKING:
    from ..interface import Assets
    from ..views import AssetView

Sha = Annotated[str, typer.Argument(metavar="SHA256", help="The payload's hash.")]
AssetId = Annotated[str, typer.Argument(metavar="ID", help="The record's id.")]
Key = Annotated[str, typer.Argument(metavar="ID|SHA256", help="A record's id, or the hash of a payload.")]
Target = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write there. [default: stdout]")]
Kind = Annotated[AssetType | None, typer.Option("--type", help="Only records of this type.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only records with this tag; may be repeated.")]
Search = Annotated[str | None, typer.Option("--search", "-q", metavar="WORDS", help="Only records with these words.")]
Sort = Annotated[str | None, typer.Option("--sort", metavar="FIELD", help="Order by this field; -FIELD: descending.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=500, help="How many to list.")]
Every = Annotated[bool, typer.Option("--all", help="List all of them.")]
Force = Annotated[bool, typer.Option("--force", help="Even if it is used; its users are cleared of it.")]
Purge = Annotated[bool, typer.Option("--purge", help="Remove the bytes now, if nothing else needs them.")]


def get(
    sha256: Sha,
    *,
    target: Target = None,
    url: Url = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Get bytes by their hash.

    They are checked against it; FILE appears whole or not at all.
    """
    output = Output(as_json=as_json)
    with open_assets(data_dir, url, token, output) as door, door.assets.open(sha256) as source:
        if target is None or str(target) == "-":
            copy_checked(source, sys.stdout.buffer, sha256)
            sys.stdout.buffer.flush()
            return
        size = save(source, target, sha256)
    if as_json:
        output.document({"sha256": sha256, "path": str(target), "size": size})
    else:
        output.note(f"{target}: {size_of(size)}")


def ls(
    *,
    kind: Kind = None,
    tags: Tags = None,
    search: Search = None,
    sort: Sort = None,
    limit: Limit = 50,
    every: Every = False,
    url: Url = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List records, oldest first."""
    output = Output(as_json=as_json)
    wanted = Filters()
    if kind is not None:
        wanted["type"] = kind.value
    if tags:
        wanted["tags"] = tags
    with open_assets(data_dir, url, token, output) as door:
        page = door.assets.list(limit=limit, sort=sort, q=search, **wanted)
        items = list(walk(door.assets, sort=sort, q=search, **wanted)) if every else page.items
    if as_json:
        following = None if every else page.next_cursor
        output.document({"items": [dict(item.wire) for item in items], "nextCursor": following, "total": page.total})
        return
    _show_table(items, output)
    if page.unreadable:
        output.note(f"{counted(page.unreadable, 'record')} cannot be read; `calotype reindex` names the places.")
    if len(items) < page.total:
        capped = "more than " if page.total_capped else ""
        output.note(f"{len(items):,} of {capped}{page.total:,}; --all lists every one")


def show(key: Key, *, url: Url = None, token: Token = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show a record and what uses it.

    For a hash: every record that names the payload.
    """
    output = Output(as_json=as_json)
    with open_assets(data_dir, url, token, output) as door:
        items = _found(door.assets, key)
        references = door.assets.references(key)
    if as_json:
        used = [{"kind": by.kind, "id": by.id, "field": by.field} for by in references]
        output.document({"items": [dict(item.wire) for item in items], "references": used})
        return
    for item in items:
        output.table(
            ("member", "value"), [(name, _text(value)) for name, value in item.wire.items() if value is not None]
        )
        output.line("")
    for by in references:
        output.line(f"used by {by.kind} {by.id} ({by.field})")
    if not references:
        output.line("used by nothing")


def rm(
    asset_id: AssetId,
    *,
    force: Force = False,
    purge: Purge = False,
    url: Url = None,
    token: Token = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Delete a record.

    Its bytes go with the next garbage collection, or now with --purge.
    """
    output = Output(as_json=as_json)
    with open_assets(data_dir, url, token, output) as door:
        door.assets.delete(asset_id, force=force, purge=purge)
    if as_json:
        output.document({"deleted": [asset_id]})
    else:
        output.line(f"Deleted {asset_id}")


def _found(assets: Assets, key: str) -> list[AssetView]:
    if len(key) != DIGEST_LENGTH:
        return [assets.get(key)]
    items = assets.find(key)
    if not items:
        raise NotFoundError(f"No record names the payload {key}.", object=key)
    return items


def _show_table(items: list[AssetView], output: Output) -> None:
    rows = [
        (item.id, item.sha256, item.type, item.media_type, size_of(item.size), _measures(item), item.filename)
        for item in items
    ]
    output.table(("id", "sha256", "type", "media type", "size", "pixels", "name"), rows)


def _measures(item: AssetView) -> str:
    return "" if item.width is None or item.height is None else f"{item.width}x{item.height}"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
