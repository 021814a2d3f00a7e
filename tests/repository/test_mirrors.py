"""The tests mirror the source: `metadata/files/atomic.py` is tested in `tests/metadata/files/test_atomic.py`."""

from __future__ import annotations

from pathlib import Path

_REPOSITORIES = (
    *("accounts", "characters", "chat_settings", "chats", "connection_profiles", "personas", "pictures", "profiles"),
    *("reading", "tagged"),
)
_FORMATS = ("bitmap", "boxes", "gif", "heif", "ifd", "jpeg", "jpeg2000", "png", "source", "webp")

_CHECKS = (
    *(f"metadata/checks/{name}.py" for name in ("files", "graph", "records", "seals")),
    *("metadata/documents/comparing.py", "metadata/documents/mending.py"),
    *("metadata/index/difference.py", "metadata/index/graph.py"),
    *(f"assets/fsck/{name}.py" for name in ("payloads", "repairing", "report", "tree", "verifying")),
    *("assets/blobs/hashing.py", "server/checks.py"),
)

# Modules whose tests stand elsewhere, with the place; a module with statements of its own has no business here.
ELSEWHERE: dict[str, str] = {
    # The contract is tested over every implementation.
    "assets/blobs/base.py": "tests/contracts/test_blobs.py",
    # Plain values, tested where they are made.
    "assets/upload.py": "tests/assets/test_library.py",
    # What it takes for a card to be refused, and which of several texts is one, shows where cards are read.
    **dict.fromkeys(
        [f"assets/cards/{name}.py" for name in ("errors", "limits", "texts")],
        "tests/assets/cards/test_reading.py",
    ),
    "assets/gc/data.py": "tests/assets/gc/test_planning.py",
    "assets/gc/premises.py": "tests/assets/gc/test_planning.py",
    # One format each, reached through `measure` alone; the tests build every format and walk the corpus.
    **dict.fromkeys(
        [f"assets/images/{name}.py" for name in _FORMATS],
        "tests/assets/images/test_headers.py",
    ),
    # Steps of one derivation, tested by what comes of them: from bytes to bytes.
    **dict.fromkeys(
        [f"assets/images/{name}.py" for name in ("colours", "encoding", "opening")],
        "tests/assets/images/test_derive.py",
    ),
    # The other side of the socket: what it does shows where it is started.
    "assets/images/worker.py": "tests/assets/images/test_process.py",
    # Parts of one removal, whose whole is what can be seen; and questions that only it asks.
    "metadata/documents/cleaning.py": "tests/metadata/documents/test_retiring.py",
    "metadata/index/reach.py": "tests/metadata/documents/test_retiring.py",
    # Collected for `health`, whose tests build every sort of finding.
    "metadata/documents/findings.py": "tests/metadata/documents/test_json_files.py",
    # What they do is the same over every implementation of the documents, and is tested over each.
    **dict.fromkeys(
        [f"metadata/repositories/{name}.py" for name in _REPOSITORIES],
        "tests/contracts/test_repositories.py",
    ),
    # What they find out and say shows in the import that they serve.
    **dict.fromkeys(
        [f"assets/transfer/quilttap/{name}.py" for name in ("outcomes", "plan")],
        "tests/assets/transfer/quilttap/test_importer.py",
    ),
    # Steps of one import, seen in what it stores.
    **dict.fromkeys(
        [f"assets/transfer/cards/{name}.py" for name in ("keeping", "outcomes", "storing")],
        "tests/assets/transfer/cards/test_importer.py",
    ),
    "assets/transfer/cards/icons.py": "tests/assets/transfer/cards/test_exporting.py",
    # The user of ours whom everything goes to shows in what comes.
    "assets/transfer/sillytavern/target.py": "tests/assets/transfer/sillytavern/test_importer.py",
    # Checks and repairs are tested from the damage on, over a whole store, kind by kind of finding.
    **dict.fromkeys(_CHECKS, "tests/rot/test_findings.py"),
    # Parts of one way, from a store to a backup and from there to a store, tested from end to end.
    **dict.fromkeys(
        [f"assets/backup/{name}.py" for name in ("places", "report", "taking", "targets")],
        "tests/assets/backup/test_backups.py",
    ),
    **dict.fromkeys(
        [f"assets/backup/{name}.py" for name in ("copying", "manifest", "sources")],
        "tests/assets/backup/test_restoring.py",
    ),
    # How an import runs and ends shows in the imports.
    **dict.fromkeys(["server/importing.py", "server/cli/carrying.py"], "tests/server/cli/test_imports.py"),
    # The model is tested where it is loaded: it never reads the environment by itself.
    "server/settings.py": "tests/server/test_configuration.py",
}


def mirror(module: Path) -> Path:
    return Path("tests", module.parent, f"test_{module.stem}.py")


def test_the_mirror_of_a_module() -> None:
    assert mirror(Path("metadata/files/atomic.py")) == Path("tests/metadata/files/test_atomic.py")


def test_every_module_has_a_test_module(repository: Path, source: list[Path]) -> None:
    named = [path for path in source if path.stem not in {"__init__", "__main__"}]
    without = [str(path) for path in named if not (repository / mirror(path)).is_file() and str(path) not in ELSEWHERE]
    assert without == []


def test_the_exceptions_are_true(repository: Path, source: list[Path]) -> None:
    assert [module for module in ELSEWHERE if Path(module) not in source] == []
    assert [test for test in ELSEWHERE.values() if not (repository / test).is_file()] == []
    assert [module for module in ELSEWHERE if (repository / mirror(Path(module))).exists()] == []


def test_no_test_module_is_left_behind(repository: Path, source: list[Path]) -> None:
    """A test module below a floor's folder tests a module, or the package, of that name."""
    below = [
        path for floor in ("assets", "metadata", "server") for path in (repository / "tests" / floor).rglob("test_*.py")
    ]
    folders = {path.parent for path in source}
    assert [str(path) for path in below if path.relative_to(repository / "tests").parent not in folders] == []
