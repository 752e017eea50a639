"""What is wrong with a way to the server is said in one line that names the option, and never a password."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.route import (
    Address,
    Peer,
    Proxy,
    ProxyKind,
    Route,
    authority,
    parse_bind,
    parse_connect_to,
    parse_socket_path,
)

HTTP, SOCKS5 = ProxyKind.HTTP, ProxyKind.SOCKS5


# Proxies.


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://127.0.0.1:3128", Proxy(HTTP, "127.0.0.1", 3128)),
        ("http://127.0.0.1:3128/", Proxy(HTTP, "127.0.0.1", 3128)),
        ("HTTP://Proxy.Example:80", Proxy(HTTP, "proxy.example", 80)),
        ("127.0.0.1:3128", Proxy(HTTP, "127.0.0.1", 3128)),
        ("user:pass@localhost:8080", Proxy(HTTP, "localhost", 8080, "user:pass")),
        ("http://proxy", Proxy(HTTP, "proxy", 1080)),
        ("http://[::1]:3128", Proxy(HTTP, "::1", 3128)),
        (
            "http://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example:1",
            Proxy(HTTP, "xn--bcher-kva.example", 1),
        ),
        ("socks5://127.0.0.1", Proxy(SOCKS5, "127.0.0.1", 1080)),
        ("socks5h://127.0.0.1:9050", Proxy(SOCKS5, "127.0.0.1", 9050)),
        ("http://us%20er:p%40ss%3Aword@a:1", Proxy(HTTP, "a", 1, "us er:p@ss:word")),
        ("http://user@a:1", Proxy(HTTP, "a", 1, "user:")),
        ("http://user:%C3%A9@a:1", Proxy(HTTP, "a", 1, "user:\N{LATIN SMALL LETTER E WITH ACUTE}")),
    ],
)
def test_a_proxy_is_taken_apart(url: str, proxy: Proxy) -> None:
    assert Proxy.parse(url) == proxy


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://canary:canary@a:1", "cannon speaks to a proxy without TLS; give its http:// address"),
        ("socks4://canary:canary@a:1", "neither http:// nor socks5://"),
        ("ftp://canary:canary@a:1", "neither http:// nor socks5://"),
        ("http://canary:canary@a:1/path", "a proxy has only a host and a port"),
        ("http://canary:canary@a:1/?query", "a proxy has only a host and a port"),
        ("http://canary:canary@a:1#x", "a proxy has only a host and a port"),
        ("http://canary:canary@:1", "no valid host"),
        ("http://canary:canary@a..b:1", "no valid host"),
        ("http://canary:canary@[::1", "no valid host"),
        ("http://canary:can/ary@a:1", "no valid host"),
        ("http://canary:canary@a:0", "no port from 1 to 65535"),
        ("http://canary:canary@a:65536", "no valid host and port"),
        ("http://canary:canary@a:", "no valid host and port"),
        ("http://canary:canary@a:x", "no valid host and port"),
        ("http://canary:canary@a:1 ", "a space or a control character"),
        ("http://canary:canary@a\r\n:1", "a space or a control character"),
        ("http://canary:canary%0D%0A@a:1", "a control character"),
        ("http://canary:canary%00@a:1", "a control character"),
        ("http://canary:canary%FF@a:1", "not UTF-8"),
        ("http://canary:canary\udcff@a:1", "not UTF-8"),
        ("http://can%3Aary:canary@a:1", "holds a colon"),
        ("socks5://canary@a:1", "neither empty"),
        ("socks5://:canary@a:1", "neither empty"),
        (f"socks5://canary:{'canary' * 50}@a:1", "255 bytes"),
        ("", "no valid host"),
    ],
)
def test_what_is_no_proxy_is_refused_and_nothing_of_a_password_is_shown(url: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        Proxy.parse(url)
    message = raised.value.message
    assert message.startswith("--proxy")
    assert words in message
    assert "canary" not in message
    assert message.isprintable()


@given(st.text())
def test_any_text_is_a_proxy_or_is_refused(text: str) -> None:
    try:
        proxy = Proxy.parse(text)
    except UsageError as error:
        assert error.message.startswith("--proxy")
    else:
        assert proxy.host.isascii()
        assert 1 <= proxy.port <= 65_535


def test_a_proxy_is_shown_without_its_user() -> None:
    assert str(Proxy.parse("http://user:canary@[::1]:3128")) == "http://[::1]:3128"
    assert str(Proxy.parse("socks5h://user:canary@a")) == "socks5://a:1080"


# Another address.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:8080", ("::1", 8080)),
        ("backend-1.example:1", ("backend-1.example", 1)),
        ("localhost:65535", ("localhost", 65_535)),
    ],
)
def test_a_host_and_a_port_are_told_apart(text: str, found: tuple[str, int]) -> None:
    assert parse_connect_to(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("localhost", "no HOST:PORT"),
        (":80", "no HOST:PORT"),
        ("localhost:", "no HOST:PORT"),
        ("localhost:http", "no HOST:PORT"),
        ("a:80:b:81", "no HOST:PORT"),
        ("", "no HOST:PORT"),
        ("::1:8080", "stands in brackets"),
        ("::1", "stands in brackets"),
        ("[fe80::x]:80", "no valid host"),
        ("a..b:80", "no valid host"),
        ("http://a:80", "no HOST:PORT"),
        ("a b:80", "no valid host"),
        ("a\r\nb:80", "no valid host"),
        ("a\0:80", "no valid host"),
        ("user@a:80", "no valid host"),
        ("localhost:0", "from 1 to 65535"),
        ("localhost:65536", "from 1 to 65535"),
        ("localhost:-1", "no HOST:PORT"),
        ("localhost:8\N{ARABIC-INDIC DIGIT ONE}", "no HOST:PORT"),
    ],
)
def test_what_is_no_host_and_port_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_connect_to(text)
    assert raised.value.message.startswith("--connect-to ")
    assert words in raised.value.message
    assert (
        "--connect-to [::1]:8080" in raised.value.message
        or "--connect-to 127.0.0.1:8080" in raised.value.message
    )
    assert raised.value.message.isprintable()


@given(st.text())
def test_any_text_is_a_host_and_port_or_is_refused(text: str) -> None:
    try:
        host, port = parse_connect_to(text)
    except UsageError as error:
        assert error.message.startswith("--connect-to ")
    else:
        assert parse_connect_to(authority(host, port)) == (host, port)


# A local end.


@pytest.mark.parametrize(("text", "address"), [("127.0.0.2", "127.0.0.2"), ("::1", "::1"), ("[::1]", "::1")])
def test_an_address_of_this_machine_can_be_bound(text: str, address: str) -> None:
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("localhost", "no numeric address"),
        ("eth0", "no numeric address"),
        ("127.0.0.1:80", "no numeric address"),
        ("", "no numeric address"),
        ("127.0.0.1\r\n", "no numeric address"),
        ("192.0.2.1", "no address of this machine"),
        ("2001:db8::1", "no address of this machine"),
    ],
)
def test_what_cannot_be_bound_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_bind(text)
    assert raised.value.message.startswith("--bind ")
    assert words in raised.value.message
    assert "e.g. --bind 127.0.0." in raised.value.message


# Unix sockets.


def test_the_path_of_a_socket_is_one_whether_or_not_it_is_there_yet(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    assert parse_socket_path(path) == path
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert parse_socket_path(path) == path
    link = tmp_path / "link"
    link.symlink_to(path)
    assert parse_socket_path(str(link)) == str(link)


def test_what_is_there_and_no_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, words in (
        ("file", "a file and no socket"),
        (".", "a directory and no socket"),
        ("file/x", "Not a"),
    ):
        with pytest.raises(UsageError, match=f"-S/--socketPath .*{words}"):
            parse_socket_path(str(tmp_path / name))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "no path"),
        ("a\0b", "no path"),
        ("x" * 108, "108 bytes long"),
        ("\xe9" * 54, "108 bytes"),
        ("\udcff", "UTF-8"),
    ],
)
def test_what_can_be_no_path_of_a_socket_is_refused(path: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"-S/--socketPath.*{words}"):
        parse_socket_path(path)
    with pytest.raises(UsageError, match=f"-S/--socketPath.*{words}"):
        Route(socket_path=path)


def test_the_longest_path_is_one_that_the_system_takes(tmp_path: Path) -> None:
    path = str(tmp_path / "x")
    path += "x" * (107 - len(path))
    assert parse_socket_path(path) == path
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
    assert Path(path).is_socket()


# Routes.


PROXY = Proxy.parse("http://user:canary@127.0.0.1:1")


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"socket_path": "/s", "proxy": PROXY}, ("-S/--socketPath", "--proxy")),
        ({"socket_path": "/s", "connect_to": ("a", 1)}, ("-S/--socketPath", "--connect-to")),
        ({"socket_path": "/s", "bind": "127.0.0.1"}, ("-S/--socketPath", "--bind")),
        ({"proxy": PROXY, "connect_to": ("a", 1)}, ("--proxy", "--connect-to")),
    ],
)
def test_ways_that_exclude_each_other_are_refused(
    settings: dict[str, object], names: tuple[str, str]
) -> None:
    with pytest.raises(UsageError) as raised:
        Route(**settings)  # type: ignore[arg-type]  # of all kinds
    assert all(name in raised.value.message for name in names)
    assert "canary" not in raised.value.message


def test_a_local_end_goes_with_a_proxy_and_with_another_address() -> None:
    assert Route(proxy=PROXY, bind="127.0.0.1").bind == "127.0.0.1"
    assert Route(connect_to=("a", 1), bind="127.0.0.1").bind == "127.0.0.1"


@pytest.mark.parametrize(
    ("address", "shown", "sockaddr"),
    [
        (Address("127.0.0.1", 80), "127.0.0.1:80", ("127.0.0.1", 80)),
        (Address("::1", 80), "[::1]:80", ("::1", 80)),
        (Address("127.0.0.1", 80, peer=Peer.PROXY), "the proxy 127.0.0.1:80", ("127.0.0.1", 80)),
        (Address(path="/s\x1b"), "/s\\x1b", "/s\x1b"),
    ],
)
def test_an_address_is_shown_as_whom_it_reaches(
    address: Address, shown: str, sockaddr: tuple[str, int] | str
) -> None:
    assert (str(address), address.sockaddr) == (shown, sockaddr)
