"""What cannot be compared: one line with a right example, exit code 2, nothing sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.refusing import refused

URL = "http://127.0.0.1:4000/"
SIDES = ["a=http://127.0.0.1:4000/", "b=http://127.0.0.1:4001/"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A", "the side 'a' alone is compared with nothing; name two, e.g. cannon compare direct="),
        ("U", "one URL alone is compared with nothing; name two, e.g. cannon compare direct="),
        ("", "a URL is missing; e.g. cannon compare direct="),
        ("A U", "URL 'http://127.0.0.1:4000/' has no name before it; e.g. "),
        ("A http://h/?c=d", "URL 'http://h/?c=d' has no name before it; e.g. "),
        ("A A", "two sides have the name 'a'; give each its own, e.g. "),
        ("base=U A", "'base' is no name for a side: gates call a stored result so; e.g. "),
        ("a-b=U A", "'a-b' is no name for a side: it takes letters, digits and _"),
        ("1b=U A", "'1b' is no name for a side: "),
        ("=U A", "'' is no name for a side: "),
        ("\u00e9=U A", "'\u00e9' is no name for a side: "),
        ("b= A", "the side 'b' has no URL; e.g. "),
        ("b=ftp://u:canary@h A", "side 'b': URL 'ftp://***@h' has the scheme 'ftp'"),
        ("b=/x A", "side 'b': '/x' is a path, and no PORT in the environment says whose"),
        (
            "--proxy http://h:1 A B",
            "--proxy compares one URL, direct and through the proxy; give it to one of the",
        ),
        ("--proxy http://h:1 --aa U", "--proxy and --aa are comparisons of their own; leave all but one"),
        ("--compression gzip --aa U", "--compression and --aa are comparisons of their own"),
        (
            "--aa A",
            "--aa names its sides itself, so 'a=' is no part of the URL; e.g. cannon compare --aa http",
        ),
        ("--aa U U", "--aa compares one URL, and 'http://127.0.0.1:4000/' is a second; e.g. "),
        (
            "--compression gzip",
            "--compression compares one URL, and none is given; e.g. cannon compare --compression",
        ),
        (
            "--compression gzip --compressed U",
            "--compression gives each side its Accept-Encoding; leave --compressed",
        ),
        (
            "--compression gzip -H accept-encoding:br U",
            "--compression gives each side its Accept-Encoding; leave -H",
        ),
        (
            "--compression gzip U --side [ gzip -H Accept-Encoding:br ]",
            "--compression gives each side its Accept-Encoding; leave -H",
        ),
        (
            "--compression gzip -E x U",
            "-E compares what came over the wire, and --compression has it encoded",
        ),
        (
            "--rate auto --no-capacity A B",
            "--rate auto is half of the capacity that --no-capacity leaves out; give a",
        ),
        (
            "--no-capacity A B",
            "--rate auto is half of the capacity that --no-capacity leaves out; give a rate",
        ),
        (
            "-R 5 --rate 5 A B",
            "-R/--overallRate is --rate without the capacity pass, and --rate is given too",
        ),
        ("--rate 2M A B", "--rate is more than the 1,000,000/s that cannon may fire in all; e.g. --rate 500"),
        ("--precision 3% --rounds 5 A B", "--precision is that of intervals, which take 6 rounds"),
        (
            "--precision 3% --rounds 41 A B",
            "--max-rounds must not be less than --rounds; e.g. --max-rounds 164",
        ),
        ("-d 0.5 A B", "10 rounds take -d 1 or more; give that, or fewer --rounds"),
        ("-w 11 A B", "-w 11 workers need a connection each"),
        ("-p 2 -H Connection:close A B", "-p sends requests behind each other, and none may follow"),
        ("-o x.json -o x.json A B", "-o/--output x.json is given twice"),
        ("--pid x=1 --pid x=1 A B", "--pid x=1: two processes have the name 'x'"),
        (
            "--side [ a -k ] --side [ a -s h ] A B",
            "--side: the side 'a' has two groups; write all of it in one",
        ),
        ("--side [ a -k A B", "--side [ has no closing ]; e.g. --side [ "),
        ("--side [ a --ca nowhere.pem ] A B", "side 'a': --ca: 'nowhere.pem' cannot be read"),
        ("--side [ a --connect-to h:1 -S /x ] A B", "side 'a': -S/--socketPath leads past every network"),
        ("A B -- node server.js", "cannon compare starts no server; a command after -- is for firing"),
        ("A B --roundz 3", "there is no option --roundz; did you mean --rounds?"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    line: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"A": SIDES[0], "B": SIDES[1], "U": URL, "": ""}
    given = [words.get(word, word.replace("=U", f"={URL}")) for word in line.split()]
    assert refused(["compare", *given], capsys).startswith(f"cannon: {reason}")
