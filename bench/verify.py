"""How long a check without hashing takes: `python bench/verify.py [RECORDS]` (default 50,000).

The folder is made here: characters, chats of a hundred messages, and a payload, a record and a fact for every tenth
record. Printed: the check of a sound store, and of that its comparison of the index with the files.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from assets.fsck.report import Wishes
from metadata.files.codec import encode_document, encode_line
from server.configuration import load_settings
from server.wiring import open_store

if TYPE_CHECKING:
    from assets.fsck.scrub import Scrubbed
    from server.wiring import Store

RECORDS = 50_000
PER_CHAT = 100
MOMENT = "2026-01-01T00:00:00.000Z"
DATES = {"createdAt": MOMENT, "updatedAt": MOMENT}


def opened(folder: Path) -> Store:
    """Open the folder."""
    return open_store(load_settings({}, {"data_dir": folder, "min_free_bytes": 0}).settings)


def fill(folder: Path, records: int, owner: str) -> None:
    """Write characters, chats with their logs, assets, facts and payloads."""
    with (folder / "chats/index.jsonl").open("wb") as chats:
        for _ in range(records * 7 // 10 // PER_CHAT):
            who, talk = str(uuid.uuid4()), str(uuid.uuid4())
            texts = dict.fromkeys(("name", "description", "personality", "scenario", "firstMessage"), "a few words")
            body = {"id": who, "userId": owner, **texts, **DATES}
            (folder / f"characters/{who}.json").write_bytes(encode_document(body, stamp=True))
            profile = {"connectionProfileId": str(uuid.uuid4())}
            chat = {"id": talk, "userId": owner, "characterId": who, **profile, "title": "t", "tags": [], **DATES}
            chats.write(encode_line(chat, batch=0))
            said = {
                "type": "message",
                "role": "USER",
                "content": "some words that are found again",
                "createdAt": MOMENT,
            }
            lines = [encode_line({"id": str(uuid.uuid4()), **said}, batch=0) for _ in range(PER_CHAT)]
            (folder / f"chats/{talk}.jsonl").write_bytes(b"".join(lines))
    with (folder / "binaries/index.jsonl").open("wb") as assets, (folder / "binaries/facts.jsonl").open("wb") as facts:
        for number in range(records // 10):
            data = json.dumps(number).encode()
            sha256 = hashlib.sha256(data).hexdigest()
            (folder / "binaries" / sha256).mkdir()
            (folder / "binaries" / sha256 / "raw").write_bytes(data)
            named = {"id": str(uuid.uuid4()), "sha256": sha256, "type": "chat_file", "userId": owner, "filename": "a"}
            known = {"relativePath": f"binaries/{sha256}/raw", "mimeType": "text/plain", "size": len(data), "tags": []}
            assets.write(encode_line({**named, **known, **DATES}, batch=0))
            facts.write(encode_line({"sha256": sha256, "size": len(data), "firstStoredAt": MOMENT}, batch=0))


def main() -> None:
    """Make the folder, check it, print."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "data")
        with opened(folder) as store:
            owner = store.owner.id
        fill(folder, records, owner)
        with opened(folder) as store:
            stages: dict[str, float] = {}

            def told(stage: str, done: Scrubbed, stages: dict[str, float] = stages) -> None:
                del done
                stages[stage] = time.perf_counter()

            began = time.perf_counter()
            report = store.checks.verifier.run(Wishes(), told)
            ended = time.perf_counter()
        counted = f"{report.records:,} records, {report.payloads:,} payloads"
        print(f"{'check of ' + counted:56} {ended - began:8.2f} s")
        print(f"{'  of which files, index and references':56} {stages['payloads'] - stages['records']:8.2f} s")
        print(f"{'  of which payloads and their records':56} {ended - stages['payloads']:8.2f} s")


if __name__ == "__main__":
    main()
