"""Connection profiles: how language models are reached."""

from __future__ import annotations

from ..schemas.profiles import ConnectionProfile
from .profiles import ProfilesRepository


class ConnectionProfilesRepository(ProfilesRepository[ConnectionProfile]):
    """The connection profiles of all users."""

    model = ConnectionProfile

    def find_by_api_key_id(self, key_id: str) -> list[ConnectionProfile]:
        """Return every profile that uses an API key."""
        return list(self.walk({"apiKeyId": [key_id]}))
