"""What a verification was asked for, and what it found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metadata.findings import Weight

from .scrub import Part, Scrubbed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metadata.findings import Finding

LISTED = 1000
"""Findings of one kind that a report lists; all are counted."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to check.

    Attributes:
        full: hash every payload, too.
        part: which part of the payloads to hash.
        rate: bytes a second to hash at most; None: no limit.
        older_than_s: leave out payloads found sound within this time, seconds; None: none.
        noting: write down when payloads were found sound or rotten.
    """

    full: bool = False
    part: Part = field(default_factory=Part)
    rate: float | None = None
    older_than_s: float | None = None
    noting: bool = True


@dataclass(slots=True)
class Report:
    """What a verification found.

    Attributes:
        mode: `quick` or `full`.
        part: the part that was hashed.
        at: when it began.
        findings: everything found.
        files, records, payloads: how many were looked at.
        scrubbed: how far the hashing came.
        restless: files whose rows in the index were not compared, because they were written meanwhile.
    """

    mode: str
    part: Part
    at: str
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    records: int = 0
    payloads: int = 0
    scrubbed: Scrubbed = field(default_factory=Scrubbed)
    restless: list[str] = field(default_factory=list)

    def of(self, weight: Weight) -> list[Finding]:
        """Return the findings of one weight."""
        return [finding for finding in self.findings if finding.weight is weight]

    @property
    def sound(self) -> bool:
        """Whether nothing found needs anybody to act."""
        return not self.of(Weight.DAMAGE)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each kind."""
        return Counter(finding.kind for finding in self.findings)

    def after(self, before: Report) -> Report:
        """Return this quick check as the end of one before it, which may have hashed payloads."""
        self.mode, self.part, self.scrubbed = before.mode, before.part, before.scrubbed
        return self

    def document(self) -> dict[str, object]:
        """Return it as JSON, as the command line and the HTTP interface give it."""
        listed: Counter[str] = Counter()
        shown = []
        for finding in self.findings:
            listed[finding.kind] += 1
            if listed[finding.kind] <= LISTED:
                shown.append(finding.document())
        return {
            "mode": self.mode,
            "part": f"{self.part.number}/{self.part.of}",
            "at": self.at,
            "sound": self.sound,
            "files": self.files,
            "records": self.records,
            "payloads": self.payloads,
            "hashedPayloads": self.scrubbed.payloads,
            "hashedBytes": self.scrubbed.bytes,
            "skippedPayloads": self.scrubbed.skipped,
            "restlessFiles": self.restless,
            "counts": dict(self.counts),
            "findings": shown,
        }
