"""`calotype variants`: the derived pictures beside the payloads."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from assets.digest import Digest
from assets.images.variants import Format
from assets.media import media_named
from metadata.errors import BusyError, InvalidError, NotFoundError, UnsupportedError

from .options import AsJson, DataDir
from .output import Output, size_of
from .places import open_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assets.images.prints import Prints
    from assets.images.variants import Variant

    from ..wiring import Store

Named = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="NAME", help="thumb, 512x, …; may be repeated. [default: thumb]"),
]
Formats = Annotated[
    list[Format] | None, typer.Option("--format", help="A format; may be repeated. [default: webp and jpg]")
]
Stale = Annotated[bool, typer.Option("--stale", help="Only what another release made, which nobody asks for any more.")]

_NAMED = ("thumb",)
_FORMATS = (Format.WEBP, Format.JPEG)


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="Make, count and remove derived pictures.")
    for command in (warm, purge, stats):
        app.command()(command)
    return app


def warm(*, variant: Named = None, form: Formats = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make derived pictures before anybody asks for them.

    Those that are there stay; a picture that cannot be made smaller is named and passed over.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        inside = store.inside
        before = inside.prints.ledger.read().evicted
        wanted = [(inside.prints.variants.parse(name), each) for name in variant or _NAMED for each in form or _FORMATS]
        with ThreadPoolExecutor(inside.settings.decoders) as pool:
            counts: Counter[str] = Counter()
            for made, refused in pool.map(partial(_warm_one, inside.prints, wanted), _pictures(inside)):
                counts += made
                for reason in refused:
                    output.note(reason)
        counts["looked at"] = inside.prints.glances.work_off()
        inside.prints.tidying.tidy(young=True)  # nobody waits for what was made here
        counts["removed"] = inside.prints.ledger.read().evicted - before
    if as_json:
        output.document({name: counts[name] for name in ("made", "there", "refused", "removed")})
    else:
        output.line(f"{counts['made']} made, {counts['there']} there before, {counts['refused']} refused")
        if counts["removed"]:
            output.note(f"{counts['removed']} had to make room: see CALOTYPE_VARIANT_CACHE_BYTES")


def purge(*, stale: Stale = False, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Remove derived pictures; they are made again when they are asked for."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        removed = store.inside.prints.tidying.purge(stale=stale)
    if as_json:
        output.document({"removed": removed})
    else:
        output.line(f"{removed} removed")


def stats(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Count derived pictures, and what they take."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        prints = store.inside.prints
        kept = [(each.size, each.current) for each in prints.tidying.all()]
        account, budget = prints.ledger.read(), prints.tidying.budget
    size, old = sum(size for size, _ in kept), sum(not current for _, current in kept)
    if as_json:
        output.document(
            {
                "files": len(kept),
                "bytes": size,
                "budget": budget,
                "stale": old,
                "computed": account.computed,
                "refused": account.refused,
                "evicted": account.evicted,
                "peakBytes": account.peak_bytes,
            }
        )
        return
    output.line(f"{len(kept)} derived pictures, {size_of(size)} of {size_of(budget)}; {old} are another release's")
    output.line(f"{account.computed} made so far, {account.refused} refused, {account.evicted} removed to make room")
    output.line(f"at most {size_of(account.peak_bytes)} of memory in one decoding process")


def _pictures(store: Store) -> Iterator[Digest]:
    """Yield every picture that is in use."""
    for fact in store.records.facts.find_all():
        media = media_named(fact.media_type or "")
        if media is not None and media.picture and store.assets.images.is_live(fact.sha256):
            yield Digest(fact.sha256)


def _warm_one(prints: Prints, wanted: list[tuple[Variant, Format]], digest: Digest) -> tuple[Counter[str], list[str]]:
    """Make what is wanted of one picture; return counts, and sentences about what is refused."""
    counts: Counter[str] = Counter()
    refused = []
    for variant, form in wanted:
        try:
            there = prints.derivatives.find(digest, variant, form) is not None
            prints.derivatives.get(digest, variant, form)
        except (InvalidError, UnsupportedError, NotFoundError, BusyError) as error:
            counts["refused"] += 1
            refused.append(f"{digest} as {variant.name}.{form.value}: {error.message}")
        else:
            counts["there" if there else "made"] += 1
    return counts, refused
