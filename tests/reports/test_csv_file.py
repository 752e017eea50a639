"""CSV, for who opens it in a spreadsheet and for who reads it with a script."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import given

from cannon.comparison import Comparison
from cannon.reports.csv_file import render, render_comparison
from cannon.result import Result
from cannon.rows import Row
from tests.comparisons import a_comparison, a_compression_comparison, a_side_report, a_tls_comparison
from tests.hostile import TEXTS, a_comparison_of, a_result_of
from tests.reports.gated import FAILED, OPEN, PASSED, a_gate, doubted, foreign, gated
from tests.reports.samples import RESULTS
from tests.results import a_result, an_empty_tally

Line = dict[str, str]

COMPARISONS = {"usual": a_comparison(), "compression": a_compression_comparison(), "tls": a_tls_comparison()}


def lines_of(data: bytes) -> list[Line]:
    """As a script reads it: every line has the columns of the first, and ends as RFC 4180 says."""
    told = data.decode("utf-8")
    assert not told.startswith("\ufeff") and told.endswith("\r\n") and "\n" not in told.replace("\r\n", "")
    head, *rows = csv.reader(io.StringIO(told, newline=""), strict=True)
    assert len({*head}) == len(head)
    return [dict(zip(head, row, strict=True)) for row in rows]


def of(measured: Result | Comparison, table: str) -> list[Line]:
    """The lines of one kind, without the columns that they leave empty."""
    data = render(measured) if isinstance(measured, Result) else render_comparison(measured)
    found = [line for line in lines_of(data) if line.pop("table") == table]
    return [{name: cell for name, cell in line.items() if cell} for line in found]


def facts(measured: Result | Comparison) -> dict[str, str]:
    return {line["name"]: line.get("text") or line["value"] for line in of(measured, "run")}


def latencies(result: Result, name: str = "latency") -> dict[str, str]:
    return {line["measure"]: line.get("value", "") for line in of(result, "latency") if line["name"] == name}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_every_run_is_one_table(result: Result) -> None:
    lines = lines_of(render(result))
    assert {line["table"] for line in lines} <= {"run", "gate", "count", "latency", "target", "series"}


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_every_comparison_is_one_table(comparison: Comparison) -> None:
    lines = lines_of(render_comparison(comparison))
    assert {line["table"] for line in lines} == {"run", "side", "row"}


def test_the_percentiles_are_those_of_the_run() -> None:
    found, latency = latencies(a_result()), a_result().latency_ms
    assert found["count"] == "10000"
    assert [float(found[name]) for name in ("mean", "max", "p50", "p97.5", "p99")] == [
        latency.mean,
        latency.max,
        latency.p50,
        latency.p97_5,
        latency.p99,
    ]


def test_a_percentile_with_too_few_samples_beyond_it_is_empty() -> None:
    found = latencies(a_result())
    assert found["p99"] and found["p99.9"] == found["p99.999"] == ""


def test_a_run_without_a_response_has_no_figures() -> None:
    found = latencies(a_result(tally=an_empty_tally()))
    assert found.pop("count") == "0"
    assert {*found.values()} == {""}


def test_under_a_rate_there_are_service_times_and_lateness() -> None:
    names = {line["name"] for line in of(RESULTS["under a rate"], "latency")}
    assert {"latency", "service", "late"} <= names
    assert not {"service", "late"} & {line["name"] for line in of(a_result(), "latency")}


def test_each_url_has_its_own_percentiles() -> None:
    result = RESULTS["several URLs"]
    found = of(result, "target")
    assert {line["name"] for line in found} == {target.name for target in result.targets}
    assert len(found) == 2 * len(latencies(result))


def test_the_series_has_a_line_for_each_sample() -> None:
    found = of(a_result(), "series")
    assert [float(line["t_s"]) for line in found] == [row.t_s for row in a_result().series]
    assert [int(line["requests"]) for line in found] == [row.requests for row in a_result().series]
    assert {*found[0]} == {*a_result().series[0].__struct_fields__}


def test_what_went_wrong_is_counted() -> None:
    found = {line["name"]: line["value"] for line in of(RESULTS["failing"], "count")}
    assert found["requests sent"] == "1000" and found["requests failed"] == "8"
    assert found["status 503"] == "7" and found["error timeout"] == "6"


def test_gates_stand_with_their_verdicts() -> None:
    passed, failed, undecided = of(gated(PASSED, FAILED, OPEN), "gate")
    assert failed == {
        "name": "p99 < 2ms",
        "value": "5.1",
        "unit": "ms",
        "bound": "2.0",
        "verdict": "fail",
        "text": "p99 was 5.1 ms",
    }
    assert passed["verdict"] == "pass"
    assert (undecided["low"], undecided["high"]) == ("4.9", "5.3")


def test_a_comparison_has_its_rows_as_they_are() -> None:
    found = of(a_comparison(), "row")
    rows = a_comparison().rows
    assert [line["metric"] for line in found] == [row.metric for row in rows]
    assert found[0] == {
        "pass": "capacity",
        "metric": "rps",
        "side": "haproxy",
        "base": "direct",
        "unit": "/s",
        "base_value": "9810.0",
        "side_value": "7420.0",
        "added": "-2390",
        "added_low": "-2560",
        "added_high": "-2250",
        "change_pct": "-24.4",
        "change_pct_low": "-26.1",
        "change_pct_high": "-22.9",
        "rounds": "10",
        "level": "0.951171875",
        "verdict": "lower",
    }


def test_a_row_that_the_slots_do_not_support_has_its_reason_and_no_figure() -> None:
    (line,) = [line for line in of(a_comparison(), "row") if line["metric"] == "p99_9"]
    assert line["text"].startswith("needs 20,000 requests per slot")
    assert not {"base_value", "added", "change_pct"} & {*line}


@pytest.mark.parametrize("measured", [a_result(), a_comparison()], ids=["run", "comparison"])
def test_where_it_comes_from_is_told(measured: Result | Comparison) -> None:
    found = facts(measured)
    assert found["command"] == measured.cannon.command
    assert (found["cpu"], found["cores"]) == ("Test CPU @ 3.00GHz", "4")
    assert found["validity"] == "valid"


def test_what_makes_it_doubtful_is_told() -> None:
    found = facts(gated(validity=doubted("invalid", "no request succeeded"), interrupted="SIGINT"))
    assert (found["validity"], found["reason"]) == ("invalid", "no request succeeded")
    assert found["interrupted"] == "SIGINT"


def test_who_was_not_verified_is_told() -> None:
    over_tls = RESULTS["over TLS"]
    assert facts(over_tls)["tls"] == "not verified"
    side = msgspec.structs.replace(a_side_report("tls"), settings=over_tls.plan)
    assert facts(a_comparison(sides=[a_side_report("plain"), side]))["tls"] == "not verified"
    assert "tls" not in facts(a_result())


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://evil")', '\'=HYPERLINK("http://evil")'),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(1,2)", "'@SUM(1,2)"),
        ("  =1", "'  =1"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("-inf", "'-inf"),
        ("-", "'-"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("-5", "-5"),
        ("+5.25", "+5.25"),
        ("-1e-3", "-1e-3"),
        ("a=1", "a=1"),
        ('a "b", c;\nd', 'a "b", c;\\nd'),
    ],
)
def test_no_cell_is_a_formula_and_a_number_stays_one(text: str, cell: str) -> None:
    (line,) = of(gated(a_gate(reason=text)), "gate")
    assert line["text"] == cell


@given(foreign)
def test_text_from_anywhere_is_one_harmless_cell(text: str) -> None:
    titled = msgspec.structs.replace(a_result().plan, title=f"{text}t")
    result = msgspec.structs.replace(gated(a_gate(text, reason=text)), plan=titled)
    row: Row = msgspec.structs.replace(a_comparison().rows[0], side=text, reason=text)
    for data in (render(result), render_comparison(a_comparison(rows=[row]))):
        for line in lines_of(data):
            for cell in line.values():
                assert cell.isprintable()
                if cell.lstrip().startswith(("=", "+", "-", "@")):
                    float(cell)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_in_every_field_adds_no_line(text: str) -> None:
    assert len(lines_of(render(a_result_of(text)))) == len(lines_of(render(a_result_of("x"))))
    assert len(lines_of(render_comparison(a_comparison_of(text)))) == len(
        lines_of(render_comparison(a_comparison_of("x")))
    )
