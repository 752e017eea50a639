"""The search comes as close to the highest rate that holds as it was asked to, and believes no single trial."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.gate_grammar import parse
from cannon.gates import Verdict
from cannon.pace import Arrivals, Pace
from cannon.profile import Constant
from cannon.search import Finding, Outcome, Search, Trial

SECOND_NS = 1_000_000_000
GATE = parse("p99 < 50ms")
PASS, FAIL, INCONCLUSIVE = Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE

knees = st.floats(30, 900_000)


def a_trial(rate: float, verdict: Verdict) -> Trial:
    return Trial(rate, rate, 1.0, verdict, "" if verdict is PASS else f"it was {verdict} there")


def a_search(**changes: Any) -> Search:
    return Search(**({"start_per_s": 100, "least_per_s": 10} | changes))


def search_at(search: Search, target: Callable[[float, int], Verdict]) -> tuple[Finding, list[Trial]]:
    """The whole search, at a target that says what becomes of a rate; it is also told how many trials there were."""
    trials: list[Trial] = []
    while not isinstance(rate := search.next(trials), Finding):
        trials.append(a_trial(rate, target(rate, len(trials))))
        assert len(trials) <= search.most_trials
    return rate, trials


def with_knee(knee_per_s: float, beyond: Verdict = FAIL) -> Callable[[float, int], Verdict]:
    return lambda rate, count: PASS if rate <= knee_per_s else beyond


def rates(trials: list[Trial]) -> list[float]:
    return [trial.rate for trial in trials]


@given(knees)
def test_the_answer_lies_within_the_precision_of_the_knee(knee_per_s: float) -> None:
    finding, _ = search_at(a_search(), with_knee(knee_per_s))
    assert finding.outcome is Outcome.FOUND
    assert finding.per_s is not None
    assert finding.per_s <= knee_per_s < finding.per_s * 1.05


@given(knees, st.floats(0.01, 0.3))
def test_the_precision_is_the_one_that_was_asked(knee_per_s: float, precision: float) -> None:
    search = a_search(precision=precision, most_trials=40)
    finding, _ = search_at(search, with_knee(knee_per_s))
    assert finding.per_s is not None
    assert finding.per_s <= knee_per_s < finding.per_s * (1 + precision)


@given(knees)
def test_what_is_found_has_held_twice_and_what_lies_above_has_not(knee_per_s: float) -> None:
    finding, trials = search_at(a_search(), with_knee(knee_per_s))
    assert finding.per_s is not None
    assert rates(trials).count(finding.per_s) == 2
    assert min(trial.rate for trial in trials if trial.verdict is FAIL) <= finding.per_s * 1.05


def test_the_rate_is_doubled_until_it_does_not_hold_and_then_the_gap_is_halved() -> None:
    _, trials = search_at(a_search(), with_knee(500))
    assert rates(trials) == [100, 200, 400, 800, 566, 476, 519, 497, 497]


def test_a_search_begins_where_it_is_told_to() -> None:
    assert a_search(start_per_s=321).next([]) == 321


def test_a_target_that_never_fails_is_known_to_hold_the_most() -> None:
    finding, trials = search_at(a_search(), with_knee(1e9))
    assert finding == Finding(Outcome.AT_LEAST, 1_000_000, "cannon asks no more than 1,000,000/s")
    assert rates(trials)[-2:] == [1_000_000, 1_000_000]


def test_a_target_that_fails_at_once_holds_nothing() -> None:
    finding, trials = search_at(a_search(), with_knee(0))
    assert finding == Finding(Outcome.NONE, None, "at 10/s it was fail there")
    assert rates(trials) == [100, 50, 25, 12.5, 10]


def test_why_no_lower_rate_is_tried_is_said() -> None:
    finding, _ = search_at(a_search(why_not_lower="10 s are too short for less"), with_knee(0))
    assert finding.reason == "at 10/s it was fail there; 10 s are too short for less"


def test_a_knee_below_the_start_is_found() -> None:
    finding, trials = search_at(a_search(), with_knee(30))
    assert rates(trials)[:3] == [100, 50, 25]
    assert finding.per_s is not None
    assert finding.per_s <= 30 < finding.per_s * 1.05


@given(knees.filter(lambda knee: knee > 110))
def test_where_cannon_is_the_limit_the_answer_is_a_lower_bound(knee_per_s: float) -> None:
    finding, _ = search_at(a_search(), with_knee(knee_per_s, beyond=INCONCLUSIVE))
    assert finding.outcome is Outcome.AT_LEAST
    assert finding.per_s is not None
    assert finding.per_s <= knee_per_s < finding.per_s * 1.05
    assert finding.reason.endswith("/s it was inconclusive there")


def test_where_cannon_is_the_limit_at_every_rate_nothing_is_found() -> None:
    finding, _ = search_at(a_search(), with_knee(0, beyond=INCONCLUSIVE))
    assert (finding.outcome, finding.reason) == (Outcome.NONE, "at 10/s it was inconclusive there")


def test_a_rate_at_which_the_target_failed_once_is_no_limit_of_cannon() -> None:
    trials = [
        *(a_trial(rate, PASS) for rate in (100, 100)),
        *(a_trial(104, verdict) for verdict in (INCONCLUSIVE, FAIL)),
    ]
    finding = a_search().next(trials)
    assert isinstance(finding, Finding)
    assert finding.outcome is Outcome.FOUND


def test_a_trial_in_which_cannon_was_the_limit_is_made_again() -> None:
    trials = [a_trial(100, PASS), a_trial(200, INCONCLUSIVE)]
    assert a_search().next(trials) == 200
    assert a_search().next([*trials, a_trial(200, PASS)]) == 400
    assert a_search().next([*trials, a_trial(200, FAIL)]) == 141
    assert a_search().next([*trials, a_trial(200, INCONCLUSIVE)]) == 141


def test_a_winner_that_cannon_could_not_confirm_is_tried_once_more() -> None:
    trials = [a_trial(100, PASS), a_trial(102, PASS), a_trial(104, FAIL), a_trial(102, INCONCLUSIVE)]
    assert a_search().next(trials) == 102
    assert a_search().next([*trials, a_trial(102, PASS)]) == Finding(
        Outcome.FOUND, 102, "at 104/s it was fail there"
    )
    assert a_search().next([*trials, a_trial(102, INCONCLUSIVE)]) == 100


def test_a_winner_that_fails_its_second_trial_has_lost() -> None:
    trials = [a_trial(100, PASS), a_trial(102, PASS), a_trial(104, FAIL)]
    assert a_search().next(trials) == 102
    trials.append(a_trial(102, FAIL))
    assert a_search().next(trials) == 100
    trials.append(a_trial(100, PASS))
    assert a_search().next(trials) == Finding(Outcome.FOUND, 100, "at 102/s it was fail there")


def test_a_start_that_fails_its_second_trial_leads_below() -> None:
    trials = [a_trial(100, PASS), a_trial(104, FAIL), a_trial(100, FAIL)]
    assert a_search().next(trials) == 50


@given(st.integers(0, 10_000), knees, st.floats(0.02, 0.3))
def test_at_a_noisy_target_nothing_is_found_that_has_not_held_twice_and_never_failed(
    seed: int, knee_per_s: float, noise: float
) -> None:
    chance = random.Random(seed)

    def target(rate: float, count: int) -> Verdict:
        return PASS if rate * chance.lognormvariate(0, noise) <= knee_per_s else FAIL

    finding, trials = search_at(a_search(), target)
    if finding.outcome is not Outcome.FOUND:
        return
    verdicts = [trial.verdict for trial in trials if trial.rate == finding.per_s]
    assert len(verdicts) >= 2
    assert set(verdicts) == {PASS}


def test_noise_moves_the_answer_by_no_more_than_its_own_size() -> None:
    found: list[float] = []
    for seed in range(200):
        chance = random.Random(seed)
        finding, _ = search_at(
            a_search(),
            lambda rate, count, chance=chance: (  # type: ignore[misc]  # a default, to be that of this round
                PASS if rate * chance.lognormvariate(0, 0.05) <= 20_000 else FAIL
            ),
        )
        assert finding.per_s is not None
        found.append(finding.per_s)
    found.sort()
    assert found[2] > 0.8 * 20_000
    assert 0.9 * 20_000 < found[100] < 1.02 * 20_000
    assert found[-3] < 1.1 * 20_000


def test_the_last_trial_confirms_rather_than_comes_closer() -> None:
    finding, trials = search_at(a_search(most_trials=6), with_knee(500))
    assert rates(trials) == [100, 200, 400, 800, 566, 400]
    assert finding == Finding(Outcome.AT_LEAST, 400, "6 trials were not enough to come closer")


def test_a_rate_that_held_once_is_said_to_have() -> None:
    finding, _ = search_at(a_search(most_trials=1), with_knee(500))
    assert finding.outcome is Outcome.AT_LEAST
    assert finding.reason == "it has held once, and no trial was left to confirm it"


def test_too_few_trials_to_go_low_enough_are_said_so() -> None:
    finding, _ = search_at(a_search(most_trials=2), with_knee(0))
    assert finding == Finding(
        Outcome.NONE, None, "at 50/s it was fail there; 2 trials were not enough to go lower"
    )


def test_a_search_that_is_ended_tells_what_it_knows() -> None:
    search = a_search()
    assert search.finding([], "interrupted") == Finding(Outcome.NONE, None, "interrupted")
    assert search.finding([a_trial(100, PASS)], "interrupted") == Finding(
        Outcome.AT_LEAST, 100, "interrupted"
    )
    assert search.finding([a_trial(100, FAIL)], "interrupted") == Finding(
        Outcome.NONE, None, "at 100/s it was fail there; interrupted"
    )


@given(st.lists(st.sampled_from([PASS, FAIL, INCONCLUSIVE]), min_size=25, max_size=25))
def test_a_search_ends_whatever_the_target_does(verdicts: list[Verdict]) -> None:
    finding, trials = search_at(a_search(), lambda rate, count: verdicts[count])
    assert len(trials) <= 20
    assert all(10 <= trial.rate <= 1_000_000 for trial in trials)
    assert (finding.per_s is None) is (finding.outcome is Outcome.NONE)


@pytest.mark.parametrize(
    ("expression", "duration_s", "arrivals", "least", "start"),
    [
        ("p99 < 50ms", 10, Arrivals.EVEN, 34, 204),
        ("p99 < 50ms", 240, Arrivals.EVEN, 8.5, 100),
        ("p99 < 50ms", 60, Arrivals.EVEN, 34, 100),
        ("p99 < 50ms", 10, Arrivals.POISSON, 36.5, 219),
        ("p99.9 < 50ms", 10, Arrivals.EVEN, 340, 2040),
        ("mean < 50ms", 10, Arrivals.EVEN, 0.34, 100),
        ("errors == 0", 600, Arrivals.EVEN, 0.034, 100),
        ("p99.999 < 50ms", 2.04, Arrivals.EVEN, 34_000, 1_000_000),
        ("p99.999 < 50ms", 1, Arrivals.EVEN, 34_000, 1_000_000),
    ],
)
def test_no_rate_is_tried_at_which_the_gate_could_not_be_judged(
    expression: str, duration_s: float, arrivals: Arrivals, least: float, start: float
) -> None:
    search = Search.of(parse(expression), int(duration_s * SECOND_NS), arrivals)
    assert (search.least_per_s, search.start_per_s) == (least, start)


@pytest.mark.parametrize("arrivals", Arrivals)
@pytest.mark.parametrize("expression", ["p50 < 1s", "p99 < 1s"])
@pytest.mark.parametrize("duration_s", [1, 7, 3600])
def test_even_the_least_rate_gives_samples_enough(
    expression: str, duration_s: int, arrivals: Arrivals
) -> None:
    gate = parse(expression)
    search = Search.of(gate, duration_s * SECOND_NS, arrivals)
    lasts_ns = search.trial_ns(search.least_per_s)
    for seed in range(30):
        pace = Pace(Constant(search.least_per_s), arrivals, seed)
        due_ns = takewhile(lambda due_ns: due_ns < lasts_ns, pace.due_ns())
        assert sum(1 for _ in due_ns) >= gate.least_samples


def test_trials_too_short_for_any_rate_are_refused() -> None:
    with pytest.raises(
        UsageError,
        match=r"^--find-rate 'p99\.99999 < 5ms' takes 200,000,000 samples a trial, and 60\.0 s are too short for them"
        r" at any rate; give -d 204 or more, or a lower percentile$",
    ):
        Search.of(parse("p99.99999 < 5ms"), SECOND_NS, Arrivals.EVEN)
    assert Search.of(parse("p99.99999 < 5ms"), 204 * SECOND_NS, Arrivals.EVEN).least_per_s == 1_000_000


@pytest.mark.parametrize(
    ("duration_s", "rate", "lasts_s"),
    [
        (10, 1_000, 10),
        (10, 204, 10),
        (10, 203, 11),
        (10, 50, 41),
        (10, 34, 60),
        (90, 100, 90),
        (90.5, 22.6, 90.5),
    ],
)
def test_a_trial_at_a_low_rate_lasts_until_it_has_its_samples_a_minute_at_most(
    duration_s: float, rate: float, lasts_s: float
) -> None:
    search = Search.of(GATE, int(duration_s * SECOND_NS), Arrivals.EVEN)
    assert search.trial_ns(rate) == int(lasts_s * SECOND_NS)


@given(st.floats(0.5, 200), st.floats(1, 1_000_000), st.sampled_from(Arrivals))
def test_every_trial_of_a_search_has_samples_enough_and_is_no_longer_than_is_said(
    duration_s: float, knee_per_s: float, arrivals: Arrivals
) -> None:
    search = Search.of(GATE, int(duration_s * SECOND_NS), arrivals)
    _, trials = search_at(search, with_knee(knee_per_s))
    for rate in rates(trials):
        lasts_ns = search.trial_ns(rate)
        assert search.duration_ns <= lasts_ns <= max(search.duration_ns, 60 * SECOND_NS)
        assert rate * lasts_ns / SECOND_NS >= 0.999 * search.due >= GATE.least_samples


@pytest.mark.parametrize(("duration_s", "told"), [(10, "60.0 s are"), (90, "90.0 s are")])
def test_the_duration_that_would_judge_a_lower_rate_is_named(duration_s: int, told: str) -> None:
    search = Search.of(GATE, duration_s * SECOND_NS, Arrivals.EVEN)
    said, _, longer = search.why_not_lower.partition(" too short to judge it; for ")
    assert said == f"at lower rates, {told}"
    rate, _, longer_s = longer.partition("/s give -d ")
    longer_ns = int(longer_s) * SECOND_NS
    assert Search.of(GATE, longer_ns, Arrivals.EVEN).least_per_s <= float(rate) < search.least_per_s
