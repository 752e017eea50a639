"""A gate is read from one line, or refused in one line that points at what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.gate_grammar import ALONE, RUN, Known, parse
from cannon.gates import Allowance, Gate, Operator, Reference
from cannon.metrics import SHARES, Literal, Metric, Unit, unit_of

BOTH = Known(("direct", "haproxy"), ("nginx", "haproxy"), baseline=True)
"""A comparison of two sides, with CPU of two processes and a baseline."""


def a_gate(
    text: str,
    metric: Metric,
    operation: Operator,
    bound: Literal | Reference,
    percentile: float | None = None,
    side: str | None = None,
    process: str | None = None,
    unit: Unit | None = None,
) -> Gate:
    default = bound.unit if isinstance(bound, Literal) else unit_of(metric)
    unit = default if unit is None else unit
    return Gate(" ".join(text.split()), metric, percentile, side, process, operation, bound, unit)


def to(name: str, amount: float = 0.0, *, is_relative: bool = False) -> Reference:
    return Reference(name, Allowance(amount, is_relative))


@pytest.mark.parametrize(
    ("text", "metric", "percentile", "operation", "bound"),
    [
        ("p99 < 50ms", Metric.PERCENTILE, 99, Operator.BELOW, Literal(50, Unit.MS)),
        ("p99.9<=1.5s", Metric.PERCENTILE, 99.9, Operator.AT_MOST, Literal(1500, Unit.MS)),
        ("p50 < 250us", Metric.PERCENTILE, 50, Operator.BELOW, Literal(0.25, Unit.MS)),
        ("p50 < 250\N{MICRO SIGN}s", Metric.PERCENTILE, 50, Operator.BELOW, Literal(0.25, Unit.MS)),
        ("mean > .5 ms", Metric.MEAN, None, Operator.ABOVE, Literal(0.5, Unit.MS)),
        ("  max \t>=  1s  ", Metric.MAX, None, Operator.AT_LEAST, Literal(1000, Unit.MS)),
        ("rps > 1000/s", Metric.RPS, None, Operator.ABOVE, Literal(1000, Unit.PER_S)),
        ("rps > 2k/s", Metric.RPS, None, Operator.ABOVE, Literal(2000, Unit.PER_S)),
        ("errors == 0", Metric.ERRORS, None, Operator.EQUAL, Literal(0, Unit.COUNT)),
        ("errors < 0.1%", Metric.ERRORS, None, Operator.BELOW, Literal(0.1, Unit.PERCENT)),
        ("timeouts < 1 %", Metric.TIMEOUTS, None, Operator.BELOW, Literal(1, Unit.PERCENT)),
        ("non2xx <= 100", Metric.NON2XX, None, Operator.AT_MOST, Literal(100, Unit.COUNT)),
        ("bytes < 10kB", Metric.BYTES, None, Operator.BELOW, Literal(10_000, Unit.BYTES)),
        ("bytes <= 512B", Metric.BYTES, None, Operator.AT_MOST, Literal(512, Unit.BYTES)),
        ("cpu < 80us", Metric.CPU, None, Operator.BELOW, Literal(80, Unit.US)),
        ("late < 1ms", Metric.LATE, None, Operator.BELOW, Literal(1, Unit.MS)),
    ],
)
@pytest.mark.parametrize("known", [RUN, ALONE, BOTH])
def test_a_gate_with_a_value_is_read_wherever_it_stands(
    text: str, metric: Metric, percentile: float | None, operation: Operator, bound: Literal, known: Known
) -> None:
    assert parse(text, known) == a_gate(text, metric, operation, bound, percentile)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "p99@haproxy < direct + 2ms",
            a_gate(
                "p99@haproxy < direct + 2ms",
                Metric.PERCENTILE,
                Operator.BELOW,
                to("direct", 2),
                99,
                side="haproxy",
            ),
        ),
        (
            "rps > direct - 10%",
            a_gate("rps > direct - 10%", Metric.RPS, Operator.ABOVE, to("direct", -10, is_relative=True)),
        ),
        (
            "p99<base+5%",
            a_gate("p99<base+5%", Metric.PERCENTILE, Operator.BELOW, to("base", 5, is_relative=True), 99),
        ),
        ("mean <= direct", a_gate("mean <= direct", Metric.MEAN, Operator.AT_MOST, to("direct"))),
        (
            "rps > base - 50/s",
            a_gate("rps > base - 50/s", Metric.RPS, Operator.ABOVE, to("base", -50)),
        ),
        (
            "errors < direct + 0.1%",
            a_gate("errors < direct + 0.1%", Metric.ERRORS, Operator.BELOW, to("direct", 0.1)),
        ),
        (
            "errors <= base + 5",
            a_gate("errors <= base + 5", Metric.ERRORS, Operator.AT_MOST, to("base", 5), unit=Unit.COUNT),
        ),
        ("errors <= base", a_gate("errors <= base", Metric.ERRORS, Operator.AT_MOST, to("base"))),
        (
            "cpu@nginx < 50us",
            a_gate("cpu@nginx < 50us", Metric.CPU, Operator.BELOW, Literal(50, Unit.US), process="nginx"),
        ),
        (
            "cpu @ haproxy < base + 12.5 %",
            a_gate(
                "cpu @ haproxy < base + 12.5 %",
                Metric.CPU,
                Operator.BELOW,
                to("base", 12.5, is_relative=True),
                process="haproxy",
            ),
        ),
        (
            "cpu@direct < haproxy",
            a_gate("cpu@direct < haproxy", Metric.CPU, Operator.BELOW, to("haproxy"), side="direct"),
        ),
        (
            "bytes@direct == haproxy",
            a_gate("bytes@direct == haproxy", Metric.BYTES, Operator.EQUAL, to("haproxy"), side="direct"),
        ),
    ],
)
def test_a_gate_of_sides_and_baselines_is_read(text: str, expected: Gate) -> None:
    assert parse(text, BOTH) == expected


WRONG = [
    ("latency < 5ms", 1, "'latency' is no metric; there are p50, p99, p99.9, ..., mean, max, rps,"),
    ("P99 < 5ms", 1, "'P99' is no metric"),
    ("p < 5ms", 1, "'p' is no metric"),
    ("p99x < 5ms", 1, "'p99x' is no metric"),
    ("p99,9 < 5ms", 4, "',9 < 5ms' is no comparison"),
    (" < 5ms", 2, "'< 5ms' is no metric"),
    ("99 < 5ms", 1, "'99 < 5ms' is no metric"),
    ("\N{FULLWIDTH LATIN SMALL LETTER P}99 < 5ms", 1, "is no metric"),
    ("p\N{ARABIC-INDIC DIGIT NINE} < 5ms", 1, "'p' is no metric"),
    ("p100 < 5ms", 1, "'p100' is no percentile between 0 and 100; the highest value is max"),
    ("p0 < 5ms", 1, "'p0' is no percentile between 0 and 100"),
    ("p99.99999999999999999999 < 5ms", 1, "is no percentile between 0 and 100"),
    ("p99", 4, "a comparison is missing; there are < <= > >= =="),
    ("p99 << 5ms", 5, "'<<' is no comparison"),
    ("p99 = 5ms", 5, "'=' is no comparison"),
    ("p99 != 5ms", 5, "'!=' is no comparison"),
    ("p99 \N{LESS-THAN OR EQUAL TO} 5ms", 5, "is no comparison"),
    ("p99 below 5ms", 5, "'below 5ms' is no comparison"),
    ("p99 <", 6, "a bound is missing"),
    ("p99 < ", 7, "a bound is missing"),
    ("p99 < -5ms", 7, "'-5ms' is no bound"),
    ("p99 < 50", 9, "a unit is missing; p99 takes us, ms or s"),
    ("p99 < 50min", 9, "'min' is no unit; p99 takes us, ms or s"),
    ("p99 < 50%", 9, "'%' is no unit; p99 takes us, ms or s"),
    ("p99 < 1,5ms", 8, "',5ms' is no unit"),
    ("p99 < 5e3ms", 8, "'e' is no unit"),
    ("p99 < \N{ARABIC-INDIC DIGIT FIVE}ms", 7, "is no bound"),
    ("cpu < 50%", 9, "'%' is no unit; cpu takes us, ms or s"),
    ("p99 < 99999999s", 7, "'99999999s' is too large, the most is 10000h"),
    ("p99 < 5ms + 1ms", 11, "'+ 1ms' stands behind the bound"),
    ("p99 < 5ms please", 11, "'please' stands behind the bound"),
    ("rps > 100", 10, "a unit is missing; rps takes /s"),
    ("rps > 100ms", 10, "'ms' is no unit; rps takes /s"),
    ("rps > 100/d", 7, "'100/d' is no rate"),
    ("errors < 0.5", 10, "'0.5' is not a whole number"),
    ("errors < 5ms", 11, "'ms' is no unit; errors takes % or, for a count, none"),
    ("errors < 150%", 10, "'150%' is more than all"),
    ("bytes < 10", 11, "a unit is missing; bytes takes B, kB or MB"),
    ("bytes < 10Q", 9, "'10Q' is no size"),
    ("p99 \x1b[31m< 5ms", 5, "'\\x1b[31m< 5ms' is no comparison"),
    ("p99 < 5ms\x00", 10, "'\\x00' stands behind the bound"),
    ("p99 <\n5ms", 6, "'\\n5ms' is no bound"),
    ("p99\r< 5ms", 4, "'\\r< 5ms' is no comparison"),
    ("p99 <\N{NO-BREAK SPACE}5ms", 6, "'\\xa05ms' is no bound"),
    ("p99 < \N{RIGHT-TO-LEFT OVERRIDE}5ms", 7, "'\\u202e5ms' is no bound"),
    ("p99 < 5ms" + " " * 111 + "x", 121, "nobody can read so long a line"),
]
"""What is no gate anywhere: the line, the character, what is said of it."""


def refusal(text: str, known: Known = RUN) -> str:
    with pytest.raises(UsageError) as refused:
        parse(text, known)
    assert refused.value.message.isprintable()
    return refused.value.message


@pytest.mark.parametrize(("text", "character", "reason"), WRONG)
@pytest.mark.parametrize("known", [RUN, BOTH])
def test_a_wrong_gate_is_one_line_that_points_at_the_character(
    text: str, character: int, reason: str, known: Known
) -> None:
    message = refusal(text, known)
    assert f" at character {character}: " in message
    assert reason in message


@pytest.mark.parametrize(
    ("text", "character", "reason"),
    [
        ("p99@direct < 5ms", 4, "a side is of a comparison, and this is one run; leave it out"),
        ("p99 @ direct < 5ms", 5, "a side is of a comparison"),
        ("cpu@nginx < 5ms", 4, "a side is of a comparison"),
        ("p99@ < 5ms", 4, "a side is of a comparison"),
        ("p99 < base + 5%", 7, "there is no baseline; name the file of an earlier run with --baseline FILE;"),
        ("p99 < direct", 7, "'direct' is no value, and one run has no other side to be set against"),
        ("p99 < five", 7, "'five' is no value"),
    ],
)
def test_one_run_has_no_sides_and_without_a_file_no_baseline(text: str, character: int, reason: str) -> None:
    message = refusal(text)
    assert f" at character {character}: {reason}" in message


@pytest.mark.parametrize(
    ("text", "character", "reason"),
    [
        ("p99@nginx < 5ms", 5, "'nginx' is no side; there are direct, haproxy;"),
        ("p99@base < 5ms", 5, "'base' is no side; there are direct, haproxy;"),
        ("p99@ < 5ms", 6, "'< 5ms' is no side"),
        ("p99@", 5, "a side is missing; there are direct, haproxy;"),
        (
            "p99@\N{LATIN SMALL LETTER E WITH ACUTE} < 5ms",
            5,
            "'\N{LATIN SMALL LETTER E WITH ACUTE} < 5ms' is no side",
        ),
        ("cpu@apache < 5us", 5, "'apache' is no side or process; there are direct, haproxy, nginx, haproxy;"),
        ("p99 < nginx + 5%", 7, "'nginx' is no side; there are direct, haproxy, base;"),
        ("p99 < haproxy", 7, "haproxy is set against itself; name another side"),
        ("p99@direct < direct + 5%", 14, "direct is set against itself; name another side"),
        ("cpu@nginx < haproxy + 5%", 13, "haproxy is set against itself"),
        ("p99 < direct +", 15, "a margin is missing"),
        ("p99 < direct + x", 16, "'x' is no margin"),
        ("p99 < direct + -5%", 16, "'-5%' is no margin"),
        ("p99 < direct + 5", 17, "a unit is missing; p99 takes % or us, ms or s"),
        ("rps > direct - 5ms", 17, "'ms' is no unit; rps takes % or /s"),
        ("errors < direct + 5ms", 20, "'ms' is no unit; errors takes % or, for a count, none;"),
        ("errors < direct + 500%", 19, "'500%' is more than all"),
        ("p99 < direct + 2000%", 16, "'2000%' is too large, the most is 1000%"),
        ("rps > direct - 100%", 16, "'100%' less leaves nothing"),
        ("p99 < direct + 5% + 1ms", 19, "'+ 1ms' stands behind the bound"),
        ("p99 < direct 5%", 14, "'5%' stands behind the bound"),
        ("p99 < direct * 2", 14, "'* 2' stands behind the bound"),
    ],
)
def test_a_wrong_side_or_margin_is_pointed_at(text: str, character: int, reason: str) -> None:
    message = refusal(text, BOTH)
    assert f" at character {character}: {reason}" in message


def test_a_comparison_without_a_baseline_says_how_to_give_one() -> None:
    assert "--baseline FILE" in refusal("p99 < base + 5%", Known(("direct", "haproxy")))


def test_where_no_baseline_can_be_none_is_asked_for() -> None:
    message = refusal("p99 < base + 5%", ALONE)
    assert "at character 7: there can be no baseline here; give a value;" in message
    assert "--baseline" not in message


def test_a_run_with_a_baseline_refers_to_it() -> None:
    assert parse("p99 < base + 5%", Known(baseline=True)).bound == to("base", 5, is_relative=True)


@pytest.mark.parametrize("text", ["", "  ", "\t", "\n"])
def test_a_gate_that_is_missing_is_said_so(text: str) -> None:
    assert refusal(text) == "a gate is missing; write for example p99 < 50ms"


def test_a_line_as_long_as_may_be_is_read() -> None:
    assert parse("p99 < 5ms".ljust(120)).expression == "p99 < 5ms"


@pytest.mark.parametrize("metric", [metric for metric in Metric if metric is not Metric.PERCENTILE])
def test_what_a_message_shows_is_a_right_gate_of_the_same_metric(metric: Metric) -> None:
    assert parse(refusal(f"{metric} <").rpartition("for example ")[2]).metric is metric


spaces = st.sampled_from(["", " ", "  ", "\t"])
numbers = st.integers(0, 999).map(str) | st.decimals("0.001", "999", places=3).map(str)
times = st.tuples(numbers, st.sampled_from(["us", "ms", "s"]))
LITERALS = {
    **dict.fromkeys((Metric.PERCENTILE, Metric.MEAN, Metric.MAX, Metric.LATE, Metric.CPU), times),
    Metric.RPS: st.tuples(numbers, st.just("/s")),
    Metric.BYTES: st.tuples(st.integers(0, 999).map(str), st.sampled_from(["B", "kB", "MB"])),
    **dict.fromkeys(
        SHARES,
        st.tuples(st.integers(0, 100).map(str), st.sampled_from(["%", ""]))
        | st.tuples(st.decimals("0", "100", places=2).map(str), st.just("%")),
    ),
}


@st.composite
def written(draw: st.DrawFn) -> tuple[list[str], str | None, str, str | None]:
    """The words of a gate, and what was written: the side, the operator, what is referred to."""
    metric = draw(st.sampled_from(Metric))
    name = f"p{draw(st.sampled_from(['1', '50', '99', '99.9', '99.999']))}" if metric == "p" else str(metric)
    side = draw(st.sampled_from([None, *BOTH.sides]))
    operation = draw(st.sampled_from(Operator))
    literal = [*draw(LITERALS[metric])]
    words = [name, *(["@", side] if side else []), str(operation)]
    if draw(st.booleans()):
        return [*words, *literal], side, operation, None
    other = draw(st.sampled_from(["base", "haproxy" if side == "direct" else "direct"]))
    words.append(other)
    if draw(st.booleans()):
        margin = [str(draw(st.integers(0, 99))), "%"]
        words += [draw(st.sampled_from("+-")), *draw(st.sampled_from([literal, margin]))]
    return words, side, operation, other


@given(written(), st.data())
def test_whatever_the_grammar_allows_is_read_with_any_spaces_and_again_as_it_was(
    gate: tuple[list[str], str | None, str, str | None], data: st.DataObject
) -> None:
    words, side, operation, other = gate
    text = "".join(f"{word}{data.draw(spaces)}" for word in words)
    found = parse(text, BOTH)
    assert (found.side or found.process, found.operator) == (side, operation)
    assert (found.bound.name if isinstance(found.bound, Reference) else None) == other
    assert parse(found.expression, BOTH) == found
    assert parse(" ".join(words), BOTH).bound == found.bound


pieces = st.sampled_from(
    [
        *"pP@<>=+-%/.0159 \t\n\x00\x1bµe",
        "p99",
        "rps",
        "errors",
        "cpu",
        "base",
        "direct",
        "haproxy",
        "nginx",
        "ms",
        "us",
        "kB",
        "/s",
        "9" * 50,
        "<=",
        "==",
    ]
)


@given(
    st.text(max_size=150) | st.lists(pieces, max_size=12).map("".join), st.sampled_from([RUN, ALONE, BOTH])
)
@example("p99 < " + "9" * 110 + "s", RUN)
@example("p" + "9" * 115 + " < 1s", RUN)
@example("p0." + "0" * 100 + "1 < 1s", RUN)
@example("errors < " + "9" * 100 + "%", RUN)
@example("p99 < base + " + "9" * 100 + "%", BOTH)
@example("\ud800", RUN)
def test_whatever_is_written_is_read_or_refused_in_one_line(text: str, known: Known) -> None:
    try:
        gate = parse(text, known)
    except UsageError as refused:
        assert refused.message.isprintable()
        assert "for example" in refused.message
        assert len(refused.message) < 500
    else:
        assert gate.expression.isprintable()
        assert gate.least_samples >= 1
        assert parse(gate.expression, known) == gate
