"""The command line: `calotype`."""

from __future__ import annotations

import sys

PLATFORMS = ("linux", "darwin")
UNSUPPORTED = 10
"""The exit code of an `UnsupportedError`; the table of errors is not imported before the platform is known."""


def main() -> None:
    """Run the program and exit with its status."""
    if sys.platform not in PLATFORMS:
        sys.stderr.write(
            f"calotype runs on Linux and macOS, not on {sys.platform}: its locks and syncs are theirs. "
            "Use the container image (Docker) or WSL 2.\n"
        )
        sys.exit(UNSUPPORTED)
    from .program import run  # noqa: PLC0415 - elsewhere its modules cannot be imported

    sys.exit(run(sys.argv[1:]))
