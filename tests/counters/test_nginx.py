"""What nginx's stub_status says becomes one row; what is no such page becomes one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.counters import DESCRIBED, Counters, read
from cannon.counters.nginx import parsed
from cannon.errors import InvalidRun
from tests.counters.liar import Liar, Manner
from tests.servers.ports import reserved_port

PAGE = b"""Active connections: 6 
server accepts handled requests
 16 15 31 
Reading: 1 Writing: 2 Waiting: 3 
"""  # noqa: W291 - as nginx 1.22 writes it
FIGURES: dict[str, float] = {
    "active": 6,
    "accepts": 16,
    "handled": 15,
    "requests": 31,
    "reading": 1,
    "writing": 2,
    "waiting": 3,
}


def response(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n".encode() + body


def refusal(url: str, limit_s: float = 10.0) -> str:
    with pytest.raises(InvalidRun) as refused:
        read("nginx", url, limit_s)
    message = refused.value.message
    assert message.isprintable()
    assert len(message) < 500
    return message.partition("cannot be read: ")[2]


def test_a_page_is_one_row() -> None:
    assert parsed(PAGE) == [Counters("nginx", "nginx", FIGURES)]


def test_every_figure_is_described() -> None:
    assert set(FIGURES) <= set(DESCRIBED)


def test_columns_are_found_by_their_names() -> None:
    page = PAGE.replace(b"accepts handled requests", b"handled requests time accepts")
    (row,) = parsed(page.replace(b"16 15 31", b"15 31 999 16"))
    assert row.figures == FIGURES


@pytest.mark.parametrize("number", [b"9" * 21, b"-1", b"nan", b"1e9", b"0x1", b"1\x00", "\u0663".encode()])
def test_what_is_no_number_is_refused(number: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it says '.*' of 'handled', which is no number$"):
        parsed(PAGE.replace(b" 15 ", b" " + number + b" "))


@given(st.integers(0, len(PAGE) - 3))
def test_a_page_that_was_cut_off_is_never_read(end: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|no page of stub_status"):
        parsed(PAGE[:end])


@given(st.binary() | st.text().map(lambda noise: PAGE.decode().replace("15", noise).encode()))
def test_whatever_is_said_becomes_a_row_or_words(page: bytes) -> None:
    try:
        (row,) = parsed(page)
    except ValueError:
        return
    assert row.of == "nginx"


@pytest.mark.parametrize("headers", ["", f"Content-Length: {len(PAGE)}\r\n"])
def test_a_page_is_asked_for_over_http(headers: str) -> None:
    with Liar.on_port(response(PAGE, headers=headers)) as liar:
        assert read("nginx", liar.url) == parsed(PAGE)
    assert liar.heard.startswith(b"GET /status HTTP/1.1\r\n")


NO_PAGE = "it is no page of stub_status: it says "


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            response(b"no", "404 Not Found"),
            "it answers with status 404; in nginx: location = /status { stub_status; }",
        ),
        (response(b""), f"{NO_PAGE}''"),
        (response(b"<html>\n\x00\x1b[2J"), rf"{NO_PAGE}'<html>\n\x00\x1b[2J'"),
        (response(PAGE[:-2]), "its answer is cut off"),
        (response(PAGE[:-2], headers="Content-Length: 99999\r\n"), "its answer is cut off"),
        (response(PAGE + b"x" * 5000), "its answer is longer than any page of stub_status"),
        (
            response(b"", headers="Transfer-Encoding: chunked\r\n") + b"ffffffffffffffff\r\n",
            "it speaks no HTTP: IncompleteRead(0 bytes read)",
        ),
        (b"SSH-2.0-OpenSSH\r\n", r"it speaks no HTTP: BadStatusLine('SSH-2.0-OpenSSH\r\n')"),
        (b"", "Remote end closed connection without response"),
    ],
)
def test_what_is_no_page_is_refused(said: bytes, told: str) -> None:
    with Liar.on_port(said) as liar:
        assert refusal(liar.url).startswith(told)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", "its answer does not end"),
        (b"HTTP/1.1 200 OK\r\n", "it speaks no HTTP: HTTPException('got more than 100 headers')"),
        (b"x" * 100, "it speaks no HTTP: LineTooLong('got more than 65536 bytes when reading status line')"),
    ],
)
def test_an_answer_that_does_not_end_is_given_up(said: bytes, told: str) -> None:
    with Liar.on_port(said, Manner.ENDLESS) as liar:
        assert refusal(liar.url) in {told, "its answer does not end"}


@pytest.mark.parametrize("manner", [Manner.HELD, Manner.DRIPPED])
@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 100 Continue\r\n\r\n", response(PAGE, headers="Content-Length: 999\r\n")]
)
def test_a_peer_that_takes_too_long_is_given_up(said: bytes, manner: Manner) -> None:
    with Liar.on_port(said, manner) as liar:
        assert refusal(liar.url, 0.1) == "it did not answer within 0.1 s"


def test_a_peer_that_hangs_up_is_refused() -> None:
    with Liar.on_port(b"", Manner.RESET) as liar:
        assert refusal(liar.url) in {
            "Connection reset by peer",
            "Remote end closed connection without response",
            "Broken pipe",
        }


def test_a_port_where_nobody_listens_is_refused() -> None:
    with reserved_port() as port:
        assert refusal(f"http://127.0.0.1:{port}/status") == "Connection refused"


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/status", "http://who:pass@127.0.0.1:1/status"])
def test_what_is_asked_for_otherwise_is_refused(url: str) -> None:
    told = "the page is asked for by http and without a password; e.g. http://127.0.0.1:8080/status"
    assert refusal(url) == told


@pytest.mark.parametrize(
    "url", ["http://", "ftp://127.0.0.1/", "http://127.0.0.1/a\r\nb", "http://127.0.0.1:0/\x00"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    assert refusal(url).startswith("URL '")


def test_a_password_is_never_shown() -> None:
    with pytest.raises(InvalidRun) as refused:
        read("nginx", "http://who:hidden@127.0.0.1:1/status")
    assert "hidden" not in refused.value.message
