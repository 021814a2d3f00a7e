"""The whole check of a store: names, records, payloads, and if asked every byte."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from metadata.clock import timestamp
from metadata.errors import CalotypeError, NotFoundError, UnreadableError

from .report import Report, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from metadata.checks.records import RecordChecks
    from metadata.files.engine import FileEngine

    from .payloads import PayloadChecks
    from .scrub import Scrub, Scrubbed
    from .tree import TreeCheck

OF_BYTES = frozenset({"payload-rotten", "payload-unreadable"})
"""What hashing finds."""

SUMMARY = "cache/verify.json"
"""What the last verification found, for whoever asks whether the store is well."""


class Verifier:
    """Checks a store, while others go on using it.

    Args:
        engine: the file engine.
        tree, records, payloads, scrub: the parts.
    """

    def __init__(
        self, engine: FileEngine, tree: TreeCheck, records: RecordChecks, payloads: PayloadChecks, scrub: Scrub
    ) -> None:
        self._engine = engine
        self._tree = tree
        self._records = records
        self._payloads = payloads
        self._scrub = scrub

    def run(self, wishes: Wishes, progress: Callable[[str, Scrubbed], None] = lambda _name, _done: None) -> Report:
        """Check what is asked for and report.

        Args:
            wishes: what to check.
            progress: called with what is being checked and how far the hashing is.

        Raises:
            UnreadableError, BusyError, FullError: the folder could not be gone through.
        """
        report = Report("full" if wishes.full else "quick", wishes.part, timestamp(self._engine.clock.now()))
        progress("names", report.scrubbed)
        report.findings += self._tree.findings()
        progress("records", report.scrubbed)
        report.findings += self._records.findings()
        compared = self._records.compared
        report.files, report.records, report.restless = compared.files, compared.records, compared.restless
        progress("payloads", report.scrubbed)
        report.findings += self._payloads.findings()
        report.payloads = self._payloads.count
        if wishes.full:
            self._hash(wishes, report, progress)
        if wishes.noting:
            self._summarise(report)
        return report

    def accept(self, report: Report) -> tuple[int, Report]:
        """Take over what a report says was changed by hand.

        Returns:
            How many lines and documents that were, and what is left: nothing is hashed again for it.
        """
        taken = self._records.accept(report.findings)
        if not taken:
            return 0, report
        left = self.run(Wishes()).after(report)
        known = {(finding.kind, finding.about) for finding in left.findings}
        hashed = (finding for finding in report.findings if finding.kind in OF_BYTES)
        left.findings += [finding for finding in hashed if (finding.kind, finding.about) not in known]
        return taken, left

    def _hash(self, wishes: Wishes, report: Report, progress: Callable[[str, Scrubbed], None]) -> None:
        def told(done: Scrubbed) -> None:
            report.scrubbed = done
            progress("bytes", done)

        known = {finding.about for finding in report.findings if finding.kind in OF_BYTES}
        report.findings += [
            finding
            for finding in self._scrub.findings(
                wishes.part,
                rate=wishes.rate,
                older_than_s=wishes.older_than_s,
                noting=wishes.noting,
                progress=told,
            )
            if finding.about not in known
        ]

    def _summarise(self, report: Report) -> None:
        summary = {"at": report.at, "mode": report.mode, "sound": report.sound, "counts": dict(report.counts)}
        with suppress(CalotypeError):  # a full disk is told where it matters; the report itself is at hand
            self._engine.write_document(SUMMARY, summary, stamp=True)


def last_summary(engine: FileEngine) -> dict[str, Any] | None:
    """Return what the last verification found, in short (`at`, `mode`, `sound`, `counts`), or None."""
    try:
        found = engine.read_document(SUMMARY).value
    except (NotFoundError, UnreadableError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("counts"), dict) else None
