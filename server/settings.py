"""Every setting, in one frozen model: `DATA_DIR`, `DATA_BACKEND` and the names that begin with `CALOTYPE_`.

The model never reads the environment by itself: `load_settings` is given the variables and what the command line said,
so that every value has a known origin and two stores in one process can differ.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "CALOTYPE_"
KIB = 1024
MIB = 1024 * KIB
_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BlobAccess(StrEnum):
    """Who may read bytes by their hash."""

    PUBLIC = "public"
    PRIVATE = "private"


class DurabilityLevel(StrEnum):
    """When a write is on disk: before its answer, once per interval of appends, or when the system likes."""

    FULL = "full"
    BATCH = "batch"
    NONE = "none"


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


def _split(value: object) -> object:
    """Take a list as people write it in a variable: separated by commas or spaces."""
    return tuple(re.findall(r"[^\s,]+", value)) if isinstance(value, str) else value


def _nothing(value: object) -> object:
    """Take the words for "no limit" and "never"."""
    return None if isinstance(value, str) and value.strip().lower() in {"", "off", "none", "never"} else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Bytes = Annotated[ByteSize, Field(ge=0)]
SomeBytes = Annotated[ByteSize, Field(ge=1)]


class Settings(BaseSettings):
    """What the service is told from outside; made by `load_settings`, never changed afterwards.

    Sizes are bytes and take units (`100 MiB`); names ending in `_s` are seconds, in `_ms` milliseconds.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(Path("data"), description="The folder that holds everything.")
    data_backend: str = Field("json", description="Where documents live; this release knows json.")
    host: str = Field("127.0.0.1", description="The address to listen on.", min_length=1)
    port: int = Field(8256, description="The port to listen on; 0 takes a free one.", ge=0, le=65535)
    workers: Count = Field(1, description="Server processes that share the folder.")
    auth: bool = Field(default=True, description="Whether the API asks who is calling.")
    blob_access: BlobAccess = Field(BlobAccess.PUBLIC, description="Who may read bytes by their hash.")
    cors_origins: Names = Field((), description="Origins whose pages may call the API, or *.")
    allowed_hosts: Names = Field((), description="Host names the server answers to; *.example.org takes any below it.")
    trusted_proxies: Annotated[tuple[Network, ...], BeforeValidator(_split)] = Field(
        (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("::1")),
        description="Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    max_connections: Annotated[Count | None, BeforeValidator(_nothing)] = Field(
        None, description="Connections open in one worker; none: 4,000, or as many as its open files allow."
    )
    max_connections_per_address: Annotated[Count | None, BeforeValidator(_nothing)] = Field(
        200, description="Connections of one worker from one address, or requests that a trusted proxy hands on for it."
    )
    header_timeout_s: Seconds = Field(10, description="How long a request's head may take.")
    body_timeout_s: Seconds = Field(20, description="How long a body may take, besides a second for every 2 KiB.")
    unread_timeout_s: Seconds = Field(20, description="How long an answer may wait for a client that does not read.")
    keep_alive_s: Count = Field(20, description="How long a connection may rest between two requests.")
    public_url: Annotated[str | None, BeforeValidator(_nothing)] = Field(
        None, description="The address people use; makes URLs in answers absolute."
    )
    root_path: str = Field("", description="The path prefix under which a proxy serves this.")
    expect_store: bool = Field(default=False, description="Refuse an empty folder instead of making a store in it.")
    cache_dir: Annotated[Path | None, BeforeValidator(_nothing)] = Field(
        None, description="Where the index goes instead of cache/ in the folder."
    )
    allow_network_fs: bool = Field(default=False, description="Open a folder on a network file system.")
    allow_world_writable: bool = Field(default=False, description="Open a folder that everybody may write to.")
    durability: DurabilityLevel = Field(DurabilityLevel.FULL, description="When a write is on disk.")
    fsync_interval: Count = Field(10, description="Appends per sync with durability batch.")
    lock_timeout_ms: Count = Field(5000, description="How long to wait for a lock.")
    index_sweep_s: Count = Field(60, description="How often files edited by hand are looked for.")
    max_upload_bytes: SomeBytes = Field(ByteSize(100 * MIB), description="The largest file taken.")
    max_form_parts: Count = Field(100, description="The most parts in one form.")
    max_store_bytes: Annotated[SomeBytes | None, BeforeValidator(_nothing)] = Field(
        None, description="The most payload bytes kept in all, not counting the trash."
    )
    min_free_bytes: Bytes = Field(ByteSize(256 * MIB), description="Room on the disk that uploads must leave.")
    max_json_bytes: SomeBytes = Field(ByteSize(10 * MIB), description="The largest JSON body taken.")
    max_pixels: Count = Field(80_000_000, description="The most pixels a picture may have to be decoded.")
    max_frames: Count = Field(500, description="The most frames an animation may have to be decoded.")
    max_decoded_bytes: SomeBytes = Field(
        ByteSize(2048 * MIB), description="The most bytes a picture or all of an animation may decode to."
    )
    decode_timeout_s: Annotated[float, Field(gt=0)] = Field(10, description="The longest a picture may take.")
    decoders: Count = Field(2, description="Pictures decoded at once, over all workers.")
    variant_sizes: Annotated[tuple[Annotated[int, Field(ge=1, le=16384)], ...], BeforeValidator(_split)] = Field(
        (32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048), description="Widths and heights on offer."
    )
    variant_cache_bytes: Bytes = Field(ByteSize(1024 * MIB), description="Room for derived pictures.")
    fastlane_bytes: Bytes = Field(
        ByteSize(64 * MIB), description="Memory in each worker for whole answers with public bytes; 0 for none."
    )
    gc_interval_s: Annotated[Count | None, BeforeValidator(_nothing)] = Field(
        86_400, description="How often unused payloads are collected; off for never."
    )
    gc_grace_s: Annotated[int, Field(ge=0)] = Field(86_400, description="How long an unused payload is left alone.")
    trusted_s: Annotated[int, Field(ge=0)] = Field(
        2_592_000,
        description="How long an upload trusts a stored copy after that was hashed.",
    )
    trash_s: Annotated[int, Field(ge=0)] = Field(604_800, description="How long what was deleted can be restored.")
    backup_dir: Annotated[Path | None, BeforeValidator(_nothing)] = Field(
        None, description="The folder that backups asked for over HTTP go to."
    )
    allow_missing_key: bool = Field(
        default=False, description="Open a store whose sealed values have lost their key; they need re-entry."
    )
    master_key: SecretStr | None = Field(None, description="The key that seals API keys.")
    master_key_file: Path | None = Field(None, description="A file that holds the master key.")
    encryption_master_pepper: SecretStr | None = Field(
        None, description="What the original application sealed API keys with."
    )
    log_format: LogFormat = Field(LogFormat.TEXT, description="How log lines look.")
    access_log: bool = Field(default=True, description="Whether each request leaves a line in the log.")
    url: str | None = Field(None, description="The server the command line talks to.")
    token: SecretStr | None = Field(None, description="The access token the command line uses.")

    @classmethod
    def settings_customise_sources(  # what the library fixes
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the caller alone; `load_settings` brings the environment's."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @field_validator("data_backend")
    @classmethod
    def _known_backend(cls, value: str) -> str:
        if value in {"sql", "dual"}:
            raise ValueError(f"the backend {value!r} is not in this release; use json, which needs no database")
        if value == "prisma":
            raise ValueError("'prisma' is gone; its successor is 'sql', which is not in this release: use json")
        if value != "json":
            raise ValueError(f"{value[:40]!r} is not a backend; use json")
        return value

    @field_validator("public_url", "url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("it has to be an address such as https://pictures.example.org")
        return value.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if origin != "*" and (not parts.scheme or not parts.netloc or parts.path not in {"", "/"} or parts.query):
                raise ValueError(f"{origin[:80]!r} is not an origin such as https://app.example.org, nor *")
        return tuple(origin.rstrip("/").lower() for origin in value)

    @field_validator("root_path")
    @classmethod
    def _prefix(cls, value: str) -> str:
        value = value.rstrip("/")
        if value and not _ROOT_PATH.fullmatch(value):
            raise ValueError("it has to be a path such as /pictures")
        return value

    @field_validator("variant_sizes")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value:
            raise ValueError("at least one size is needed")
        return tuple(sorted(set(value)))
