"""What taking and restoring backups says: plain values, to be printed or sent."""

from __future__ import annotations

from dataclasses import dataclass

LISTED = 1000
"""How many names of each sort a document lists; all are counted."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a backup holds, or would hold.

    Attributes:
        target: where it is.
        at: the moment whose records it holds, a timestamp.
        files: how many files, `payloads` of them payloads; `bytes` is the size of all.
        copied_bytes: what was written, and not there from a backup before.
        reused: payloads that were there from a backup before.
        seconds: how long it took; `paused_s` is for how long writers waited.
        verified: whether it was read again and compared; a stream cannot be.
        includes_key: whether the keys in `secrets/` are in it.
        sealed: how many values are sealed, and need a key.
        missing: hashes of payloads that records name, and that are missing or not what their names say.
        passed_over: names that are no plain files and are not in it.
        damaged: files of the store that cannot be read as what they are; they are in it, byte for byte.
    """

    target: str
    at: str
    files: int
    payloads: int
    bytes: int
    copied_bytes: int = 0
    reused: int = 0
    seconds: float = 0.0
    paused_s: float = 0.0
    verified: bool = False
    includes_key: bool = False
    sealed: int = 0
    missing: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything that the records need is in it, and all of them could be read."""
        return not self.missing and not self.damaged

    def document(self) -> dict[str, object]:
        """Return the report as JSON."""
        return {
            "target": self.target,
            "at": self.at,
            "files": self.files,
            "payloads": self.payloads,
            "bytes": self.bytes,
            "copiedBytes": self.copied_bytes,
            "reused": self.reused,
            "seconds": round(self.seconds, 3),
            "pausedS": round(self.paused_s, 3),
            "verified": self.verified,
            "includesKey": self.includes_key,
            "sealed": self.sealed,
            "missing": {"payloads": len(self.missing), "items": list(self.missing[:LISTED])},
            "passedOver": list(self.passed_over[:LISTED]),
            "damaged": list(self.damaged[:LISTED]),
        }


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore put in place.

    Attributes:
        target: the folder.
        at: the moment whose records these are, a timestamp.
        files: how many files, `payloads` of them payloads; `bytes` is the size of all, each compared with its hash.
        sealed: how many values are sealed, by the id of the master key that opens them.
        has_key: whether the keys were in the backup.
        missing: hashes of payloads that were missing already when the backup was taken.
    """

    target: str
    at: str
    files: int
    payloads: int
    bytes: int
    sealed: dict[str, int]
    has_key: bool
    missing: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """Return the report as JSON."""
        return {
            "target": self.target,
            "at": self.at,
            "files": self.files,
            "payloads": self.payloads,
            "bytes": self.bytes,
            "sealed": self.sealed,
            "hasKey": self.has_key,
            "missing": {"payloads": len(self.missing), "items": list(self.missing[:LISTED])},
        }
