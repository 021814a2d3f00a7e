"""From variables and options to `Settings`, and back to a table that says where each value came from."""

from __future__ import annotations

import difflib
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr, ValidationError

from metadata.errors import InvalidError

from .settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

Origin = Literal["default", "environment", "command line"]

UNPREFIXED = frozenset({"data_dir", "data_backend", "encryption_master_pepper"})
NOT_SETTINGS = frozenset({"CALOTYPE_CORPUS"})
"""Names with our prefix that the service does not read: the test suite's path to its corpus."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings and, for each field that is not at its default, where its value came from."""

    settings: Settings
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `calotype config`.

    Attributes:
        name: the variable's name.
        value: the effective value as text; secrets are masked.
        origin: where it came from.
        meaning: a sentence for people.
    """

    name: str
    value: str
    origin: Origin
    meaning: str


def variable(field: str) -> str:
    """Return the environment variable's name of a settings field."""
    return field.upper() if field in UNPREFIXED else PREFIX + field.upper()


def load_settings(environ: Mapping[str, str], options: Mapping[str, object] | None = None) -> Loaded:
    """Read the settings; an option of the command line wins over a variable, an empty variable counts as absent.

    Args:
        environ: the variables, usually `os.environ`.
        options: field name -> value as the command line gave it; None values were not given.

    Raises:
        InvalidError: an unknown `CALOTYPE_` name, or a value that breaks a rule; `setting` names the variable.
    """
    names = {variable(field): field for field in Settings.model_fields}
    _refuse_unknown(environ, names)
    values: dict[str, object] = {field: environ[name] for name, field in names.items() if environ.get(name)}
    origins: dict[str, Origin] = dict.fromkeys(values, "environment")
    for field, value in (options or {}).items():
        if value is not None:
            values[field] = value
            origins[field] = "command line"
    try:
        return Loaded(Settings.model_validate(values), origins)
    except ValidationError as error:
        raise _invalid(error) from None


def effective(loaded: Loaded) -> list[Row]:
    """Return every setting with its value, origin and meaning, in the order of the model."""
    return [
        Row(
            variable(field),
            _shown(getattr(loaded.settings, field)),
            loaded.origins.get(field, "default"),
            info.description or "",
        )
        for field, info in Settings.model_fields.items()
    ]


def check_binding(settings: Settings) -> None:
    """Refuse to listen beyond this machine while nobody is asked who they are.

    Raises:
        InvalidError: AUTH is off and HOST is not a loopback address.
    """
    if not settings.auth and not _loopback(settings.host):
        raise InvalidError(
            f"With CALOTYPE_AUTH=off anybody who reaches {settings.host} could read and delete everything. "
            "Listen on 127.0.0.1, or leave CALOTYPE_AUTH on and make a token with `calotype token create`.",
            setting="CALOTYPE_HOST",
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _refuse_unknown(environ: Mapping[str, str], known: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known and name not in NOT_SETTINGS:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise InvalidError(
                f"There is no setting {name}; the nearest is {near[0]}. `calotype config` lists them all.",
                setting=name,
                nearest=near[0],
            )


def _invalid(error: ValidationError) -> InvalidError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    reason = first["msg"].removeprefix("Value error, ")
    if field not in Settings.model_fields:
        return InvalidError(f"There is no setting {field!r}.", setting=field)
    return InvalidError(f"{variable(field)} cannot be used: {reason}.", setting=variable(field))


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "********"
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
