"""Results and comparisons out of files: those of cannon as they were written, anything else in one line."""

from __future__ import annotations

import copy
import json
import tracemalloc
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannon.comparison import Comparison
from cannon.errors import UsageError
from cannon.gate_grammar import Known, parse
from cannon.judging import judge_comparison, judge_run
from cannon.reports import comparison_page, console
from cannon.reports.files import COMPARISON_RENDERERS, RENDERERS
from cannon.result import Result
from cannon.saved import MOST_BYTES, place_of, read
from tests.comparisons import (
    BASE,
    SIDE,
    a_comparison,
    a_compression_comparison,
    a_dropped,
    a_histogram,
    a_round,
    a_slot,
    a_tls_comparison,
)
from tests.reports.samples import PAGE
from tests.results import a_failing_tally, a_paced_plan, a_paced_tally, a_plan, a_result, an_empty_tally
from tests.scenario_reports import a_scenario_report
from tests.test_encoded_histogram import encoded, wrapped

OWN: Mapping[str, Result | Comparison] = {
    "a run": a_result(),
    "failing": a_result(tally=a_failing_tally()),
    "nothing succeeded": a_result(tally=an_empty_tally()),
    "interrupted at once": a_result(tally=an_empty_tally(), duration_ns=0, series=[], interrupted="SIGTERM"),
    "under a rate": a_result(plan=a_paced_plan(), tally=a_paced_tally(never_sent=7)),
    "with a secret header": a_result(plan=a_plan(headers=(("X-Token", "canary"), ("Accept", "a/b")))),
    "of a scenario": a_result(scenario=a_scenario_report()),
    "a comparison": a_comparison(seed=-(2**63)),
    "with histograms": a_comparison(
        rounds=[a_round(slots={name: a_slot(histogram=a_histogram()) for name in (BASE, SIDE)})]
    ),
    "compression": a_compression_comparison(),
    "TLS": a_tls_comparison(dropped=[]),
    "with a dropped round": a_comparison(dropped=[a_dropped()], interrupted="SIGINT"),
    "not begun": a_comparison(rounds=[], rows=[], noise=[], rate=None),
}

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.json"


def document(found: Result | Comparison) -> dict[str, Any]:
    read_back: dict[str, Any] = json.loads(found.to_json())
    return read_back


RUN, COMPARISON = document(OWN["failing"]), document(OWN["with histograms"])


def refusal_of(path: Path, option: str = "--baseline") -> str:
    """What is said of a file, after its name."""
    with pytest.raises(UsageError) as raised:
        read(str(path), option)
    message = raised.value.message
    assert message.isprintable()
    where = place_of(str(path), option)
    assert message.startswith(where)
    return message.removeprefix(where)


def spoilt(file: Path, found: dict[str, Any], spoil: Spoil) -> str:
    changed = copy.deepcopy(found)
    spoil(changed)
    file.write_text(json.dumps(changed))
    return refusal_of(file)


def put(dotted: str, value: object) -> Spoil:
    """A change of one value: `series.0.p99_ms`."""

    def spoil(found: Any) -> None:
        *way, last = dotted.split("/")
        for name in way:
            found = found[int(name) if isinstance(found, list) else name]
        found[int(last) if isinstance(found, list) else last] = value

    return spoil


@pytest.mark.parametrize("found", OWN.values(), ids=OWN)
def test_what_cannon_wrote_is_read_as_it_was(found: Result | Comparison, file: Path) -> None:
    file.write_bytes(found.to_json())
    assert read(str(file), "--baseline") == found


def test_fields_that_a_later_cannon_adds_are_passed_over(file: Path) -> None:
    file.write_text(json.dumps({**RUN, "more": [{"of": -3}]}))
    assert read(str(file), "") == OWN["failing"]


def test_a_word_of_its_own_is_named_without_an_option(file: Path) -> None:
    file.write_text("[]")
    with pytest.raises(UsageError, match=f"^'{file}' holds neither a result nor a comparison"):
        read(str(file), "")


def test_texts_are_clean_once_they_are_read(file: Path) -> None:
    file.write_text(json.dumps(RUN | {"error_examples": {"reset": "\x1b[2J" + "x" * 9_000}}))
    found = read(str(file), "")
    assert isinstance(found, Result)
    assert found.error_examples["reset"].startswith("\\x1b[2Jxxx")
    assert len(found.error_examples["reset"]) == 4_000


