"""What GitHub's runner is told, and what it is kept from taking for an order."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.comparison import Comparison
from cannon.errors import InvalidRun
from cannon.reports.github import (
    MOST_BYTES,
    annotations_of,
    disarmed,
    disarmed_json,
    is_there,
    page,
    write_page,
)
from cannon.result import Result
from cannon.text import clean
from tests.comparisons import a_comparison
from tests.hostile import TEXTS, a_comparison_of, a_result_of
from tests.reports.gated import FAILED, OPEN, PASSED, a_gate, doubted, foreign, gated
from tests.results import a_result

REGISTERED = frozenset({"error", "warning", "notice", "add-mask", "set-output", "stop-commands", "group"})
"""Orders that the runner knows."""

Order = tuple[str, Mapping[str, str], str]


def order_of(line: str) -> Order | None:
    """What the runner makes of a line of the log: an order with its properties and its text, or none."""
    trimmed = line.lstrip()
    if trimmed.startswith("::") and "::" in trimmed[2:]:
        head, _, data = trimmed[2:].partition("::")
        name, _, rest = head.partition(" ")
        if name in REGISTERED:
            pairs = (pair.split("=", 1) for pair in rest.strip().split(",") if "=" in pair)
            return name, {key: unescaped(value, ":,") for key, value in pairs}, unescaped(data)
    start = line.find("##[")
    end = line.find("]", start)
    if start >= 0 and end >= 0 and line[start + 3 : end].partition(" ")[0] in REGISTERED:
        return line[start + 3 : end].partition(" ")[0], {}, line[end + 1 :]
    return None


def unescaped(text: str, more: str = "") -> str:
    for character in f"\r\n{more}%":
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def orders_of(measured: Result | Comparison) -> list[Order]:
    """All of the annotations, each of which is one."""
    lines = annotations_of(measured).splitlines()
    found = [order for line in lines if (order := order_of(line)) is not None]
    assert len(found) == len(lines)
    return found


def kinds_of(measured: Result | Comparison) -> list[str]:
    return [kind for kind, _, _ in orders_of(measured)]


@pytest.mark.parametrize(
    ("environment", "there"),
    [
        ({"GITHUB_ACTIONS": "true"}, True),
        ({"GITHUB_ACTIONS": "false"}, False),
        ({"GITHUB_ACTIONS": ""}, False),
        ({}, False),
    ],
)
def test_only_in_a_job_is_anything_told(environment: dict[str, str], there: bool) -> None:
    assert is_there(environment) is there


def test_a_gate_that_failed_is_an_error_and_one_that_is_open_a_warning() -> None:
    assert orders_of(gated(PASSED, FAILED, OPEN)) == [
        ("error", {"title": "p99 < 2ms failed"}, "p99 was 5.1 ms"),
        ("warning", {"title": "p90 < base + 5% is inconclusive"}, "p90 was 5.1 ms; 5 baselines"),
    ]


@pytest.mark.parametrize(
    "measured", [a_result(), a_comparison(), gated(PASSED)], ids=["run", "comparison", "gates"]
)
def test_where_all_is_well_nothing_is_told(measured: Result | Comparison) -> None:
    assert annotations_of(measured) == ""


def test_a_run_that_is_not_valid_is_an_error_whatever_its_gates_say() -> None:
    found = orders_of(gated(PASSED, validity=doubted("invalid", "no request succeeded", "a worker was lost")))
    assert found == [("error", {"title": "cannon: not valid"}, "no request succeeded; a worker was lost")]


def test_a_doubt_is_noted_where_no_gate_says_more() -> None:
    doubt = doubted("suspect", "cannon was the limit")
    assert kinds_of(gated(validity=doubt)) == ["notice"]
    assert kinds_of(gated(PASSED, OPEN, validity=doubt)) == ["warning"]


def test_of_each_kind_there_are_ten_at_most_and_the_last_tells_of_the_rest() -> None:
    failed = [a_gate(f"p{number} < 2ms") for number in range(1, 26)]
    found = orders_of(gated(*failed, *[OPEN] * 10))
    assert [kind for kind, _, _ in found] == ["error"] * 10 + ["warning"] * 10
    assert found[8][1] == {"title": "p9 < 2ms failed"}
    _, properties, text = found[9]
    assert properties == {"title": "16 more"}
    assert text.startswith("p10 < 2ms failed; p11 < 2ms failed;") and text.endswith("p25 < 2ms failed")


@given(foreign, foreign)
def test_an_annotation_says_what_it_was_given_and_nothing_beyond_it(expression: str, reason: str) -> None:
    ((kind, properties, text),) = orders_of(gated(a_gate(f"p99{expression}", reason=reason)))
    assert kind == "error"
    assert {*properties} == {"title"}
    assert properties["title"] == clean(f"p99{expression} failed", 1000).replace("##[", "# #[")
    assert text == clean(reason, 1000).replace("##[", "# #[")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_in_every_field_gives_no_order_more(text: str) -> None:
    for measured, harmless in (
        (a_result_of(text), a_result_of("x")),
        (a_comparison_of(text), a_comparison_of("x")),
    ):
        assert kinds_of(measured) == kinds_of(harmless)


@given(
    st.lists(
        st.one_of(foreign, st.sampled_from(["::error::x", "##[error]x", "\n", "\r\n", "  ", "\xa0"]))
    ).map("".join)
)
def test_no_line_of_the_log_is_an_order(text: str) -> None:
    told = disarmed(text)
    assert not any(order_of(line) for line in told.replace("\r", "\n").split("\n"))
    assert disarmed(told) == told


@given(st.text(st.characters(exclude_characters=":#")))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert disarmed(text) == text


def test_a_time_or_an_address_is_no_order() -> None:
    assert disarmed("listens on [::1]:80, and ::1 as well\n") == "listens on [::1]:80, and ::1 as well\n"


@given(st.lists(st.one_of(foreign, st.sampled_from(["##[error]x", "###[", "\\##["]))))
def test_json_says_the_same_and_is_no_order(texts: list[str]) -> None:
    data = json.dumps(texts, indent=1).encode()
    told = disarmed_json(data)
    assert json.loads(told) == texts
    assert not any(order_of(line) for line in told.decode().splitlines())


@pytest.mark.parametrize("measured", [gated(FAILED), a_comparison(gates=[FAILED])], ids=["run", "comparison"])
def test_the_page_is_whole_where_there_is_room(measured: Result | Comparison) -> None:
    whole = page(measured)
    assert b"p99" in whole and whole.count(b"\n|") > 2
    short = page(measured, len(whole) - 1)
    assert short and len(short) < len(whole)
    assert b"-o result.md" in short and b"fail: p99" in short
    assert page(measured, len(short) - 1) == b""


def test_a_page_without_end_has_the_sum_of_the_verdicts() -> None:
    gates = [a_gate(f"p99.{number} < 2ms", reason="x" * 2_000) for number in range(600)]
    data = page(gated(*gates))
    assert 0 < len(data) <= MOST_BYTES
    assert b"Failed: 600 of 600 gates" in data


def test_the_page_stands_behind_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_bytes(b"# before\n")
    write_page(str(path), gated(FAILED))
    write_page(str(path), gated(PASSED))
    assert path.read_bytes() == b"# before\n\n" + page(gated(FAILED)) + b"\n" + page(gated(PASSED))


def test_the_first_page_makes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    write_page(str(path), gated(FAILED))
    assert path.read_bytes() == page(gated(FAILED))


@pytest.mark.parametrize("left_bytes", [0, 1, 300])
def test_a_full_page_takes_no_more_than_it_can(left_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    before = b"x" * (MOST_BYTES - left_bytes)
    path.write_bytes(before)
    try:
        write_page(str(path), gated(FAILED))
    except InvalidRun as refusal:
        assert left_bytes < 300 and "full" in refusal.message
        assert path.read_bytes() == before
    else:
        assert left_bytes == 300 and path.stat().st_size <= MOST_BYTES
        assert b"-o result.md" in path.read_bytes()


def test_a_page_that_cannot_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(descriptor: int, data: bytes) -> None:
        os.write(descriptor, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    path = tmp_path / "summary.md"
    path.write_bytes(b"before")
    monkeypatch.setattr("cannon.reports.places.write_whole", half)
    with pytest.raises(InvalidRun, match="cannot write the summary of the step: No space left on device"):
        write_page(str(path), gated(FAILED))
    assert path.read_bytes() == b"before"


def test_a_page_is_written_into_a_file_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/null", str(tmp_path), str(tmp_path / "no" / "summary.md")):
        with pytest.raises(InvalidRun, match="cannot write the summary of the step"):
            write_page(path, gated(FAILED))
