"""Settings: where values come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from metadata.errors import InvalidError
from server.configuration import check_binding, effective, load_settings, variable
from server.settings import Settings


def test_defaults_are_those_of_the_design() -> None:
    settings = load_settings({}).settings
    assert (settings.host, settings.port, settings.workers, settings.auth) == ("127.0.0.1", 8256, 1, True)
    assert settings.data_dir == Path("data")
    assert settings.max_upload_bytes == 100 * 1024 * 1024
    assert (settings.index_sweep_s, settings.gc_interval_s, settings.gc_grace_s) == (60, 86_400, 86_400)
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.1/32", "::1/128"]


def test_the_command_line_wins_over_the_environment() -> None:
    loaded = load_settings({"CALOTYPE_PORT": "1", "CALOTYPE_HOST": "::1"}, {"port": 2, "workers": None})
    rows = {row.name: row for row in effective(loaded)}
    assert (rows["CALOTYPE_PORT"].value, rows["CALOTYPE_PORT"].origin) == ("2", "command line")
    assert rows["CALOTYPE_HOST"].origin == "environment"
    assert rows["CALOTYPE_WORKERS"].origin == "default"


def test_every_setting_has_a_row_with_a_meaning() -> None:
    rows = effective(load_settings({}))
    assert [row.name for row in rows] == [variable(field) for field in Settings.model_fields]
    assert all(row.meaning.endswith(".") for row in rows)


def test_secrets_are_masked() -> None:
    loaded = load_settings({"CALOTYPE_TOKEN": "calo_sesame", "CALOTYPE_MASTER_KEY": "sesame"})
    assert "sesame" not in repr(effective(loaded)) + repr(loaded)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidError, match="CALOTYPE_MAX_UPLOAD_BYTES") as caught:
        load_settings({"CALOTYPE_MAX_UPLOAD_BITES": "1"})
    assert caught.value.details["setting"] == "CALOTYPE_MAX_UPLOAD_BITES"


def test_other_variables_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("CALOTYPE_PORT", "1")
    assert load_settings({"PORT": "9"}).settings.port == 8256


@pytest.mark.parametrize(
    ("backend", "word"),
    [("sql", "not in this release"), ("dual", "not in this release"), ("prisma", "'sql'"), ("x", "json")],
)
def test_backends(backend: str, word: str) -> None:
    with pytest.raises(InvalidError, match=word) as caught:
        load_settings({"DATA_BACKEND": backend})
    assert caught.value.details["setting"] == "DATA_BACKEND"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CALOTYPE_PORT", "99999"),
        ("CALOTYPE_PORT", "eighty"),
        ("CALOTYPE_DURABILITY", "mostly"),
        ("CALOTYPE_CORS_ORIGINS", "app.example.org"),
        ("CALOTYPE_PUBLIC_URL", "example.org"),
        ("CALOTYPE_ROOT_PATH", "pictures"),
        ("CALOTYPE_TRUSTED_PROXIES", "proxy"),
        ("CALOTYPE_VARIANT_SIZES", "64,huge"),
        ("CALOTYPE_MAX_UPLOAD_BYTES", "much"),
    ],
)
def test_bad_values_name_their_variable(name: str, value: str) -> None:
    with pytest.raises(InvalidError, match=name) as caught:
        load_settings({name: value})
    assert caught.value.details["setting"] == name


def test_lists_sizes_and_off() -> None:
    settings = load_settings(
        {
            "CALOTYPE_CORS_ORIGINS": "https://A.example, https://b.example/",
            "CALOTYPE_MAX_UPLOAD_BYTES": "2 GiB",
            "CALOTYPE_GC_INTERVAL_S": "off",
            "CALOTYPE_AUTH": "off",
            "CALOTYPE_VARIANT_SIZES": "64 32",
            "CALOTYPE_PUBLIC_URL": "",
        }
    ).settings
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.max_upload_bytes == 2 * 1024**3
    assert settings.gc_interval_s is None
    assert settings.auth is False
    assert settings.variant_sizes == (32, 64)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).settings.port = 1  # type: ignore[misc]  # that it fails is the point


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_sign_in(host: str) -> None:
    check_binding(load_settings({}, {"auth": False, "host": host}).settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])  # noqa: S104  # refused is the point
def test_elsewhere_without_sign_in_is_refused(host: str) -> None:
    check_binding(load_settings({}, {"host": host}).settings)
    with pytest.raises(InvalidError, match="CALOTYPE_AUTH"):
        check_binding(load_settings({}, {"auth": False, "host": host}).settings)
