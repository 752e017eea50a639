"""JUnit XML: gates as tests, for whatever reads either Jenkins' shape or GitLab's."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest
import xmlschema
from hypothesis import given

from cannon.comparison import Comparison
from cannon.reports.junit_file import render
from cannon.result import GateVerdict, Result
from cannon.target import Target
from cannon.tls import Tls
from tests.comparisons import a_comparison
from tests.hostile import TEXTS, a_comparison_of, a_result_of
from tests.reports.gated import FAILED, OPEN, PASSED, a_gate, doubted, foreign, gated
from tests.reports.samples import RESULTS
from tests.results import a_plan, a_result

SCHEMA = Path(__file__).parents[1] / "data" / "junit.xsd"


@cache
def shape() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMA))


def suite_of(measured: Result | Comparison) -> Element:
    """The one suite of the file, which has the shape and whose counts are those of its cases."""
    root = fromstring(render(measured))  # noqa: S314 - our own
    shape().validate(root)
    (suite,) = root
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for name, outcome in counts.items():
        assert suite.get(name) == str(len([*suite.iter(outcome)]))
    assert suite.get("tests") == str(len(cases_of(suite)))
    assert [root.get(name) for name in ("tests", "failures", "errors", "time")] == [
        suite.get(name) for name in ("tests", "failures", "errors", "time")
    ]
    return suite


def cases_of(suite: Element) -> list[Element]:
    return suite.findall("testcase")


def outcomes(*gates: GateVerdict) -> list[tuple[str | None, list[str]]]:
    """Of each test case its name, and what became of it."""
    return [(case.get("name"), [each.tag for each in case]) for case in cases_of(suite_of(gated(*gates)))]


def test_each_gate_is_a_test() -> None:
    assert outcomes(PASSED, FAILED, OPEN) == [
        ("errors == 0", []),
        ("p99 < 2ms", ["failure"]),
        ("p90 < base + 5%", ["skipped"]),
    ]
    assert {case.get("classname") for case in cases_of(suite_of(gated(PASSED)))} == {"cannon.gate"}


def test_a_failure_says_why_in_its_attribute_and_in_its_text() -> None:
    (failure,) = suite_of(gated(FAILED)).iter("failure")
    assert failure.get("message") == "p99 was 5.1 ms"
    assert failure.text == "p99 was 5.1 ms\n5.10 ms, bound 2.00 ms"


def test_an_open_gate_is_skipped_with_its_interval() -> None:
    (skipped,) = suite_of(gated(OPEN)).iter("skipped")
    assert skipped.get("message") == "inconclusive: p90 was 5.1 ms; 5 baselines"
    assert skipped.text == f"{skipped.get('message')}\n5.10 ms [4.90, 5.30], bound 2.00 ms"


def test_a_gate_of_which_nothing_was_measured_has_no_figures() -> None:
    (failure,) = suite_of(gated(a_gate(value=None, bound=None, reason="nothing was measured of p99"))).iter(
        "failure"
    )
    assert failure.text == "nothing was measured of p99"


def test_a_failure_without_a_reason_has_a_text_all_the_same() -> None:
    (failure,) = suite_of(gated(a_gate(value=None, reason=""))).iter("failure")
    assert (failure.get("message"), failure.text) == ("fail", "fail")


def test_a_gate_that_was_given_twice_is_two_tests() -> None:
    assert [name for name, _ in outcomes(PASSED, PASSED, PASSED)] == [
        "errors == 0",
        "errors == 0 (2)",
        "errors == 0 (3)",
    ]


def test_a_name_that_was_made_up_for_another_is_not_given_twice() -> None:
    names = [name for name, _ in outcomes(PASSED, a_gate("errors == 0 (2)"), PASSED)]
    assert len({*names}) == 3


@pytest.mark.parametrize("measured", [a_result(), a_comparison()], ids=["run", "comparison"])
def test_without_gates_the_test_is_whether_it_is_valid(measured: Result | Comparison) -> None:
    (case,) = cases_of(suite_of(measured))
    assert (case.get("classname"), case.get("name"), [*case]) == ("cannon.run", "validity", [])


def test_a_run_that_is_not_valid_is_an_error_beside_its_gates() -> None:
    suite = suite_of(gated(PASSED, validity=doubted("invalid", "no request succeeded", "a worker was lost")))
    assert [case.get("name") for case in cases_of(suite)] == ["errors == 0", "validity"]
    (error,) = suite.iter("error")
    assert error.get("type") == "invalid"
    assert error.get("message") == error.text == "not valid: no request succeeded; a worker was lost"


def test_a_run_that_was_interrupted_is_an_error() -> None:
    (error,) = suite_of(gated(PASSED, interrupted="SIGINT")).iter("error")
    assert (error.get("type"), error.text) == ("interrupted", "interrupted by SIGINT")


def test_a_doubt_is_told_and_costs_no_test() -> None:
    suite = suite_of(gated(PASSED, validity=doubted("suspect", "cannon was the limit")))
    assert suite.findtext("system-out") == "suspect: cannon was the limit"
    assert suite.get("errors") == "0"


def test_where_it_comes_from_stands_in_the_properties() -> None:
    def properties(measured: Result | Comparison) -> dict[str | None, str | None]:
        return {each.get("name"): each.get("value") for each in suite_of(measured).iter("property")}

    run = properties(
        a_result(plan=a_plan(targets=(Target.parse("https://localhost/"),), tls=Tls(verify=False)))
    )
    assert run["host.cpu"] == "Test CPU @ 3.00GHz"
    assert run["plan.url"] == "https://localhost/"
    assert run["plan.connections"] == "10"
    assert run["plan.tls"] == "not verified"
    assert run["cannon.command"] == a_result().cannon.command
    compared = properties(a_comparison())
    assert compared["side.haproxy"] == "http://127.0.0.1:8080/"
    assert compared["plan.seed"] == "4127"


def test_the_time_is_that_of_the_whole_run_and_is_told_once() -> None:
    suite = suite_of(a_comparison(gates=[PASSED, FAILED]))
    assert suite.get("time") == "56.250"
    assert [case.get("time") for case in cases_of(suite)] == ["56.250", "0"]


@pytest.mark.parametrize("started", ["", "yesterday", "2026-01-02T03:04:05", "2099-01-02T03:04:05.000Z"])
def test_a_time_that_cannot_be_told_is_none(started: str) -> None:
    assert suite_of(a_comparison(started=started)).get("time") == "0.000"


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_every_run_has_the_shape(result: Result) -> None:
    suite_of(result)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_from_anywhere_leaves_the_shape(text: str) -> None:
    suite_of(a_result_of(text))
    suite_of(a_comparison_of(text))


@given(foreign, foreign)
def test_no_text_of_a_gate_breaks_the_file(expression: str, reason: str) -> None:
    gates = [
        a_gate(f"p99 {expression}", verdict, reason=reason) for verdict in ("pass", "fail", "inconclusive")
    ]
    suite = suite_of(gated(*gates, FAILED))
    assert len(cases_of(suite)) == 4
    assert all(text.isprintable() for case in suite.iter() for text in case.attrib.values())


def test_the_shape_refuses_what_a_reader_would_not_take() -> None:
    good = render(gated(FAILED, PASSED)).decode()
    assert shape().is_valid(fromstring(good))  # noqa: S314 - our own
    for old, new in (
        (' failures="1"', ""),
        ('name="errors == 0"', 'name="p99 &lt; 2ms"'),
        ('time="0"', 'time="1e3"'),
        ('type="gate" ', ""),
        ("<properties>", "<properties/><properties>"),
        ("</testsuite>", "<properties/></testsuite>"),
    ):
        assert old in good
        assert not shape().is_valid(fromstring(good.replace(old, new)))  # noqa: S314 - our own


def test_urls_without_end_are_cut() -> None:
    plan = msgspec.structs.replace(a_result().plan, urls=[f"http://h/{number}" for number in range(1_000)])
    suite = suite_of(msgspec.structs.replace(a_result(), plan=plan))
    assert len([each for each in suite.iter("property") if each.get("name") == "plan.url"]) == 20
