"""`calotype verify` and `calotype repair`: what is wrong with a store, and mending it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from assets.fsck.repairing import SAYINGS, Done, Step, plan
from assets.fsck.report import Report, Wishes
from assets.fsck.scrub import Part, Scrubbed
from metadata.errors import InvalidError
from metadata.findings import Finding, Weight

from .options import AsJson, DataDir
from .output import Output, counted, size_of
from .places import checks_in
from .reports import Section, show_report
from .spans import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..checks import Checks

FOUND = 14
"""The exit code when something was found that needs somebody to act."""

_ROUNDS = 5
_MB = 1_000_000

Full = Annotated[bool, typer.Option("--full", help="Hash every payload, too.")]
Quick = Annotated[bool, typer.Option("--quick", help="Everything but hashing payloads; this is the default.")]
Accept = Annotated[bool, typer.Option("--accept", help="Take over lines and documents that were changed by hand.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it the plan is shown.")]
OfParts = Annotated[
    str | None, typer.Option("--part", metavar="N/T", help="Hash only this part of the payloads, such as 2/7.")
]
Rate = Annotated[float | None, typer.Option("--rate", metavar="MB/S", help="Hash no more than this a second.")]
OlderThan = Annotated[
    str | None,
    typer.Option("--older-than", metavar="SPAN", help="Hash only what was not found sound within, such as 1d or 30d."),
]


def verify(
    *,
    quick: Quick = False,
    full: Full = False,
    part: OfParts = None,
    rate: Rate = None,
    older_than: OlderThan = None,
    accept: Accept = False,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> int:
    """Check the store, while servers go on using it.

    The exit status is 14 when something was found that needs somebody to act, and 0 with warnings alone. A
    check that was interrupted goes on with --full --older-than 1d.
    """
    output = Output(as_json=as_json)
    wishes = _wishes(
        full=full or part is not None or older_than is not None,
        quick=quick,
        part=part,
        rate=rate,
        older_than=older_than,
    )
    with checks_in(data_dir) as checks:
        report = _verified(checks, wishes, output)
        if accept:
            taken, report = checks.verifier.accept(report)
            output.note(f"{counted(taken, 'change')} taken over")
    _show(report, output)
    return 0 if report.sound else FOUND


def repair(*, full: Full = False, yes: Yes = False, data_dir: DataDir = None, as_json: AsJson = False) -> int:
    """Say how what `verify` finds is mended, and with --yes mend it.

    Nothing that is not understood is deleted: it goes to quarantine/ with a note. The exit status is 14 when
    something is left that needs somebody to act.
    """
    output = Output(as_json=as_json)
    done: list[Done] = []
    with checks_in(data_dir) as checks:
        report = _verified(checks, Wishes(full=full), output)
        steps = plan(report.findings)
        if yes:
            report, done = _mended(checks, report, output)
    _show_repair(report, steps, done, output, yes=yes)
    return 0 if report.sound else FOUND


def _wishes(*, full: bool, quick: bool, part: str | None, rate: float | None, older_than: str | None) -> Wishes:
    full = full or part is not None or older_than is not None
    if full and quick:
        raise InvalidError("--quick hashes no payloads, --full, --part and --older-than do.", field="quick")
    if rate is not None and rate <= 0:
        raise InvalidError("--rate has to be more than 0 MB a second.", field="rate")
    return Wishes(
        full=full,
        part=Part() if part is None else Part.parse(part),
        rate=None if rate is None else rate * _MB,
        older_than_s=None if older_than is None else seconds_of(older_than, "older-than"),
    )


def _verified(checks: Checks, wishes: Wishes, output: Output) -> Report:
    with _progress(output) as told:
        return checks.verifier.run(wishes, told)


def _mended(checks: Checks, report: Report, output: Output) -> tuple[Report, list[Done]]:
    """Do what can be done, and what only then shows, until nothing more can be."""
    every: list[Done] = []
    for _ in range(_ROUNDS):
        failed = {done.step.finding.about for done in every if done.error}
        steps = [step for step in plan(report.findings) if step.finding.about not in failed]
        if not steps:
            break
        every += checks.repairer.execute(steps)
        report = _verified(checks, Wishes(), output).after(report)
    return report, every


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[str, Scrubbed], None]]:
    """Show how far a check is, if anybody watches."""
    if output.as_json or not sys.stderr.isatty():
        yield lambda _name, _done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Checking", total=None)

        def told(name: str, done: Scrubbed) -> None:
            total = max(done.total_bytes, done.bytes) or None
            bar.update(task, description=f"Checking {name}", completed=done.bytes, total=total)

        yield told


def _show(report: Report, output: Output) -> None:
    hashed = ""
    if report.mode == "full":
        hashed = f", {counted(report.scrubbed.payloads, 'payload')} hashed ({size_of(report.scrubbed.bytes)})"
    looked = (
        f"Looked at {counted(report.records, 'record')} in {counted(report.files, 'file')} and "
        f"{counted(report.payloads, 'payload')}{hashed}."
    )
    show_report(output, report.document(), _sections(report), [looked, _verdict(report)])


def _show_repair(report: Report, steps: Sequence[Step], done: Sequence[Done], output: Output, *, yes: bool) -> None:
    failed = [each for each in done if each.error]
    document = {
        "dryRun": not yes,
        "steps": [step.document() for step in ([each.step for each in done] if yes else steps)],
        "failed": [{**each.step.document(), "error": each.error} for each in failed],
        "report": report.document(),
    }
    shown = [each.step for each in done if not each.error] if yes else steps
    rows = [(step.finding.about, SAYINGS[step.repair]) for step in shown]
    sections = [
        Section("Done" if yes else "To do", ("what", "how"), rows),
        Section("Could not be done", ("what", "why"), [(each.step.finding.about, each.error) for each in failed]),
        *(_sections(report) if yes else ()),
    ]
    last = _verdict(report) if yes else "Nothing was changed; --yes does it." if steps else "Nothing can be mended."
    show_report(output, document, sections, [last])


def _sections(report: Report) -> list[Section]:
    titles = {Weight.DAMAGE: "Damage", Weight.WARNING: "Warnings", Weight.NOTICE: "Worth knowing"}
    columns = ("what", "about", "seen", "to do")
    return [Section(title, columns, [_row(found) for found in report.of(weight)]) for weight, title in titles.items()]


def _row(finding: Finding) -> tuple[str, str, str, str]:
    return finding.kind, finding.about, finding.evidence, finding.advice


def _verdict(report: Report) -> str:
    damage, warnings = len(report.of(Weight.DAMAGE)), len(report.of(Weight.WARNING))
    if not damage and not warnings:
        return "All is well."
    return f"{counted(damage, 'finding needs', 'findings need')} action, {counted(warnings, 'warning')}."
