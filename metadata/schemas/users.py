"""Users and their chat settings: the first user in `settings/general.json`, the others in files of the same shape."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from .base import Dated, Declaration
from .enums import AvatarDisplayMode, UserRole
from .fields import Email, Filter, Hidden, Id, OnDelete, Ref, Sealed, Searched, Secret, Text, Timestamp
from .homes import InMember
from .sealed import BackupCodes, TotpSecret


class User(Dated):
    """A person or program that owns records.

    Attributes:
        image: a URL; `/blobs/{sha256}` or `/avatars/{sha256}` in it keeps that payload.
        role: absent means admin for the first user (an original application's only one) and user for others.
    """

    declaration = Declaration(
        name="user",
        home=InMember("settings/general.json", "user", also="settings/users"),
        uniques=(("email",),),
        owner=None,
        collection="users",
    )

    id: Id
    email: Annotated[Email, Searched(2), Filter()]
    name: Annotated[Text | None, Searched(4), Filter()] = None
    image: Text | None = None
    email_verified: Annotated[Timestamp | None, Filter()] = None
    password_hash: Secret | None = None
    totp: Annotated[TotpSecret | None, Sealed("totp"), Hidden()] = None
    backup_codes: Annotated[BackupCodes | None, Sealed("backupCodes"), Hidden()] = None
    role: Annotated[UserRole | None, Filter()] = Field(default=None, alias="_role")


class ChatSettings(Dated):
    """How a user's chats look."""

    declaration = Declaration(
        name="chatSettings",
        home=InMember("settings/general.json", "chatSettings", also="settings/users"),
        uniques=(("userId",),),
        mentions=False,
    )

    id: Id
    user_id: Annotated[Id, Ref("user", OnDelete.CASCADE), Filter()]
    avatar_display_mode: AvatarDisplayMode = AvatarDisplayMode.ALWAYS
    avatar_display_style: Text = "CIRCULAR"


def first_user(user_id: str, settings_id: str, now: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the records of the user that `init` makes, and of its chat settings.

    Args:
        user_id: the user's new id.
        settings_id: the settings' new id.
        now: both timestamps.
    """
    dates = {"created_at": now, "updated_at": now}
    user = User.build({"id": user_id, "email": "admin@localhost", "role": UserRole.ADMIN, **dates})
    settings = ChatSettings.build({"id": settings_id, "user_id": user_id, **dates})
    return user.to_record(), settings.to_record()
