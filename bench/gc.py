"""How long the plan of a garbage collection takes: `python bench/gc.py [PAYLOADS]` (default 100,000).

The folder is made here: a record and a fact for each payload, a fifth without a record, and the payloads' directories
without their bytes: a plan never looks into them. Printed: building the index anew, the plan of a store that was just
opened, and of one that is open.
"""

from __future__ import annotations

import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from metadata.files.codec import encode_line
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from server.wiring import Store

PAYLOADS = 100_000
UNUSED = 5
"""Every fifth payload has no record."""

MOMENT = "2026-01-01T00:00:00.000Z"


def opened(folder: Path) -> Store:
    """Open the folder."""
    return open_store(load_settings({}, {"data_dir": folder, "min_free_bytes": 0}).settings)


def fill(folder: Path, payloads: int, owner: str) -> None:
    """Write the logs, and the directories of the payloads."""
    common = {"type": "image", "userId": owner, "filename": "a picture.png"}
    known = {"mimeType": "image/png", "size": 52_000, "source": "upload", "tags": []}
    dates = {"createdAt": MOMENT, "updatedAt": MOMENT}
    with (folder / "binaries/index.jsonl").open("wb") as assets, (folder / "binaries/facts.jsonl").open("wb") as facts:
        for number in range(payloads):
            sha256 = f"{(number * 2_654_435_761) % 2**32:08x}" + f"{number:056x}"
            (folder / "binaries" / sha256).mkdir()
            seen = {"firstStoredAt": MOMENT, "lastUploadAt": MOMENT}
            facts.write(encode_line({"sha256": sha256, "size": 52_000, "mediaType": "image/png", **seen}, batch=0))
            if number % UNUSED:
                named = {"sha256": sha256, "relativePath": f"binaries/{sha256}/raw"}
                assets.write(encode_line({"id": str(uuid.uuid4()), **named, **common, **known, **dates}, batch=0))


def measured(name: str, began: float) -> None:
    """Print a line of the table."""
    print(f"{name:44} {time.perf_counter() - began:8.2f} s")


def main() -> None:
    """Make the folder, plan, print."""
    payloads = int(sys.argv[1]) if len(sys.argv) > 1 else PAYLOADS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "data")
        with opened(folder) as store:
            owner = store.owner.id
        fill(folder, payloads, owner)
        began = time.perf_counter()
        with opened(folder) as store:
            measured(f"index of {payloads:,} payloads made", began)
        with opened(folder) as store:
            for what in ("plan, store just opened", "plan, again"):
                began = time.perf_counter()
                plan = store.gc.plan()
                measured(f"{what}: {len(plan.takes):,} of {plan.payloads:,} go", began)


if __name__ == "__main__":
    main()
