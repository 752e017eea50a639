from __future__ import annotations

from collections.abc import Sequence

import pytest

from cannon.cli.urls import port_of_environment, targets_of
from cannon.errors import UsageError


@pytest.fixture(autouse=True)
def no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)


def urls_of(urls: Sequence[str], port: int | None = None, *, has_socket: bool = False) -> list[str]:
    return [target.url for target in targets_of(urls, port=port, has_socket=has_socket)]


def refusal(urls: Sequence[str], port: int | None = None) -> str:
    with pytest.raises(UsageError) as raised:
        targets_of(urls, port=port, has_socket=False)
    return raised.value.message


def test_each_url_is_a_target_in_order_also_one_that_is_named_twice() -> None:
    assert urls_of(["b:1", "https://a/", "b:1"]) == ["http://b:1", "https://a/", "http://b:1"]


def test_a_path_is_of_the_port_that_is_given() -> None:
    assert urls_of(["/a?b=1", "http://c/"], 3000) == ["http://localhost:3000/a?b=1", "http://c/"]


def test_a_path_is_of_the_host_that_is_given() -> None:
    targets = targets_of(["/a", "http://c/"], port=3000, host="::1")
    assert [target.url for target in targets] == ["http://[::1]:3000/a", "http://c/"]


def test_a_path_is_of_the_port_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "3000")
    assert urls_of(["/a"]) == ["http://localhost:3000/a"]
    assert urls_of(["/a"], 4000) == ["http://localhost:4000/a"]


def test_the_environment_changes_no_url_that_has_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "rubbish")
    assert urls_of(["a.example/b"]) == ["http://a.example/b"]


@pytest.mark.parametrize("value", ["", "0", "65536", "99999999999", "x", "-1", "80 ", "\u0663"])
def test_a_port_of_the_environment_that_is_none_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", value)
    message = refusal(["/a"])
    if value:
        assert message.startswith(f"PORT in the environment is '{value}', and no port from 1 to 65535; ")
    else:
        assert message.startswith("'/a' is a path, and no PORT in the environment says whose; ")


def test_the_largest_port_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "65535")
    assert port_of_environment() == 65535


def test_a_path_at_a_unix_socket_needs_no_port() -> None:
    assert urls_of(["/a"], has_socket=True) == ["http://localhost/a"]


def test_a_server_that_was_started_is_fired_at_its_root() -> None:
    assert urls_of([], 3000) == ["http://localhost:3000/"]


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ([], "a URL is missing; e.g. cannon http://127.0.0.1:4000/"),
        (["/a"], "'/a' is a path, and no PORT in the environment says whose; write the whole URL, "),
        (["//a/b"], "URL '//a/b' has no scheme before its //; "),
        (["http://a/", "1000"], "'1000' is no URL (ab, hey and oha say with -n how many requests to send"),
        (["10s"], "'10s' is no URL ("),
        (["ftp://a/"], "URL 'ftp://a/' has the scheme 'ftp'; cannon speaks http and https"),
        (["a:99999"], "URL 'a:99999' has no port from 1 to 65535; "),
        (["a:0"], "URL 'a:0' has no port from 1 to 65535; "),
        (["http:///x"], "URL 'http:///x' has no host; "),
        (["http://a/\r\nX: 1"], "URL 'http://a/\\r\\nX: 1' holds a space or a control character; "),
        (["http://a/\0"], "URL 'http://a/\\x00' holds a space or a control character; "),
        (["http://a/\udcff"], "URL 'http://a/\\udcff' is not UTF-8; "),
    ],
)
def test_what_cannot_be_fired_at_is_refused(urls: list[str], message: str) -> None:
    assert refusal(urls).startswith(message)


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: 1", "/a\0"])
def test_a_path_that_cannot_be_asked_for_is_refused(path: str) -> None:
    assert "holds a space or a control character" in refusal([path], 3000)


@pytest.mark.parametrize(
    "urls",
    [
        ["http://user:canary@a:99999/"],
        ["user:canary@a:99999"],
        ["http://user:can ary canary@a/"],
        ["https://user:canary@a:0/?token=canary"],
        ["https://user:canary@/?token=canary"],
        ["ftp://user:canary@a/"],
        ["//user:canary@a/"],
        ["/?token=canary"],
        ["http://user:canary@a/\udcff"],
    ],
)
def test_no_secret_of_a_url_is_in_what_is_said_of_it(urls: list[str]) -> None:
    assert "canary" not in refusal(urls)
