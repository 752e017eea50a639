"""The command line that a scenario stands for: one parser, and what is wrong told with the file and the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cannon.cli.options import Options
from cannon.cli.scenario_words import command_of, gate_places, read_words, words_of
from cannon.errors import UsageError
from cannon.filling import values_of
from cannon.scenario import Kind, Scenario
from cannon.scenario_file import read
from tests.staging import a_table, written

SIDES = [{"name": "a", "url": "http://127.0.0.1:{port.web}/"}, {"name": "b", "url": "http://h/?x=1"}]


def a_scenario(folder: Path, **changes: Any) -> Scenario:
    found = read(written(folder, a_table(**({"side": SIDES} | changes))))
    return found.filled(values_of(found, folder, {"web": 4001}))


def test_a_key_is_an_option_without_its_dashes(tmp_path: Path) -> None:
    load = {"connections": 3, "duration": "2s", "headers": ["A: 1", "B: {port.web}"], "margin": "5%"}
    options, sides = words_of(a_scenario(tmp_path, load=load))
    assert options == [
        *("--connections", "3", "--duration", "2s"),
        *("--headers", "A: 1", "--headers", "B: 4001", "--margin", "5%"),
    ]
    assert sides == ["a=http://127.0.0.1:4001/", "b=http://h/?x=1"]


def test_what_sides_may_differ_in_and_have_for_themselves_are_options_too(tmp_path: Path) -> None:
    settings = {"headers": ["X: a b"], "insecure": True}
    sides = [SIDES[0], {**SIDES[1], "settings": settings}]
    options, _ = words_of(a_scenario(tmp_path, load={}, side=sides, differs=["tls", "body"]))
    assert options == ["--allow", "tls,body", "--side", "[ b --headers 'X: a b' --insecure ]"]


@pytest.mark.parametrize("kind", ["run", "compare"])
def test_gates_are_options_too_and_each_is_told_with_its_place(kind: str, tmp_path: Path) -> None:
    gates = [{"expression": "p99 < 50ms"}, {"expression": "-h"}]
    changes = {"kind": kind, "side": SIDES[: 2 if kind == "compare" else 1], "gate": gates}
    found = a_scenario(tmp_path, load={"gate": ["errors == 0", "rps > 1/s"]}, **changes)
    options, _ = words_of(found)
    assert options == [
        *("--gate", "errors == 0", "--gate", "rps > 1/s"),
        *("--gate", "p99 < 50ms", "--gate=-h"),
    ]
    assert gate_places(found) == [
        *[f"{tmp_path}/tried.toml: load.gate"] * 2,
        f"{tmp_path}/tried.toml: gate[0].expression",
        f"{tmp_path}/tried.toml: gate[1].expression",
    ]


def test_a_run_has_the_url_alone(tmp_path: Path) -> None:
    options, sides = words_of(a_scenario(tmp_path, kind="run", load={"latency": True}, side=SIDES[:1]))
    assert (options, sides) == (["--latency"], ["http://127.0.0.1:4001/"])
    assert (command_of(Kind.RUN), command_of(Kind.COMPARE)) == ("cannon", "cannon compare")


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ({"latency": True}, ["--latency"]),
        ({"latency": False}, []),
        ({"preflight": False}, ["--no-preflight"]),
        ({"preflight": True}, ["--preflight"]),
        ({"headers": []}, []),
        ({"headers": "A: 1"}, ["--headers", "A: 1"]),
        ({"overallRate": 0.5}, ["--overallRate", "0.5"]),
        ({"warmup": "[ -c 1 -d 1 ]"}, ["--warmup", "[ -c 1 -d 1 ]"]),
        ({"body": "-h"}, ["--body=-h"]),
        ({"body": "--"}, ["--body=--"]),
    ],
)
def test_values_become_the_words_that_the_command_line_takes(
    load: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    assert words_of(a_scenario(tmp_path, kind="run", load=load, side=SIDES[:1]))[0] == words


def test_a_body_that_looks_like_an_option_is_a_body(tmp_path: Path) -> None:
    options, urls = words_of(a_scenario(tmp_path, kind="run", load={"body": "-h"}, side=SIDES[:1]))
    given = read_words(Kind.RUN, [*options, *urls])
    assert (Options.of(given).body, given["urls"]) == ("-h", ("http://127.0.0.1:4001/",))


def test_what_the_user_adds_goes_before_the_files(tmp_path: Path) -> None:
    options, sides = words_of(a_scenario(tmp_path, load={"duration": "10s", "connections": 3}))
    found = Options.of(read_words(Kind.COMPARE, [*options, *sides, "-d", "2"]))
    assert (found.duration_ns, found.connections) == (2_000_000_000, 3)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"load": {"durashun": 1}},
            "load.durashun: there is no option --durashun here; did you mean duration?",
        ),
        ({"load": {"zzz": 1}}, "load.zzz: there is no option --zzz here"),
        ({"load": {"": 1}}, "load.: there is no option -- here"),
        ({"load": {"\x1b[31m": 1}}, r"load.\x1b[31m: there is no option --\x1b[31m here"),
        ({"load": {"-d": 1}}, "load.-d: there is no option ---d here"),
        (
            {"load": {"amount": 5}},
            "load.amount: -a/--amount: a comparison fires every slot for the same time",
        ),
        ({"load": {"duration": "10x"}}, "load.duration: -d/--duration: '10x' is no duration; write for"),
        ({"load": {"duration": True}}, "load.duration: it is a text or a number; e.g. duration = "),
        ({"load": {"duration": {"s": 1}}}, "load.duration: it is a text or a number"),
        ({"load": {"duration": ["1s", "2s"]}}, "load.duration: it is said once, not in a list"),
        ({"load": {"headers": ["A: 1", {"B": 2}]}}, "load.headers: it is a text or a number"),
        ({"load": {"headers": [["A: 1"]]}}, "load.headers: it is a text or a number"),
        ({"load": {"rounds": 2.5}}, "load.rounds: --rounds: "),
        ({"load": {"compressed": 1}}, "load.compressed: it is true or false"),
        ({"load": {"compressed": "yes"}}, "load.compressed: it is true or false"),
        (
            {"side": [SIDES[0], {**SIDES[1], "settings": {"duration": "1s"}}]},
            "side[1].settings.duration: there is no option --duration here",
        ),
        (
            {"side": [SIDES[0], {**SIDES[1], "settings": {"proxy": "ftp://h"}}]},
            "side[1].settings.proxy: --proxy 'ftp://h' is neither http:// nor socks5://",
        ),
    ],
)
def test_what_is_no_option_or_no_value_of_one_is_told_with_file_and_key(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refusal:
        words_of(a_scenario(tmp_path, **changes))
    assert refusal.value.message.startswith(f"{tmp_path}/tried.toml: {told}")


def test_a_word_of_the_user_that_is_no_option_is_told_as_ever(tmp_path: Path) -> None:
    options, sides = words_of(a_scenario(tmp_path))
    with pytest.raises(UsageError, match=r"^there is no option --roundz; did you mean --rounds\?$"):
        read_words(Kind.COMPARE, [*options, *sides, "--roundz", "3"])
