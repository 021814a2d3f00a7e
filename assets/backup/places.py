"""Where the files of a backup lie when it is a folder.

Payloads never change and are shared by all that is ever taken into the folder: `payloads/<first two>/<sha256>`. Records
are a folder of their own each time, `records/<generation>/<path>`, so that the list which is there keeps what it names
until the next list replaces it.
"""

from __future__ import annotations

from typing import Final

from .manifest import payload_in

PAYLOADS: Final = "payloads"
RECORDS: Final = "records"


def in_folder(path: str, generation: str) -> str:
    """Return where the file of this path lies, relative to the backup."""
    digest = payload_in(path)
    return f"{RECORDS}/{generation}/{path}" if digest is None else f"{PAYLOADS}/{digest[:2]}/{digest}"
