"""What `cannon compare` does not compare: sides that do not answer the same, and command lines that say no comparison.

Numbers come after equivalence: until the sides have answered the same, their servers are asked what they answer and
nothing else. Of a wrong command line they hear nothing at all.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.comparing import comparison_of, run_compare, told
from tests.firing import run_cli
from tests.servers.ports import reserved_port
from tests.servers.real import Node
from tests.servers.rude import Rude

pytest_plugins = ("tests.servers.fixtures",)

PROBES = 2
GREETING = 1


# Sides that differ.


@pytest.mark.parametrize(
    ("paths", "kind", "what", "probes"),
    [
        (("/status/200", "/status/404"), "status", "b answers 404, a 200", PROBES),
        # Asked once more a second later: a page that shows the time would vary.
        (
            ("/length/5", "/length/6"),
            "body",
            r"the bodies of b and a differ \(6 bytes, .*, against 5, .*\)",
            3,
        ),
    ],
)
def test_sides_that_answer_differently_are_told_apart_and_not_fired_at(
    rude: Rude, tmp_path: Path, paths: tuple[str, str], kind: str, what: str, probes: int
) -> None:
    report = tmp_path / "comparison.json"
    sides = [f"{name}={rude.url(path)}" for name, path in zip("ab", paths, strict=True)]
    process = run_compare("-o", str(report), *sides)
    comparison = comparison_of(process)
    assert process.returncode == 3
    assert (comparison.rounds, comparison.rows, comparison.validity.verdict) == ([], [], "invalid")
    (difference,) = comparison.equivalence.differences
    assert re.fullmatch(rf"{what} \(--allow {kind}\)", difference)
    assert process.stderr.splitlines()[-1] == f"cannon: invalid: {difference}"
    assert report.read_text() == process.stdout
    assert rude.per_path == dict.fromkeys(paths, GREETING + probes)
    assert [told(comparison, name) for name in "ab"] == [GREETING + probes] * 2


def test_codings_that_differ_are_told_with_what_allows_them() -> None:
    with Node() as node:
        own = ("--side", "[", "packed", "-H", "Accept-Encoding: gzip", "]")
        process = run_compare(*own, f"plain={node.url('/gzip')}", f"packed={node.url('/gzip')}")
        assert node.count() == 2 * (GREETING + PROBES)
    comparison = comparison_of(process)
    assert (process.returncode, comparison.rounds) == (3, [])
    assert comparison.equivalence.differences == [
        "packed sends gzip, plain no Content-Encoding (--allow encoding)"
    ]


def test_a_side_that_closes_its_connections_is_found_out_in_the_rounds(rude: Rude) -> None:
    options = ("-c", "2", "-d", "0.1", "--rounds", "1", "-R", "100")
    process = run_compare(*options, f"keeps={rude.url('/ok')}", f"closes={rude.url('/says-close')}")
    comparison = comparison_of(process)
    assert (process.returncode, comparison.equivalence.same) == (3, False)
    assert comparison.equivalence.differences == [
        "closes makes a new connection every response, keeps keeps its own (--allow reuse)"
    ]
    assert [each.number for each in comparison.rounds] == [1], "what was measured is kept"
    assert rude.per_path == {"/ok": told(comparison, "keeps"), "/says-close": told(comparison, "closes")}


def test_a_side_that_is_down_is_named_in_one_line(rude: Rude) -> None:
    with reserved_port() as port:
        process = run_compare(f"up={rude.url()}", f"down=http://127.0.0.1:{port}/")
    assert (process.returncode, process.stdout) == (3, "")
    assert process.stderr == (
        f"cannon: side 'down': cannot connect to http://127.0.0.1:{port}/: Connection refused,"
        f" dialling 127.0.0.1:{port} (is the server running, on this port?)\n"
    )
    assert rude.requests == GREETING


# Command lines.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A", "the side 'a' alone is compared with nothing; name two, e.g. cannon compare direct="),
        ("A A", "two sides have the name 'a'; give each its own, e.g. cannon compare direct="),
        ("base=U A", "'base' is no name for a side: gates call a stored result so; e.g. cannon compare"),
        ("a-b=U A", "'a-b' is no name for a side: it takes letters, digits and _"),
        (
            "--rate auto --no-capacity A B",
            "--rate auto is half of the capacity that --no-capacity leaves out",
        ),
        (
            "--proxy P A B",
            "--proxy compares one URL, direct and through the proxy; give it to one of the named",
        ),
        ("--compression snappy U", "--compression: 'snappy' is none of gzip, deflate, br, zstd"),
        ("-d 0.5 A B", "10 rounds take -d 1 or more; give that, or fewer --rounds"),
        ("-o nowhere/c.json A B", "-o/--output nowhere/c.json"),
        (
            "-o c.pdf A B",
            "-o/--output c.pdf: the end of the name tells the format, and it may be: .csv .json .md .xml",
        ),
        (
            "-o c.hgrm A B",
            "-o/--output c.hgrm: such a file holds one distribution, and a comparison has one for each side and round",
        ),
        ("-o c.autocannon.json A B", "-o/--output c.autocannon.json: autocannon knows no comparison"),
        (
            "--before-slot no-such-program A B",
            "--before-slot: there is no program 'no-such-program' to be run",
        ),
    ],
)
def test_a_line_that_says_no_comparison_is_refused_and_nothing_is_sent(
    rude: Rude, line: str, reason: str
) -> None:
    words = {"A": f"a={rude.url()}", "B": f"b={rude.url()}", "U": rude.url(), "P": rude.url("")}
    given = [words.get(word) or word.replace("=U", f"={rude.url()}") for word in line.split()]
    process = run_cli("compare", *given)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(f"cannon: {reason}"), process.stderr
    assert process.stderr.count("\n") == 1
    assert (rude.requests, rude.accepted) == (0, 0)


def test_three_rounds_are_fired_and_six_are_offered(rude: Rude) -> None:
    options = ("-c", "1", "-d", "0.3", "--rounds", "3", "-R", "50")
    process = run_cli("compare", *options, f"a={rude.url()}", f"b={rude.url()}")
    assert "cannon: --rounds 3: an interval takes 6 rounds, so there will be none" in process.stderr
    assert "give --rounds 6 or more" in process.stderr
    page = " ".join(process.stdout.split())
    assert "No intervals and no verdicts: of 3 rounds, and 6 are the least that have intervals" in page
    assert "mean" in page and "interval]" not in page
    # Fewer requests than are due are a machine's that had no time for them.
    assert process.returncode == 0 or "could not keep up" in process.stderr
