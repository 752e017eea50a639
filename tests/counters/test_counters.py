"""The family: its table, its words, and what it says of a kind that it does not have."""

from __future__ import annotations

import pytest

from cannon.counters import DESCRIBED, KINDS, NATURES, Nature, haproxy, nginx, read
from cannon.errors import UsageError


def test_a_kind_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        read("envoy\x00", "/")
    assert (
        refused.value.message == r"'envoy\x00' is no kind of proxy that can be read; they are haproxy, nginx"
    )


def test_kinds_are_called_as_their_rows_are() -> None:
    assert list(KINDS) == [haproxy.KIND, nginx.KIND]


def test_no_two_figures_have_a_name_or_words_in_common() -> None:
    figures = [*haproxy.FIGURES, *nginx.FIGURES]
    assert len(figures) == len(DESCRIBED) == len(NATURES) == len(set(DESCRIBED.values()))


def test_words_begin_with_the_unit_that_the_name_ends_in() -> None:
    units = {"_ms": "ms ", "_pct": "% ", "_bytes": "bytes "}
    told = {name: unit for name in DESCRIBED for ending, unit in units.items() if name.endswith(ending)}
    assert len(told) == 14
    assert all(DESCRIBED[name].startswith(unit) for name, unit in told.items())


def test_only_what_grows_is_a_count() -> None:
    assert {name for name, nature in NATURES.items() if nature is not Nature.COUNT} == {
        "qcur",
        "qmax",
        "qtime_ms",
        "ctime_ms",
        "rtime_ms",
        "ttime_ms",
        "qtime_max_ms",
        "ctime_max_ms",
        "rtime_max_ms",
        "ttime_max_ms",
        "idle_pct",
        "active",
        "reading",
        "writing",
        "waiting",
    }
