"""Users, their settings and the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from metadata.errors import InvalidError
from metadata.schemas.enums import AvatarDisplayMode, UserRole
from metadata.schemas.users import ChatSettings, User, first_user

if TYPE_CHECKING:
    from types import ModuleType

ID, OTHER, NOW = (
    "6f9619ff-8b86-4011-b42d-00c04fc964ff",
    "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
    "2026-01-31T12:00:00.000Z",
)


def test_the_first_user_is_an_admin_with_settings() -> None:
    user, settings = first_user(ID, OTHER, NOW)
    dates = {"createdAt": NOW, "updatedAt": NOW}
    assert user == {"id": ID, "email": "admin@localhost", **dates, "_role": "admin"}
    shape = {"avatarDisplayMode": "ALWAYS", "avatarDisplayStyle": "CIRCULAR"}
    assert settings == {"id": OTHER, "userId": ID, **shape, **dates}
    assert User.from_record(user).role is UserRole.ADMIN


def test_the_original_s_user_reads_back_with_its_sealed_members(original: ModuleType) -> None:
    user = User.from_record(original.user())
    assert user.role is None
    assert user.totp is not None
    assert user.totp.enabled
    assert user.totp.key_id is None
    assert user.backup_codes is not None
    assert user.backup_codes.ciphertext == original.SEALED["ciphertext"]


def test_settings_of_a_later_version_keep_their_members(original: ModuleType) -> None:
    settings = ChatSettings.from_record(original.chat_settings())
    assert settings.avatar_display_mode is AvatarDisplayMode.GROUP_ONLY
    changed = settings.replaced(avatar_display_mode="NEVER").to_record()
    assert changed == original.chat_settings() | {"avatarDisplayMode": "NEVER"}


@pytest.mark.parametrize(("member", "value"), [("_role", "root"), ("email", "ada"), ("totp", {"iv": "x"}), ("name", 1)])
def test_a_wrong_value_is_refused_by_name(original: ModuleType, member: str, value: object) -> None:
    with pytest.raises(InvalidError) as caught:
        User.from_record(original.user() | {member: value})
    assert str(caught.value.details["field"]).split(".")[0] == member
