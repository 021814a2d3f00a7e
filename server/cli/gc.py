"""`calotype gc`: what nothing uses, and moving it to the trash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metadata.errors import InvalidError

from .options import AsJson, DataDir
from .output import Output, counted, size_of
from .places import open_folder
from .reports import Section, show_report
from .spans import seconds_of, written

if TYPE_CHECKING:
    from assets.gc import Plan, Report

_REASONS = {
    "unused": "nothing uses it",
    "unreferenced": "its records go",
    "grace": "uploaded within the grace",
    "mention": "a record mentions its hash",
    "shadowed": "a second record of an id, or quarantine, names it",
    "record": "a record names it",
}

Yes = Annotated[bool, typer.Option("--yes", help="Do it; also where more than a fifth of all would go.")]
Grace = Annotated[
    str | None, typer.Option("--grace", metavar="SPAN", help="Leave alone what was uploaded within. [default: 24h]")
]
Unreferenced = Annotated[bool, typer.Option("--unreferenced", help="Records that nothing refers to go, too.")]
OlderThan = Annotated[
    str | None,
    typer.Option("--older-than", metavar="SPAN", help="From which age on, with --unreferenced. [30d]"),
]


def gc(
    *,
    yes: Yes = False,
    grace: Grace = None,
    unreferenced: Unreferenced = False,
    older_than: OlderThan = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Say which payloads nothing uses; with --yes trash them.

    What is in the trash for a week goes for good.
    """
    output = Output(as_json=as_json)
    if older_than is not None and not unreferenced:
        raise InvalidError("--older-than says which records go; it needs --unreferenced.", field="--older-than")
    age = seconds_of(older_than or "30d", "--older-than") if unreferenced else None
    with open_folder(data_dir, output) as store:
        plan = store.gc.plan(grace_s=None if grace is None else seconds_of(grace, "--grace"), older_than_s=age)
        if not yes:
            show_report(output, {"dryRun": True, "plan": plan.document(), "done": None}, _sections(plan), _lines(plan))
            return
        report = store.gc.execute(plan, force=True)
    document = {"dryRun": False, "plan": plan.document(), "done": report.document()}
    show_report(output, document, [], _done(report))


def _sections(plan: Plan) -> list[Section]:
    return [
        Section(
            "Goes to the trash",
            ("sha256", "size", "last upload", "why"),
            [(one.sha256, size_of(one.size), one.wanted or "unknown", _REASONS[one.reason]) for one in plan.takes],
        ),
        Section(
            "Stays though no record names it",
            ("sha256", "size", "last upload", "why"),
            [(one.sha256, size_of(one.size), one.wanted or "unknown", _REASONS[one.reason]) for one in plan.keeps],
        ),
        Section(
            "Records that nothing refers to go",
            ("id", "sha256", "made", "name"),
            [(one.key, one.sha256, one.created, one.filename) for one in plan.records],
        ),
        Section("Comes back from the trash, it is used again", ("sha256",), [(one,) for one in plan.rescues]),
        Section(
            "Leaves the trash for good",
            ("sha256", "size", "there since"),
            [(one.sha256, size_of(one.size or 0), one.since) for one in plan.purges],
        ),
    ]


def _lines(plan: Plan) -> list[str]:
    kept = [
        f"{counted(one.payloads, 'payload')} ({size_of(one.bytes)}) {'stays' if one.payloads == 1 else 'stay'}:"
        f" {_REASONS[one.reason]}"
        for one in plan.kept
        if one.payloads
    ]
    going = f"{counted(len(plan.takes), 'payload')} ({size_of(plan.taken_bytes)})"
    whole = f"{plan.payloads:,} ({size_of(plan.bytes)})"
    lines = [*kept, f"{going} of {whole} would go to the trash; the grace is {written(plan.grace_s)}."]
    if plan.purges:
        lines.append(f"{counted(len(plan.purges), 'payload')} ({size_of(plan.purged_bytes)}) would leave it for good.")
    lines += [f"Refused: {refusal.message}" for refusal in plan.refusals]
    settled = all(refusal.yields for refusal in plan.refusals)
    return [*lines, f"Nothing was changed. {'--yes does it.' if settled else 'Nothing will be until that is settled.'}"]


def _done(report: Report) -> list[str]:
    lines = [f"{counted(report.taken, 'payload')} ({size_of(report.taken_bytes)}) moved to the trash"]
    if report.records:
        lines.append(f"{counted(report.records, 'record')} deleted")
    if report.spared:
        lines.append(f"{counted(report.spared, 'payload')} spared: used or uploaded meanwhile")
    if report.rescued:
        lines.append(f"{counted(report.rescued, 'payload')} brought back from the trash")
    if report.purged:
        lines.append(f"{counted(report.purged, 'payload')} ({size_of(report.purged_bytes)}) removed for good")
    return lines
