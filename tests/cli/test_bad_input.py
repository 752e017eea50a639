"""Every option's wrong values, from the command line: one line that names it, exit code 2, nothing sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from cannon.cli.options import BARE, OPTIONS
from cannon.cli.options.compare import COMPARE, REFUSED
from cannon.cli.values import Option
from cannon.form import HELD_BYTES
from tests.cli.refusing import refused

URL = "http://127.0.0.1:4000/"

NO_COUNT = ("", "x", "-1", "1.5", "1e3", "0x10", "99999999999999")
NO_DURATION = ("", "x", "-1s", "1x", "1s1m", "99999h")
NO_FILE = ("", "nowhere/x", "a\0b")
NO_RATE = ("", "0", "-1", "x", "10/d", "1/s/s", "2M/s", "nan", "inf")
ODD = ("\r\nX: 1", "a\nb", "a\0b")

WRONG: dict[str, tuple[str, ...]] = {
    "-c": ("0", *NO_COUNT),
    "-p": ("0", "10001", "post.json", *NO_COUNT),
    "-d": ("0", '{"a": 1}', *NO_DURATION),
    "-a": ("0", "5", *NO_COUNT),
    "-w": ("11", *NO_COUNT),
    "-W": ("x", "0", "[ -c 0 ]", "[ -R 5 ]", "[ -a 5 ]", "[ ' ]", "[ x ]"),
    "-M": ("0", *NO_COUNT),
    "-O": ("0", *NO_COUNT),
    "-D": ("body.json", *NO_COUNT),
    "-B": ("0", *NO_COUNT),
    "-R": NO_RATE,
    "-r": ("200k", *NO_RATE),
    "--ramp": ("", "5", "0..0/s:3s", "0..500/s", "0..x/s:3s", "0..500/s:0", "500/s:3s", "0..500:x", *ODD),
    "--steps": ("", "5", "100,200/s", "0/s:3s", "100,,200/s:3s", "100/s:0", "1,x:3s", *ODD),
    "--find-rate": (
        "",
        "p99",
        "p99 < 50",
        "p99 < 5 kg",
        "p101 < 5ms",
        "q < 5ms",
        "p99 ! 5ms",
        "p99@nobody < 5ms",
        *ODD,
    ),
    "--arrivals": ("", "Even", "uniform", *ODD),
    "--seed": ("", "-1", "1.5", "x", "4294967296"),
    "--timestamps": ("", "nic", *ODD),
    "-m": ("", "get", "G T", "CONNECT", *ODD),
    "-H": ("", "x", ":", "K: v\r\nX: 1", "K: a\0", "K\n: v", "Content-Length: 3", "K: \udcff"),
    "-i": NO_FILE,
    "-F": (
        "",
        "{",
        "{}",
        "[]",
        '{"a": 1}',
        '{"a": {"type": "x"}}',
        "a=@b",
        '{"a": {"type": "file"}}',
        *NO_FILE,
    ),
    "--har": NO_FILE,
    "--expect-status": ("", "2", "100", "1000", "200,", "2xx", *ODD),
    "-S": ("", "/", "a\nb", "a\0b", "\udcff", "x" * 108),
    "--proxy": (
        "",
        "ftp://h",
        "http://",
        "http://h:0",
        "http://h/x",
        "socks5://u@h",
        "http://u:canary@h:x",
        *ODD,
    ),
    "--connect-to": ("", "h", "h:", "h:0", "h:65536", ":80", "::1:80", "u:canary@h:1", *ODD),
    "--bind": ("", "h", "127.0.0.1:80", "127.0.0.256", "192.0.2.1", *ODD),
    "-t": ("0", "4t", *NO_DURATION),
    "--drain": NO_DURATION,
    "--engine": ("", "curl", "NATIVE", *ODD),
    "--ca": ("[ ]", "[ nowhere.pem ]", *NO_FILE),
    "-s": ("", "script.lua", "./x", "127.0.0.1", "a b", "a..b", *ODD),
    "--cert": NO_FILE,
    "--key": ("nowhere.key",),
    "--tls-session": ("", "new", *ODD),
    "--gate": (
        "",
        "x",
        "p99",
        "p99 <",
        "p99 < 5",
        "p99 < 5 apples",
        "p99@nobody < 5ms",
        "p99 < base",
        "p99 < 5ms x",
        "a\nb",
    ),
    "--baseline": NO_FILE,
    "--baseline-mismatch": ("", "ignore", *ODD),
    "--inconclusive": ("", "pass", *ODD),
    "--abort-on-fail": NO_DURATION,
    "-L": ("0", "1", *NO_DURATION),
    "-T": ("a\nb", "a\rb", "a\0b", "\udcff"),
    "--format": ("", "xml", *ODD),
    "-o": ("", "x", "x.txt", "nowhere/x.json", "a\0b.json"),
    "--stream": NO_FILE,
    "--log": NO_FILE,
}
"""By the first of its names. A value that only another option makes wrong stands there as well: -a 5 with 10 of -c."""

TAKES_ANYTHING = {"-b", "-E"}

NO_PERCENTAGE = ("", "5", "x%", "-5%", "0%", "100%", "1001%", *ODD)
OF_COMPARE: dict[str, tuple[str, ...]] = {
    "-W": ("[ ]", "[ -c 1 ]", "[ -d 3 ]", "10000000h"),
    "-o": ("x.html", "x.autocannon.json", "x.hgrm"),
    "-R": ("auto",),
    "--format": ("autocannon",),
    "--engine": ("httpx",),
    "--compression": ("", "gzip,", "gzip,gzip", "identity", "lzma", "GZIP", *ODD),
    "--side": (
        "",
        "a",
        "[ ]",
        "[ a ]",
        "[ c -k ]",
        "[ -k ]",
        "[ a b -k ]",
        "[ a -c 5 ]",
        "[ a --side b ]",
        "[ a --ca ]",
        "[ a --proxy ftp://h ]",
        "[ a -H canary ]",
        "[ a -H 'X: canary ]",
        "[ a -k=1 ]",
        "[ a -v ]",
    ),
    "--allow": ("", "tls,", "body,body", "headers", *ODD),
    "--rounds": ("0", "1001", *NO_COUNT),
    "--precision": NO_PERCENTAGE,
    "--max-rounds": ("0", *NO_COUNT),
    "--margin": NO_PERCENTAGE,
    "--order": ("", "ABBA", "random", *ODD),
    "--rate": ("Auto", *NO_RATE),
    "--before-slot": ("", " ", "'", '"sql -p canary', "a\0b", "''", "nowhere/x -p canary", "/dev/null"),
    "--pid": (
        "",
        "x",
        "x=",
        "=1",
        "x=0",
        "x=-1",
        "x=1.5",
        "2x=1",
        "x=99999999999",
        "x=2147483647",
        "cannon=1",
        *ODD,
    ),
}
"""The same for `cannon compare`, beside those that are wrong for a plain run."""


def first_name(option: Option) -> str:
    return option.names[0]


def named(option: Option, text: str) -> bool:
    """Whether a message says which option it is about."""
    return any(text.removeprefix("cannon: ").startswith(name) for name in option.names)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)


VALUED = [option for option in OPTIONS if option.read is not None]
FLAGS = [option for option in OPTIONS if option.read is None]


def test_the_table_has_every_option_that_takes_a_value() -> None:
    assert WRONG.keys() | TAKES_ANYTHING == {first_name(option) for option in VALUED}
    assert not WRONG.keys() & TAKES_ANYTHING


@pytest.mark.parametrize(
    ("option", "value"),
    [(option, value) for option in VALUED for value in dict.fromkeys(WRONG.get(first_name(option), ()))],
    ids=lambda each: first_name(each) if isinstance(each, Option) else ascii(each)[:40],
)
def test_a_wrong_value_is_one_line_that_names_the_option_and_sends_nothing(
    option: Option, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = first_name(option)
    words = [f"{name}={value}"] if name in BARE else [name, value]
    assert named(option, refused([*words, URL], capsys))


@pytest.mark.parametrize(
    "option", [option for option in VALUED if not BARE & set(option.names)], ids=first_name
)
def test_a_missing_value_is_told_with_an_example(option: Option, capsys: pytest.CaptureFixture[str]) -> None:
    message = refused([URL, option.names[-1]], capsys)
    assert message == f"cannon: {option.label} needs a value; e.g. {option.example}\n"


@pytest.mark.parametrize("option", FLAGS, ids=first_name)
def test_a_flag_that_is_given_a_value_is_told_to_stand_alone(
    option: Option, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in option.names:
        message = refused([f"{name}=yes", URL], capsys)
        assert f" takes no value; write {name} alone" in message


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("-t", "4t"), "(wrk's -t, its threads, is -w here)"),
        (("-s", "script.lua"), "(wrk's -s, a script, has no counterpart here yet)"),
        (("-L", "http://127.0.0.1/"), "(wrk2's -L is -l here)"),
        (("-p", "post.json"), "(ab posts a file with -p: that is -m POST -i FILE here)"),
        (("-D", "x.json"), "(hey and oha read the body from a file with -D: that is -i here)"),
        (("-n", "1000"), "(ab, hey and oha say with -n how many requests to send: that is -a here)"),
        (("-n1000",), "(ab, hey and oha say with -n how many requests to send: that is -a here)"),
        (("-z", "10s"), "cannon's is -d/--duration, e.g. -d 10"),
        (("-q", "100"), "hey's, a rate of each connection, is -r here"),
        (("--rate", "100"), "cannon's is -R/--overallRate, e.g. -R 1000"),
        (("-rate=50",), "cannon's is -R"),
        (("-duration=5s",), "write --duration, with two dashes"),
    ],
)
def test_who_comes_from_another_tool_is_told_what_it_is_called_here(
    words: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hint in refused([*words, URL], capsys)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("-a 5 -c 10", "-a 5 is less than -c 10"),
        ("-f -w 2", "-w fires from several"),
        ("-f --find-rate p99<1ms", "and -f never"),
        ("-p 2 -i large", "a body that is streamed from a file stops them"),
        ('-p 2 -F {"a":{"type":"file","path":"large"}}', "a body that is streamed from a file stops them"),
        ("-p 2 -H Connection:close", "none may follow"),
        ("--proxy http://h:1 -S /run/x", "-S/--socketPath leads past every network"),
        ("--connect-to h:1 -S /run/x", "-S/--socketPath leads past every network"),
        ("--bind 127.0.0.1 -S /run/x", "-S/--socketPath leads past every network"),
        ("--proxy http://h:1 --connect-to h:1", "both say whom to dial"),
        ("-C", "is about a rate, and there is none"),
        ("-C -d 3", "is about a rate, and there is none"),
        ("--seed 1", "and there is none"),
        ("--arrivals poisson", "and there is none"),
        ("-R 1 --ramp 1..2/s:3s", "leave all but one of them out"),
        ("-E x --har large", "those of --har have each their own"),
        ("-E x --compressed", "--compressed has it encoded"),
        ("-b x -F {}", "both give the body"),
        ("-I", "finds no [<id>]"),
        ("-I -i large", "finds no [<id>]"),
        ("--timestamps kernel -S /run/x", "the kernel stamps the bytes of plain TCP"),
        ("--engine httpx --debug -R 5", "give --engine native"),
        ("-w 11", "-w 11 workers need a connection each"),
        ("--on-port -j", "--on-port starts the command that follows --, and none does"),
        ("--key k", "--key belongs to a certificate"),
    ],
)
def test_options_that_contradict_each_other_are_refused_with_the_reason(
    line: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("large", "wb") as file:
        file.truncate(HELD_BYTES + 1)
    assert reason in refused([*line.split(), URL], capsys)


SIDES = ["a=http://127.0.0.1:4000/", "b=http://127.0.0.1:4001/"]
COMPARED = [option for option in COMPARE if option.read is not None]


def test_the_tables_have_every_option_of_compare_that_takes_a_value() -> None:
    assert {first_name(option) for option in COMPARED} <= WRONG.keys() | OF_COMPARE.keys() | TAKES_ANYTHING
    assert OF_COMPARE.keys() <= {first_name(option) for option in COMPARED}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        (option, value)
        for option in COMPARED
        for name in [first_name(option)]
        for value in dict.fromkeys(
            (*(() if name in BARE else WRONG.get(name, ())), *OF_COMPARE.get(name, ()))
        )
    ],
    ids=lambda each: first_name(each) if isinstance(each, Option) else ascii(each)[:40],
)
def test_a_wrong_value_of_compare_is_one_line_that_names_the_option_and_sends_nothing(
    option: Option, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = first_name(option)
    words = [f"{name}={value}"] if name in BARE else [name, value]
    sides = [URL] if name in ("--compression", "--proxy") else SIDES
    assert named(option, refused(["compare", *words, *sides], capsys))


@pytest.mark.parametrize(
    "option", [option for option in COMPARED if not BARE & set(option.names)], ids=first_name
)
def test_a_missing_value_of_compare_is_told_with_an_example(
    option: Option, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(["compare", *SIDES, option.names[-1]], capsys)
    assert message == f"cannon: {option.label} needs a value; e.g. {option.example}\n"


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if set(option.names) & REFUSED.keys()], ids=first_name
)
def test_an_option_that_a_comparison_has_no_use_for_is_refused_with_the_reason_by_each_of_its_names(
    option: Option, capsys: pytest.CaptureFixture[str]
) -> None:
    value = () if option.read is None else (option.example.partition(" ")[2].strip("'"),)
    for name in option.names:
        message = refused(["compare", name, *value, *SIDES], capsys)
        assert message.startswith(f"cannon: {option.label}: ")
        assert "; " in message or ", " in message
