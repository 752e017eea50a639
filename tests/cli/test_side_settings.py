from __future__ import annotations

from typing import Any

import pytest

from cannon.cli.options import Options
from cannon.cli.side_settings import SIDE, settings_of, with_settings
from cannon.cli.values import Option
from cannon.errors import UsageError
from cannon.route import Proxy


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("[ a -k ]", {"insecure": True}),
        ("[ -k a ]", {"insecure": True}),
        ("[a -k]", {"insecure": True}),
        ("[ a -H 'X: y z' -H A=b ]", {"headers": ("X: y z", "A=b")}),
        ("[ a -kH 'X: [1]' ]", {"insecure": True, "headers": ("X: [1]",)}),
        ("[ a --proxy=http://[::1]:1 ]", {"proxy": Proxy.parse("http://[::1]:1")}),
        ("[ a --connect-to h:1 --bind 127.0.0.1 ]", {"connect_to": ("h", 1), "bind": "127.0.0.1"}),
        ("[ a -S /x --tls-session fresh ]", {"socket_path": "/x", "tls_session": "fresh"}),
        (
            "[ a --ca c.pem --cert d.pem --key e.pem -s h ]",
            {"ca": (("c.pem",),), "cert": "d.pem", "key": "e.pem", "servername": "h"},
        ),
    ],
)
def test_a_group_sets_what_one_side_has_for_itself(group: str, expected: dict[str, Any]) -> None:
    assert settings_of([group], ["a", "b"]) == {"a": expected}


def test_each_side_has_its_own_group() -> None:
    assert settings_of(["[ b -k ]", "[ a -s h ]"], ["a", "b", "c"]) == {
        "b": {"insecure": True},
        "a": {"servername": "h"},
    }


def test_a_side_has_headers_tls_and_a_way_and_no_load() -> None:
    names = {option.name for option in SIDE.params if isinstance(option, Option)}
    assert names == {
        *("headers", "insecure", "ca", "servername", "cert", "key", "tls_session"),
        *("socket_path", "proxy", "connect_to", "bind"),
    }


def test_a_header_stands_instead_of_those_of_its_name_and_beside_all_others() -> None:
    common = Options(headers=("Accept: a", "X-Key: 1", "x-KEY=2"), insecure=True, connections=3)
    changed = with_settings(common, {"headers": ("X-key: 3", "X-Key: 4"), "servername": "h"})
    assert changed == Options(
        headers=("Accept: a", "X-key: 3", "X-Key: 4"), insecure=True, connections=3, servername="h"
    )
    assert with_settings(common, {}) == common


@pytest.mark.parametrize(
    "group",
    ["[ a -H 'Authorization: canary ]", "[ a -H canary ]", "[ a -s canary@ ", "[ a -k=canary ]"],
)
def test_a_group_that_cannot_be_followed_is_not_repeated(group: str) -> None:
    with pytest.raises(UsageError) as raised:
        settings_of([group], ["a", "b"])
    assert raised.value.message.startswith("--side: ")
    assert "canary" not in raised.value.message
