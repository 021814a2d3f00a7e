"""The groups in which the operations are shown, told from the first word of a path."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.errors import InternalError


@dataclass(frozen=True, slots=True)
class Group:
    """Operations that are about the same thing.

    Attributes:
        name: what they are about.
        meaning: a sentence for people.
        words: what their paths begin with, after `/api` where that is there.
    """

    name: str
    meaning: str
    words: tuple[str, ...]


GROUPS = (
    Group("Bytes", "Payloads by their SHA-256, smaller pictures of them, and avatars.", ("blobs", "avatars")),
    Group("Assets", "Records of pictures and files: upload, list, tag, delete, restore, sign.", ("assets",)),
    Group("Characters", "Characters, their pictures, tags and personas.", ("characters",)),
    Group("Personas", "Personas, their pictures and characters.", ("personas",)),
    Group("Chats", "Chats, who takes part in them, their messages and swipes.", ("chats",)),
    Group("Tags", "Tags and what carries them.", ("tags",)),
    Group("Import", "Collections of other applications, brought in.", ("import",)),
    Group("Image profiles", "Image profiles and their pictures.", ("image-profiles",)),
    Group("Connections", "Connection profiles and API keys.", ("connection-profiles", "api-keys")),
    Group(
        "Signing in",
        "Who the caller is, access tokens, passwords and preferences.",
        ("auth", "me", "tokens", "settings"),
    ),
    Group(
        "People",
        "Users, accounts, sessions and verification tokens.",
        ("users", "accounts", "sessions", "verification-tokens"),
    ),
    Group(
        "Operation",
        "Health, figures, backups, checks and cleaning.",
        ("healthz", "readyz", "metrics", "stats", "admin"),
    ),
    Group("Pages", "The pages for people, and this document.", ("", "page", "docs", "openapi.json")),
)
"""In the order in which they are shown."""


def group_of(path: str) -> str:
    """Return the name of the group of a path.

    Raises:
        InternalError: it has none; give its first word a place in `GROUPS`.
    """
    word = path.removeprefix("/api").split("/")[1]
    found = next((group.name for group in GROUPS if word in group.words), None)
    if found is None:
        raise InternalError(f"The operations at {path} have no group in server/groups.py.")
    return found
