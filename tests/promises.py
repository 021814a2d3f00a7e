"""The promises of docs/reliability.md as rows: how much each has to count, and about how long it may take."""

from __future__ import annotations

from dataclasses import dataclass

VERIFY, SOAK = 5, 50
"""The scales of `make verify` and `make soak`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One promise.

    Attributes:
        verify: the least that `make verify` counts; 0: everything there is, at any scale.
        soak: the least that `make soak` counts.
        seconds: about what it may take on two idle cores, every day and in `make verify`. Printed, never asserted.
    """

    verify: int
    soak: int
    seconds: tuple[int, int]

    def least(self, scale: int) -> int:
        """Return how much has to be counted at a scale; 0 where nothing is asked."""
        return self.soak if scale >= SOAK else self.verify if scale >= VERIFY else 0

    def budget(self, scale: int) -> int | None:
        """Return about how many seconds it may take at a scale; None where the night is as long as it is."""
        return None if scale >= SOAK else self.seconds[scale >= VERIFY]


ROWS = {
    "crash states, posix model, alone and in pairs": Row(5_000, 50_000, (20, 300)),
    "crash states, kill and journal models": Row(300, 1_000, (12, 90)),
    "power cuts, ext4": Row(10, 300, (5, 20)),
    "power cuts, xfs": Row(10, 300, (5, 20)),
    "system calls that fail in turn": Row(200, 2_000, (10, 180)),
    "writes cut short": Row(200, 2_000, (5, 90)),
    "a journal of 64 records cut at every byte": Row(0, 0, (7, 10)),
    "a journal of 64 records with every byte flipped": Row(0, 0, (3, 5)),
    "updates by 8 processes, plain": Row(2_000, 20_000, (5, 15)),
    "updates by 8 processes, dying inside the lock": Row(2_000, 20_000, (7, 20)),
    "updates by 8 processes, sleeping inside the lock": Row(2_000, 20_000, (7, 20)),
    "schedules of uploads, deletions, sweeps, restores and copies": Row(2_000, 20_000, (15, 150)),
    "schedules of every pair of writes": Row(780, 7_800, (5, 180)),
    "seconds of collections without grace beside uploads and deletions": Row(20, 600, (5, 25)),
    "kill -9 of one of 4 workers under load": Row(50, 2_000, (10, 60)),
    "kill -9 of a server and its 4 workers under load": Row(10, 100, (8, 40)),
    "backups under load, restored and verified": Row(5, 200, (10, 30)),
    "rot: one byte changed in payloads and documents": Row(300, 1_000, (1, 3)),
    "rot: files of a sound store, and findings in it": Row(0, 0, (1, 2)),
    "pictures of the corpus in four formats, and cut short": Row(0, 0, (10, 200)),
    "ruined copies of pictures": Row(300, 20_000, (3, 30)),
    "pictures that are bombs": Row(0, 0, (3, 5)),
    "raw probes": Row(34, 34, (3, 3)),
    "raw probes with flaws": Row(500, 10_000, (3, 15)),
    "requests by Schemathesis": Row(500, 10_000, (30, 120)),
    "damaged multipart bodies": Row(500, 10_000, (1, 5)),
    "slow clients of five kinds": Row(1_500, 3_000, (5, 60)),
    "awkward names under an audit hook": Row(2_000, 2_000, (2, 180)),
    "requests with these names": Row(150_000, 400_000, (2, 180)),
    "sealed values with one byte changed": Row(0, 0, (1, 1)),
    "sealed values moved to another record, field or user": Row(0, 0, (1, 1)),
}
"""By name, in the order of the page. What is told besides (controls, longest waits) has none and is printed behind."""


def table(figures: dict[str, list[float]], scale: int) -> list[str]:
    """Return lines for people, from what was counted, what of it was bad, and the seconds, by name."""
    lines = [f"{'':<66} {'counted':>9} {'least':>7} {'bad':>4} {'seconds':>8} {'budget':>7}"]
    order = [*(name for name in ROWS if name in figures), *sorted(figures.keys() - ROWS.keys())]
    for name in order:
        counted, bad, seconds = figures[name]
        row = ROWS.get(name, Row(0, 0, (0, 0)))
        least, budget = row.least(scale), row.budget(scale)
        asked = [
            f"{least:,}" if least else "" if row.verify or name not in ROWS else "all",
            f"{budget} s" if budget else "",
        ]
        short = "  SHORT" if counted < least else ""
        lines.append(f"{name:<66} {counted:>9,.0f} {asked[0]:>7} {bad:>4.0f} {seconds:>6.1f} s {asked[1]:>7}{short}")
    return lines
