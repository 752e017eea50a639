from __future__ import annotations

import pytest

from cannon.version import is_compiled
from clients import CLIENTS
from machine import described, version_in

SAID = {
    "cannon": ("cannon 0.1.0\n", "0.1.0"),
    "wrk": ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer\n", "debian/4.1.0-3+b2"),
    "h2load": ("h2load nghttp2/1.52.0\n", "1.52.0"),
    "autocannon": ("autocannon v9.0.0\nnode v20.20.2\n", "9.0.0"),
    "siege": ("SIEGE 4.0.7\n\nCopyright (C) 2018 by Jeffrey Fulmer, et al.\n", "4.0.7"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_version_is_read_off_what_the_program_says(name: str) -> None:
    said, version = SAID[name]
    asked = CLIENTS[name].version
    assert asked is not None
    assert version_in(said, asked[1]) == version


def test_a_program_that_tells_no_version_is_said_to() -> None:
    assert version_in("Usage: hey [options...] <url>", r"hey (\d+)") == "of unknown version"


def test_figures_are_told_with_machine_and_programs() -> None:
    text = described({"hey": ("hey",)})
    assert "Python 3." in text and "OpenSSL" in text and "nginx 1." in text and "hey " in text


def test_a_reader_is_told_whether_cannon_was_compiled() -> None:
    kind = "compiled" if is_compiled() else "plain Python"
    assert f" ({kind})," in described({"cannon": CLIENTS["cannon"].program})
