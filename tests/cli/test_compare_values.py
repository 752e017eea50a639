from __future__ import annotations

from fractions import Fraction

import pytest

from cannon.cli import compare_values
from cannon.cli.values import WrongValue


def test_a_rate_is_a_number_a_second_or_auto() -> None:
    assert compare_values.rate("auto") == "auto"
    assert compare_values.rate("2k/s") == 2000
    assert compare_values.rate("90/m") == Fraction(3, 2)


def test_codings_are_told_apart_by_commas_in_order() -> None:
    assert compare_values.codings("br, gzip,zstd,deflate") == ("br", "gzip", "zstd", "deflate")


def test_what_may_differ_is_all_that_is_ever_compared() -> None:
    assert compare_values.allowed("tls,encoding,status,body,reuse") == (
        "tls",
        "encoding",
        "status",
        "body",
        "reuse",
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("systemctl restart haproxy", ("systemctl", "restart", "haproxy")),
        ("sh -c 'sleep 1; x'", ("sh", "-c", "sleep 1; x")),
        ('a "" b\\ c', ("a", "", "b c")),
    ],
)
def test_a_command_is_parted_as_a_shell_would(given: str, words: tuple[str, ...]) -> None:
    assert compare_values.command(given) == words


def test_what_is_wrong_with_a_command_is_told_without_it() -> None:
    with pytest.raises(WrongValue) as raised:
        compare_values.command("sql --password 'canary")
    assert str(raised.value) == "a quote in the command is not closed"


def test_a_process_has_a_name_and_a_number() -> None:
    assert compare_values.process("_nginx2=1234") == ("_nginx2", 1234)