UNREADABLE: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", " is no JSON: Expecting value (line 1, column 1)"),
    "no JSON": (b"<html>", " is no JSON: Expecting value (line 1, column 1)"),
    "binary": (b"\xff\xfe\x00", " is no JSON: byte 0 is not UTF-8"),
    "cut": (json.dumps(RUN).encode()[:-9], " is no JSON: Unterminated string starting at (line 1, "),
    "a number": (b"5", " holds neither a result nor a comparison: it names no schema"),
    "a list": (b"[1]", " holds neither a result nor a comparison: it names no schema"),
    "no schema": (b'{"schema": 5}', " holds neither a result nor a comparison: it names no schema"),
    "later": (
        b'{"schema": "cannon/result/2"}',
        ": schema: 'cannon/result/2' is of a later version of cannon; cannon reads cannon/result/1",
    ),
    "a later comparison": (
        b'{"schema": "cannon/comparison/17"}',
        ": schema: 'cannon/comparison/17' is of a later version of cannon",
    ),
    "a search": (b'{"schema": "cannon/search/1"}', " holds a search for a rate, which is many runs"),
    "another": (b'{"schema": "\\u001b"}', ": schema: '\\x1b' is unknown; cannon reads cannon/result/1"),
    "nothing but its schema": (b'{"schema": "cannon/result/1"}', ": cannon is missing"),
    "a comparison that is none": (b'{"schema": "cannon/comparison/1"}', ": cannon is missing"),
    "a key twice": (
        json.dumps(RUN).replace('"sent": 1000', '"sent": 1000, "sent": 1', 1).encode(),
        ": requests.sent stands there twice",
    ),
    "NaN": (
        json.dumps(RUN).replace('"duration_s": 10.0', '"duration_s": NaN').encode(),
        ": plan.duration_s: NaN is no number of JSON",
    ),
    "Infinity": (b'{"schema": "cannon/result/1", "a": [Infinity]}', ": a[0]: Infinity is no number of JSON"),
    "1e999": (b'{"schema": "cannon/result/1", "a": {"b": 1e999}}', ": a.b: 1e999 is beyond all numbers"),
    "deep": (b"[" * 100_000, " is nested too deeply"),
    "deep enough": (b'{"a":' * 90 + b"1" + b"}" * 90, f": ...{'.a' * 12}: that is nested too deeply"),
}


