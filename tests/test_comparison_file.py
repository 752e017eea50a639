"""The file of a comparison: every field that others hold on to, valid by the published schema, read again as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from cannon.comparison import Comparison, Worth, schema
from cannon.equivalence import Equivalence
from cannon.result import GateVerdict
from cannon.rounds import Pass
from cannon.rows import Change
from cannon.validity import Validity
from tests.comparisons import (
    BASE,
    SIDE,
    a_change,
    a_comparison,
    a_compression,
    a_compression_comparison,
    a_dropped,
    a_histogram,
    a_round,
    a_slot,
    a_tls_comparison,
    some_rounds,
)
from tests.schemas import assert_valid

COMPARISONS: Mapping[str, Comparison] = {
    "usual": a_comparison(),
    "compression": a_compression_comparison(),
    "compression that costs nothing": a_compression_comparison(
        compression=a_compression(
            break_even_mbit_s={"gzip": a_change(291.0, 291.0, None)}, worth={"gzip": Worth.AT_LEAST}
        )
    ),
    "TLS": a_tls_comparison(),
    "with histograms": a_comparison(
        rounds=[a_round(slots={name: a_slot(histogram=a_histogram()) for name in (BASE, SIDE)})]
    ),
    "interrupted": a_comparison(
        rounds=some_rounds(Pass.CAPACITY, 3), dropped=[a_dropped()], rate=None, interrupted="SIGINT"
    ),
    "not equivalent": a_comparison(
        rate=None,
        rounds=[],
        rows=[],
        noise=[],
        equivalence=Equivalence(
            same=False, differences=["haproxy answers 301, direct 200"], allowed=[], varies=[]
        ),
        validity=Validity("invalid", ["the sides do not answer the same"]),
    ),
    "gated": a_comparison(
        gates=[GateVerdict("p99 < direct + 2ms", "pass", 4.7, 5.9, 4.3, 5.1, "ms", "p99 was 4.71 ms")]
    ),
}

TOP = (
    "schema",
    "cannon",
    "host",
    "started",
    "finished",
    "plan",
    "gates",
    "validity",
    "interrupted",
    "sides",
    "seed",
    "margin_pct",
    "rounds_asked",
    "rounds",
    "rows",
    "noise",
    "equivalence",
    "compression",
)
SLOT = (
    "rps",
    "p50_ms",
    "p90_ms",
    "p99_ms",
    "p99_9_ms",
    "mean_ms",
    "bytes_per_response",
    "status",
    "errors",
    "cpu_us",
    "histogram",
)
ROW = (
    "pass",
    "metric",
    "side",
    "base",
    "unit",
    "base_value",
    "side_value",
    "added",
    "change_pct",
    "rounds",
    "level",
    "verdict",
    "reason",
)

every_comparison = pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)


def document(comparison: Comparison) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(comparison.to_json())
    return found


@every_comparison
def test_what_is_written_fits_the_published_schema(comparison: Comparison) -> None:
    assert assert_valid(comparison.to_json(), schema)["schema"] == "cannon/comparison/1"


@every_comparison
def test_what_is_written_reads_back_as_the_same_comparison(comparison: Comparison) -> None:
    assert Comparison.from_json(comparison.to_json()) == comparison


def test_the_document_ends_in_one_newline() -> None:
    assert a_comparison().to_json().endswith(b"}\n")


@pytest.mark.parametrize("name", TOP)
def test_the_file_has(name: str) -> None:
    assert name in document(a_comparison())
    assert name in schema()["$defs"]["Comparison"]["required"]


def test_a_side_has_its_name_its_url_and_its_settings() -> None:
    (base, side) = document(a_comparison())["sides"]
    assert (base["name"], base["url"]) == (BASE, "http://127.0.0.1:8000/")
    assert side["settings"]["connections"] == 10


def test_a_round_has_its_pass_its_order_and_a_slot_of_each_side() -> None:
    rounds = document(a_comparison())["rounds"]
    assert {found["pass"] for found in rounds} == {"capacity", "latency"}
    assert rounds[1]["order"] == [SIDE, BASE]
    assert {*rounds[1]["slots"]} == {SIDE, BASE}


@pytest.mark.parametrize("name", SLOT)
def test_a_slot_has(name: str) -> None:
    assert name in document(a_comparison())["rounds"][0]["slots"][BASE]


@pytest.mark.parametrize("name", ROW)
def test_a_row_has(name: str) -> None:
    assert all(name in row for row in document(a_comparison())["rows"])


def test_what_was_added_and_its_change_are_estimates_with_an_interval() -> None:
    row = next(row for row in document(a_comparison())["rows"] if row["metric"] == "p50")
    assert row["added"] == {"estimate": 0.31, "low": 0.29, "high": 0.33}
    assert {*row["change_pct"]} == {"estimate", "low", "high"}


def test_a_verdict_is_one_of_five_words() -> None:
    assert schema()["$defs"]["Verdict"]["enum"] == [
        "equivalent",
        "higher",
        "inconclusive",
        "lower",
        "uncertain",
    ]


def test_noise_has_its_metric_and_what_could_be_seen() -> None:
    noise = document(a_comparison())["noise"]
    assert {"metric", "resolvable_pct"} <= noise[0].keys()


def test_equivalence_has_its_word_the_differences_and_what_was_allowed() -> None:
    found = document(COMPARISONS["not equivalent"])["equivalence"]
    assert (found["same"], found["differences"]) == (False, ["haproxy answers 301, direct 200"])
    assert found["allowed"] == []


def test_compression_is_told_by_side_and_null_where_it_is_not_under_test() -> None:
    assert document(a_comparison())["compression"] is None
    found = document(a_compression_comparison())["compression"]
    assert found["wire_bytes"] == {"identity": 100_000.0, "gzip": 20_000.0}
    assert found["decoded_bytes"] == {"identity": 100_000, "gzip": 100_000}
    assert found["ratio"] == {"gzip": 5.0}
    assert found["break_even_mbit_s"] == {"gzip": {"estimate": 320.0, "low": 291.0, "high": 356.0}}


def test_an_open_end_and_what_was_not_measured_are_null() -> None:
    found = document(COMPARISONS["compression that costs nothing"])["compression"]
    assert found["break_even_mbit_s"]["gzip"]["high"] is None
    missing = next(row for row in document(a_comparison())["rows"] if row["metric"] == "p99_9")
    assert (missing["base_value"], missing["added"], missing["change_pct"]) == (None, None, None)


def test_without_an_interval_its_ends_are_null() -> None:
    rows = [
        msgspec.structs.replace(row, added=Change(0.3, None, None), level=None)
        for row in a_comparison().rows[1:2]
    ]
    (row,) = document(a_comparison(rows=rows))["rows"]
    assert row["added"] == {"estimate": 0.3, "low": None, "high": None}
    assert row["level"] is None


def test_the_judge_refuses_what_is_no_comparison() -> None:
    with pytest.raises(AssertionError, match="seed"):
        assert_valid(a_comparison().to_json().replace(b'"seed": 4127', b'"seed": "4127"'), schema)
