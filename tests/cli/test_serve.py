from __future__ import annotations

from collections.abc import Callable

import pytest

from cannon import origin
from cannon.cli import main


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The addresses that the origin was asked to serve on; it takes 4321 where a port is free to choose."""
    addresses: list[tuple[str, int]] = []

    def serve(host: str, port: int, ready: Callable[[int], None]) -> None:
        addresses.append((host, port))
        ready(port or 4321)

    monkeypatch.setattr(origin, "serve", serve)
    return addresses


@pytest.mark.parametrize(
    ("line", "address", "url"),
    [
        ("serve", ("127.0.0.1", 4000), "http://127.0.0.1:4000/"),
        ("serve --port 0", ("127.0.0.1", 0), "http://127.0.0.1:4321/"),
        ("serve --host=::1 --port=81", ("::1", 81), "http://[::1]:81/"),
        ("--port 81 serve", ("127.0.0.1", 81), "http://127.0.0.1:81/"),
    ],
)
def test_it_serves_where_it_was_told_and_says_so(
    line: str,
    address: tuple[str, int],
    url: str,
    asked: list[tuple[str, int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(line.split()) == 0
    assert asked == [address]
    assert capsys.readouterr().out == f"listening on {url}\n"