@pytest.mark.parametrize(("data", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_result_is_refused_in_one_line(data: bytes, said: str, file: Path) -> None:
    file.write_bytes(data)
    assert refusal_of(file).startswith(said)


def test_a_file_that_is_not_there_and_a_folder_are_told(tmp_path: Path) -> None:
    assert refusal_of(tmp_path / "none.json") == " cannot be read: No such file or directory"
    assert refusal_of(tmp_path) == " cannot be read: Is a directory"


RUNS: Mapping[str, tuple[Spoil, str]] = {
    "a count below zero": (put("requests/sent", -1), ": requests.sent is -1, and that is less than nothing"),
    "in a table": (put("connects/errors/refused", -2), ": connects.errors.refused is -2, and that is less"),
    "a time below zero": (put("series/3/p99_ms", -0.5), ": series[3].p99_ms is -0.5, and that is less"),
    "no time": (
        put("series/3/window_s", 1e-300),
        ": series[3].window_s is 1e-300 s, and that is shorter than",
    ),
    "1e308": (put("latency_ms/p99", 1e308), ": latency_ms.p99: 1e+308 is more than a number may be"),
    "a long integer": (put("bytes/received", 10**300), ": bytes.received: 1000000000000"),
    "a number as text": (put("requests/sent", "1000"), ": requests.sent: expected int, got str"),
    "half a request": (put("requests/sent", 0.5), ": requests.sent: expected int, got float"),
    "nothing for a count": (put("requests/sent", None), ": requests.sent: expected int, got null"),
    "a table for a list": (put("series", {}), ": series: expected array, got object"),
    "no URL": (put("plan/urls", []), ": plan.urls is empty"),
    "no connections": (put("plan/connections", 0), ": plan.connections is 0, and that is nothing"),
    "no sample interval": (put("plan/sample_s", 0), ": plan.sample_s is 0, and that is nothing"),
    "a status": (put("status", {"2xx": 990}), ": status: '2xx' is no status of HTTP; e.g. 200"),
    "statuses that do not add up": (
        put("status", {"200": 1}),
        ": requests.completed is 990, and what it is made of adds up to 1",
    ),
    "errors that do not add up": (
        put("errors", {}),
        ": requests.failed is 8, and what it is made of adds up to 0",
    ),
    "a verdict": (
        put("validity/verdict", "fine"),
        ": validity.verdict: 'fine' is none of valid, suspect, invalid",
    ),
    "a signal": (put("interrupted", "SIGHUP"), ": interrupted: 'SIGHUP' is none of SIGINT, SIGTERM"),
    "a gate": (
        put("gates", [dict.fromkeys(("expression", "unit", "reason"), "x") | {"verdict": "maybe"}]),
        ": gates[0].value is missing",
    ),
    "the count of a histogram": (
        put("latency_ms/count", 7),
        ": latency_ms.histogram holds 996 samples, and latency_ms.count is 7",
    ),
    "a histogram of another": (
        put("connect_ms/histogram", encoded()),
        ": connect_ms.histogram holds 2 samples, and connect_ms.count is 10",
    ),
    "no histogram": (put("ttfb_ms/histogram", "!"), ": ttfb_ms.histogram: it is no base64"),
    "a bomb": (
        put("ttfb_ms/histogram", wrapped(zlib.compress(bytes(5_000_000)))),
        ": ttfb_ms.histogram: it unpacks to more than any can hold",
    ),
    "a pace of nothing": (
        put(
            "plan/pace",
            {
                "profile": "ramp",
                "per_s": [],
                "each_s": None,
                "arrivals": "even",
                "seed": 0,
                "scope": "tool",
            },
        ),
        ": plan.pace.per_s is empty",
    ),
}


@pytest.mark.parametrize(("spoil", "said"), RUNS.values(), ids=RUNS)
def test_a_run_that_nobody_can_have_measured_is_refused_by_its_key(
    spoil: Spoil, said: str, file: Path
) -> None:
    assert spoilt(file, RUN, spoil).startswith(said)


COMPARISONS: Mapping[str, tuple[Spoil, str]] = {
    "one side": (lambda found: found["sides"].pop(), ": sides: a comparison has two or more"),
    "the same side twice": (
        put("sides/1/name", BASE),
        ": sides: a comparison has two or more, each with a name",
    ),
    "a side without a name": (
        put("sides/1/name", ""),
        ": sides: a comparison has two or more, each with a name",
    ),
    "settings of a side": (put("sides/1/settings/workers", 0), ": sides[1].settings.workers is 0"),
    "a round without a side": (
        lambda found: found["rounds"][0]["slots"].pop(SIDE),
        ": rounds[0]: a round has one slot of each side, direct, haproxy",
    ),
    "an order of others": (
        put("rounds/0/order", [BASE, BASE]),
        ": rounds[0]: a round has one slot of each side",
    ),
    "a pass": (put("rounds/0/pass", "warm"), ": rounds[0].pass: invalid enum value 'warm'"),
    "a slot below zero": (
        put(f"rounds/0/slots/{SIDE}/p99_ms", -1),
        f": rounds[0].slots.{SIDE}.p99_ms is -1, and that is less than nothing",
    ),
    "the count of a slot": (
        put(f"rounds/0/slots/{SIDE}/count", 8),
        f": rounds[0].slots.{SIDE}.histogram holds 3,700 samples, and rounds[0].slots.{SIDE}.count is 8",
    ),
    "a row of a stranger": (put("rows/0/side", "nginx"), ": rows[0].side: 'nginx' is none of haproxy"),
    "a row against a stranger": (put("rows/0/base", SIDE), ": rows[0].base: 'haproxy' is none of direct"),
    "a row of another pass": (put("rows/0/pass", "x"), ": rows[0].pass: 'x' is none of capacity, latency"),
    "a verdict": (put("rows/0/verdict", "x"), ": rows[0].verdict: invalid enum value 'x'"),
    "noise": (put("noise/0/side", "nginx"), ": noise[0].side: 'nginx' is none of haproxy"),
    "the mode": (put("mode", "x"), ": mode: 'x' is none of named, compression, proxy, aa"),
    "the order": (put("order", "x"), ": order: 'x' is none of shuffled, abba"),
    "the margin": (put("margin_pct", -5), ": margin_pct is -5, and that is less than nothing"),
}


@pytest.mark.parametrize(("spoil", "said"), COMPARISONS.values(), ids=COMPARISONS)
def test_a_comparison_that_nobody_can_have_made_is_refused_by_its_key(
    spoil: Spoil, said: str, file: Path
) -> None:
    assert spoilt(file, COMPARISON, spoil).startswith(said)


def test_what_may_be_negative_is_read(file: Path) -> None:
    found = a_comparison(gates=[], seed=-5)
    file.write_bytes(found.to_json())
    assert any(row.added and row.added.estimate < 0 for row in found.rows)
    assert read(str(file), "") == found


def test_a_file_is_read_no_further_than_its_bound(file: Path) -> None:
    with open(file, "wb") as sparse:
        sparse.truncate(MOST_BYTES + 1)
    assert refusal_of(file) == " is larger than it may be, 64 MiB"


@pytest.mark.parametrize("row", ["{}", "[]", "0", '{"t_s":0}'])
def test_a_billion_rows_are_refused_before_one_is_made(row: str, file: Path) -> None:
    rows = ",".join([row] * (20 * 1024**2 // (len(row) + 1)))
    file.write_text(f'{{"schema": "cannon/result/1", "series": [{rows}]}}')
    tracemalloc.start()
    before_s = process_time()
    told = refusal_of(file)
    assert "holds more than 4,000,000 values" in told or "t_s is missing" in told or "series[0]" in told
    assert process_time() - before_s < 10
    assert tracemalloc.get_traced_memory()[1] < 1024**3
    tracemalloc.stop()


_LEAVES: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        2**63,
        1e19,
        -0.0,
        0.5,
        "",
        "\x1b]0;x\x07",
        "</script>",
        "200",
        [],
        {},
        [[]],
        {"a": 1},
    ]
)


def _ways(found: object, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """To every value of a document, those in the middle of long lists left out."""
    children: list[tuple[str | int, object]] = []
    if isinstance(found, dict):
        children = [*found.items()]
    elif isinstance(found, list):
        children = [*enumerate(found[:2])]
    return [way, *(longer for name, child in children for longer in _ways(child, (*way, name)))]


@pytest.mark.parametrize("found", [RUN, COMPARISON], ids=["run", "comparison"])
def test_whatever_one_value_is_made_it_is_refused_or_everything_can_be_made_of_it(
    found: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("spoilt") / "x.json"
    ways = _ways(found)[1:]

    @settings(max_examples=60)
    @given(st.sampled_from(ways), _LEAVES)
    def holds(way: tuple[str | int, ...], leaf: object) -> None:
        changed = copy.deepcopy(found)
        parent: Any = changed
        for name in way[:-1]:
            parent = parent[name]
        parent[way[-1]] = leaf
        file.write_text(json.dumps(changed))
        try:
            told = read(str(file), "")
        except UsageError as error:
            assert error.message.startswith(f"'{file}'")
            assert error.message.isprintable()
            return
        file.write_bytes(told.to_json())
        assert read(str(file), "") == told
        assert make_everything_of(told)

    holds()


def make_everything_of(found: Result | Comparison) -> list[object]:
    """Every report, the page of a terminal, and the verdict of gates."""
    if isinstance(found, Result):
        gates = [
            parse(text, Known(baseline=True)) for text in ("p99 < 9ms", "rps > base - 5%", "errors < 1%")
        ]
        judged: list[object] = [judge_run(gate, found, [found] * 5) for gate in gates]
        page = console.render(found, PAGE, latency=True, status_codes=True)
        return [page, *judged, *(render(found) for render in RENDERERS.values())]
    known = Known(tuple(side.name for side in found.sides), baseline=True)
    gates = [parse(text, known) for text in ("p99 < 9ms", "rps > base - 5%", "errors < 1%")]
    judged = [judge_comparison(gate, found, [found] * 5) for gate in gates]
    page = comparison_page.render(found, PAGE)
    return [page, *judged, *(render(found) for render in COMPARISON_RENDERERS.values())]
