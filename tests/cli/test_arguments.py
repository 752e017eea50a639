from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.cli import COMMANDS
from cannon.cli.arguments import EMPTY_GROUP, Arguments, Grammar, arrange, group_words
from cannon.cli.elsewhere import FLAGS_ELSEWHERE
from cannon.cli.fire import fire
from cannon.cli.options import grammar_of
from cannon.errors import UsageError

GRAMMAR = Grammar(
    commands=frozenset({"serve", "demo"}),
    valued=frozenset({"-c", "--connections", "-d", "-H", "-R", "-b", "-W", "--warmup", "--ca"}),
    grouped={"-W": "[ -c 1 -d 3 ]", "--warmup": "[ -c 1 -d 3 ]", "--ca": "[ a.pem b.pem ]"},
    bare=frozenset({"-W", "--warmup"}),
    flags=frozenset({"-l", "--latency", "-j", "-n", "--debug"}),
)
U = "http://localhost:4000/"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-c 10 U", ["-c", "10", "U"]),
        ("-c=10 U", ["-c", "10", "U"]),
        ("-c10 U", ["-c", "10", "U"]),
        ("--connections=10 U", ["--connections", "10", "U"]),
        ("--connections= U", ["--connections", "", "U"]),
        ("-ljc10 U", ["-l", "-j", "-c", "10", "U"]),
        ("-lc=10 U", ["-l", "-c", "10", "U"]),
        ("-lc 10 U", ["-l", "-c", "10", "U"]),
        ("-H=K:V U", ["-H", "K:V", "U"]),
        ("-H=K=V U", ["-H", "K=V", "U"]),
        ("-b=-h U", ["-b", "-h", "U"]),
        ("-b -l U", ["-b", "-l", "U"]),
        ("-b [ U", ["-b", "[", "U"]),
        ("-lq U", ["-l", "-q", "U"]),
        ("--unknown=3 U", ["--unknown=3", "U"]),
        ("- U", ["-", "U"]),
        ("U -c", ["U", "-c"]),
        ("-W 3s U", ["-W", "3s", "U"]),
        ("-W=3s U", ["-W", "3s", "U"]),
        ("-W 5x U", ["-W", "5x", "U"]),
        ("-W3 U", ["-W", "3", "U"]),
        ("-W 1m30s U", ["-W", "1m30s", "U"]),
        ("-W U", ["-W", EMPTY_GROUP, "U"]),
        ("U -W", ["U", "-W", EMPTY_GROUP]),
        ("-W -c 3 U", ["-W", EMPTY_GROUP, "-c", "3", "U"]),
        ("-W 127.0.0.1 U", ["-W", EMPTY_GROUP, "127.0.0.1", "U"]),
        ("-W 127.0.0.1:4000", ["-W", EMPTY_GROUP, "127.0.0.1:4000"]),
        ("-W [ -c 1 -d 3 ] U", ["-W", "[ -c 1 -d 3 ]", "U"]),
        ("-W [-c 1 -d 3] U", ["-W", "[ -c 1 -d 3 ]", "U"]),
        ("-W=[ -c 1 ] U", ["-W", "[ -c 1 ]", "U"]),
        ("--warmup [ -c=1 ] U", ["--warmup", "[ -c=1 ]", "U"]),
        ("-W [ ] U", ["-W", EMPTY_GROUP, "U"]),
        ("-W [] U", ["-W", "[]", "U"]),
        ("--ca [ a.pem b.pem ] U", ["--ca", "[ a.pem b.pem ]", "U"]),
        ("--ca [a.pem b.pem] U", ["--ca", "[ a.pem b.pem ]", "U"]),
        ("--ca=[ a.pem ] U", ["--ca", "[ a.pem ]", "U"]),
        ("--ca [ -c ] U", ["--ca", "[ -c ]", "U"]),
        ("--ca a.pem U", ["--ca", "a.pem", "U"]),
        ("--ca=a.pem U", ["--ca", "a.pem", "U"]),
        ("--ca a.pem --ca b.pem U", ["--ca", "a.pem", "--ca", "b.pem", "U"]),
        ("--ca [ a[1].pem ] U", ["--ca", "[ 'a[1].pem' ]", "U"]),
        ("--ca [ http://[::1] b ] U", ["--ca", "[ 'http://[::1]' b ]", "U"]),
        ("--ca [a[1]] U", ["--ca", "[a[1]]", "U"]),
        ("--ca [ ] U", ["--ca", EMPTY_GROUP, "U"]),
        ("U --ca", ["U", "--ca"]),
        ("[::1]:4000", ["[::1]:4000"]),
    ],
)
def test_words_come_out_as_click_takes_them(line: str, words: list[str]) -> None:
    assert arrange(line.split(), GRAMMAR) == Arguments(words=tuple(words))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("serve -c 1", Arguments("serve", ("-c", "1"))),
        ("-c 1 --debug serve", Arguments("serve", ("-c", "1", "--debug"))),
        ("-c serve U", Arguments(None, ("-c", "serve", "U"))),
        ("U serve", Arguments(None, ("U", "serve"))),
        ("serve demo", Arguments("serve", ("demo",))),
        ("-l U -- node server.js --", Arguments(None, ("-l", "U"), tail=("node", "server.js", "--"))),
        ("-- serve -h", Arguments(None, (), tail=("serve", "-h"))),
        ("U --", Arguments(None, ("U",))),
    ],
)
def test_the_command_is_found_among_its_options(line: str, expected: Arguments) -> None:
    assert arrange(line.split(), GRAMMAR) == expected


