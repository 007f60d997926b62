"""Settings: defaults for a laptop, and mistakes told all at once, each in a line."""

from __future__ import annotations

import contextlib
import ipaddress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.settings import Settings, SettingsError, check_serving, load


def test_nothing_need_be_set() -> None:
    assert load({"PATH": "/bin", "SHOPPING": "x"}) == Settings()


def test_what_is_set_is_taken(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("key\n")
    settings = load(
        {
            "SHOP_ENVIRONMENT": "prod",
            "SHOP_PUBLIC_URL": "https://shop.example",
            "SHOP_PAYMENTS": "cod, bkash",
            "SHOP_BKASH_FILE": str(secret),
            "SHOP_DATABASE_URL_FILE": str(secret),
            "SHOP_DATABASE_POOL_SIZE": "7",
            "SHOP_DRAIN_SECONDS": "1.5",
            "SHOP_TRUSTED_PROXIES": "10.30.0.0/16,fd00::/8",
            "SHOP_WEB_ROOT": str(tmp_path),
        }
    )
    assert settings.payments == ("cod", "bkash")
    assert settings.online_payments == ("bkash",)
    assert settings.on_postgresql
    assert settings.bkash_file
    assert settings.bkash_file.read() == "key"
    assert (settings.database_pool_size, settings.drain_seconds) == (7, 1.5)
    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.30.0.0/16"),
        ipaddress.ip_network("fd00::/8"),
    )
    assert settings.web_root == tmp_path


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("SHOP_PROT", "8000", "there is no such setting"),
        ("SHOP_PORT", "http", "`http` is no number from 0 to 65535"),
        ("SHOP_PORT", "70000", "70000 is not from 0 to 65535"),
        ("SHOP_DRAIN_SECONDS", "nan", "nan is not from 0 to 300"),
        ("SHOP_ORDERS_PER_SECOND", "inf", "inf is not from 0 to 100000"),
        ("SHOP_DATABASE_POOL_SIZE", "0", "0 is not from 1 to 50"),
        ("SHOP_DATABASE_POOL_SIZE", "4.5", "no number"),
        ("SHOP_PUBLIC_URL", "https://shop.example/", "without a slash"),
        ("SHOP_PUBLIC_URL", "shop.example", "is no address"),
        ("SHOP_PAYMENTS", "", "empty"),
        ("SHOP_PAYMENTS", "cod,gold", "`gold` is no way to pay"),
        ("SHOP_PAYMENTS", "cod,cod", "twice"),
        ("SHOP_PAYMENTS", "cod,bkash", "SHOP_BKASH_FILE: missing"),
        ("SHOP_BKASH_FILE", "/no/such/file", "there is no file /no/such/file"),
        ("SHOP_DATABASE_PATH", "/no/such/shop.sqlite3", "name one in a folder that exists"),
        ("SHOP_DATABASE_PATH", "/", "can not be a file"),
        ("SHOP_WEB_ROOT", "/no/such/folder", "there is no folder /no/such/folder"),
        ("SHOP_LOG_LEVEL", "loud", "`loud` is none of debug, info, warning, error"),
        ("SHOP_TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
    ],
)
def test_a_mistake_is_a_line_that_says_what_to_write(variable: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said.replace("(", r"\(")) as caught:
        load({variable: text})
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("SHOP_")


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"SHOP_PORT": "x", "SHOP_LOG_LEVEL": "x", "SHOP_NONE": "x"})
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["SHOP_LOG_LEVEL", "SHOP_NONE", "SHOP_PORT"]


def test_credentials_of_a_provider_that_is_not_in_use_are_a_mistake(tmp_path: Path) -> None:
    secret = tmp_path / "nagad"
    secret.write_text("{}")
    with pytest.raises(SettingsError, match="SHOP_NAGAD_FILE: set, but SHOP_PAYMENTS does not name nagad"):
        load({"SHOP_NAGAD_FILE": str(secret)})


def test_only_a_laptop_may_make_up_keys(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://shop@127.0.0.1/shop")
    named = {"SHOP_DATABASE_URL_FILE": str(secret)}
    check_serving(load(named))
    with pytest.raises(SettingsError) as caught:
        check_serving(load({**named, "SHOP_ENVIRONMENT": "staging"}))
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "SHOP_TICKET_KEY_FILE",
        "SHOP_SESSION_KEY_FILE",
    ]


@given(st.sampled_from([each.name for each in fields(Settings)]), st.text(max_size=20))
def test_whatever_is_set_is_taken_or_a_mistake(name: str, text: str) -> None:
    with contextlib.suppress(SettingsError):
        load({f"SHOP_{name.upper()}": text})