@pytest.mark.parametrize(
    "line",
    ["-h", "--help", "U -h", "-h U", "-c -h U", "serve --help", "--help serve", "-lh U", "-b --help U"],
)
def test_help_is_asked_for_in_every_place(line: str) -> None:
    assert arrange(line.split(), GRAMMAR).help


@pytest.mark.parametrize("line", ["-v", "--version", "U -v", "-lv U", "-v serve"])
def test_the_version_is_asked_for_where_an_option_may_stand(line: str) -> None:
    assert arrange(line.split(), GRAMMAR).version


def test_a_value_is_no_question_for_the_version() -> None:
    assert not arrange(["-b", "-v", U], GRAMMAR).version


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-W [ -c 1 U", "-W [ has no closing ]; e.g. -W [ -c 1 -d 3 ]"),
        ("--ca [ a.pem U", "--ca [ has no closing ]; e.g. --ca [ a.pem b.pem ]"),
        ("--ca [canary U", "--ca [ has no closing ]; e.g. --ca [ a.pem b.pem ]"),
        ("-l=1 U", "-l takes no value; write -l alone"),
        ("-connections 3 U", "-connections is not an option; write --connections, with two dashes"),
        ("-latency U", "-latency is not an option; write --latency, with two dashes"),
        ("-l1 U", "-l takes no value; write -l alone"),
        ("-ln1000 U", f"-n takes no value; write -n alone{FLAGS_ELSEWHERE['-n']}"),
        ("-n=1000 U", f"-n takes no value; write -n alone{FLAGS_ELSEWHERE['-n']}"),
        ("-rate=50 U", "-rate is not an option; cannon's is -R"),
        ("-clients 5 U", "-clients is not an option; cannon's is -c"),
    ],
)
def test_what_cannot_be_arranged_is_bad_usage(line: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        arrange(line.split(), GRAMMAR)
    assert raised.value.message == message


def test_a_group_gives_its_words_back() -> None:
    (_, group) = arrange(["-W", "[", "-c", "1", "-b", "two words", "]"], GRAMMAR).words
    assert group_words(group, "[ x ]") == ("-c", "1", "-b", "two words")


@pytest.mark.parametrize("value", ["3s", "", "[", "]", "[ -c 1", "x]"])
def test_what_is_no_group_has_no_words(value: str) -> None:
    assert group_words(value, "[ x ]") is None


def test_an_open_quote_in_a_group_is_bad_usage() -> None:
    with pytest.raises(UsageError, match=r"\[ -T ' \] cannot be read: .*; e.g. \[ x \]"):
        group_words("[ -T ' ]", "[ x ]")


WORDS = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            ["-c", "-W", "[", "]", "--", "-h", "-l=", "--warmup=[", "-lW", "serve", "-", "--=", "3s"]
        ),
    ),
    max_size=10,
)


@given(WORDS)
def test_whatever_is_written_it_is_arranged_or_bad_usage(words: list[str]) -> None:
    with contextlib.suppress(UsageError):
        arrange(words, grammar_of({"": fire, **COMMANDS}, default=""))


@given(st.text(max_size=12))
def test_whatever_a_group_holds_it_is_read_or_bad_usage(value: str) -> None:
    with contextlib.suppress(UsageError):
        group_words(f"[{value}]", "[ x ]")


PLAIN = st.text(min_size=1, max_size=10).filter(
    lambda word: not word.startswith("-") and word not in GRAMMAR.commands
)


@given(st.lists(PLAIN, max_size=6))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    assert arrange(words, GRAMMAR) == Arguments(words=tuple(words))


@given(
    st.lists(
        st.sampled_from(
            ["-c", "10", "-lc=3", "-W", "[", "-d", "3", "]", "x", "-l", "--ca", "--connections=4"]
        )
    )
)
def test_what_was_arranged_stays_as_it_is(words: list[str]) -> None:
    try:
        once = arrange(words, GRAMMAR)
    except UsageError:
        return
    assert arrange(once.words, GRAMMAR) == once
