"""The search for the highest rate at which a gate still holds: which rate is tried next, and when it is known.

Law: pure. Given the trials so far, `next` says the rate of the next one, or what was found: no clock, no sockets. The
rate is doubled until a trial does not hold, then the gap between the highest that holds and the lowest that does not is
halved, on a scale of ratios, until it is as small as was asked. One lucky trial is none: what is found has held twice,
and a rate that once did not hold does not hold. A first trial in which cannon was the limit is made again: it says
nothing of the target, and would end the doubling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from cannon.errors import UsageError
from cannon.gates import Gate, Verdict
from cannon.judging import judge_run
from cannon.metrics import Metric
from cannon.pace import Arrivals
from cannon.profile import MOST_PER_S
from cannon.result import Result
from cannon.units import format_duration

__all__ = ["Finding", "Outcome", "Search", "Trial", "trial_of"]

_START_PER_S = 100.0
_HELD_TIMES = 2
_LIMITED_TIMES = 2
_DIGITS = 3
_NS_PER_S = 1_000_000_000

_LONGEST_NS = 60 * _NS_PER_S
"""Of a trial that is made longer than was asked, for its samples: at lower rates nothing can be judged."""

_LEAST_SAMPLES = 20
"""Of a trial, whatever is judged: the mean of a handful of responses is that of chance."""

_MISSED = 0.01
"""Of what was due: more that was never sent, or more that did not succeed, is a target that did not keep up. Not none:
at any moment some requests may wait for a connection, the last moment is no other, and that is no lack of capacity.
"""

_JUDGES_ERRORS = frozenset({Metric.ERRORS, Metric.TIMEOUTS, Metric.NON2XX})


class Trial(msgspec.Struct, frozen=True):
    """One run at a rate: what was asked, what was sent a second, the gate's value, and what became of it.

    INCONCLUSIVE: it did not hold, and cannon was the limit.
    """

    rate: float
    achieved_per_s: float | None
    value: float | None
    verdict: Verdict
    reason: str


class Outcome(StrEnum):
    """What is known at the end. AT_LEAST: the rate holds, and why no higher one is known to hold or not, is told."""

    FOUND = "found"
    AT_LEAST = "at_least"
    NONE = "none"


class Finding(msgspec.Struct, frozen=True):
    """The answer: the highest rate that holds (None: none does), and in words what else is to be said."""

    outcome: Outcome
    per_s: float | None
    reason: str


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """Where to begin, how low and how high to go, how close to come (0.05: within 5 %), and the most trials.

    A trial lasts `duration_ns`; where fewer than `due` requests would be due in it, so much longer, up to
    `longest_ns`. `why_not_lower`: what to say where even the least rate does not hold.
    """

    start_per_s: float
    least_per_s: float
    most_per_s: float = MOST_PER_S
    precision: float = 0.05
    most_trials: int = 20
    duration_ns: int = 10 * _NS_PER_S
    longest_ns: int = _LONGEST_NS
    due: float = 0
    why_not_lower: str = ""

    @classmethod
    def of(cls, gate: Gate, duration_ns: int, arrivals: Arrivals) -> Search:
        """A search among the rates at which trials of this length, or of a minute, have samples enough for the gate.
        UsageError where not even the highest rate gives them.
        """
        samples = max(gate.least_samples, _LEAST_SAMPLES)
        # Some end too late to be counted, and chance makes due fewer than on average: by four times the root of that
        # average once in 30,000 trials.
        by_chance = (2 + math.sqrt(4 + samples)) ** 2 if arrivals is Arrivals.POISSON else 0
        due = max((1 + 2 * _MISSED) * samples, by_chance)
        longest_ns = max(duration_ns, _LONGEST_NS)
        length = format_duration(longest_ns)
        least_per_s = due * _NS_PER_S / longest_ns
        if least_per_s > MOST_PER_S:
            raise UsageError(
                f"--find-rate '{gate.expression}' takes {samples:,} samples a trial, and {length} are too short for"
                f" them at any rate; give -d {math.ceil(due / MOST_PER_S)} or more, or a lower percentile"
            )
        least_per_s = min(_raised(least_per_s), MOST_PER_S)
        lower_per_s = _rounded(least_per_s / 2)
        return cls(
            # Where a trial need not be made longer: most targets hold that.
            start_per_s=min(max(_raised(due * _NS_PER_S / duration_ns), _START_PER_S), MOST_PER_S),
            least_per_s=least_per_s,
            duration_ns=duration_ns,
            longest_ns=longest_ns,
            due=due,
            why_not_lower=f"at lower rates, {length} are too short to judge it; for {lower_per_s:,.12g}/s give"
            f" -d {math.ceil(due / lower_per_s)}",
        )

    def trial_ns(self, per_s: float) -> int:
        """How long a trial at this rate lasts: one that is made longer, in whole seconds."""
        if self.due * _NS_PER_S <= per_s * self.duration_ns:
            return self.duration_ns
        return min(math.ceil(self.due / per_s) * _NS_PER_S, self.longest_ns)

    def next(self, trials: Sequence[Trial]) -> float | Finding:
        """The rate of the next trial, or what was found."""
        rate = self._next_rate(trials) if len(trials) < self.most_trials else None
        return self.finding(trials) if rate is None else rate

    def _next_rate(self, trials: Sequence[Trial]) -> float | None:
        if not trials:
            return min(self.start_per_s, self.most_per_s)
        holds, fails = _bracket(trials)
        if _says_nothing(trials, fails):
            return fails
        if holds is None:
            return max(self.least_per_s, _rounded(fails / 2)) if fails > self.least_per_s else None
        confirmed = _held(trials, holds) >= _HELD_TIMES
        last = len(trials) == self.most_trials - 1
        if holds >= self.most_per_s or fails <= holds * (1 + self.precision) or (last and not confirmed):
            return None if confirmed else holds
        return min(2 * holds, self.most_per_s) if fails == math.inf else _between(holds, fails)

    def finding(self, trials: Sequence[Trial], ended: str = "") -> Finding:
        """What these trials tell, whether more were to come or not; `ended`: why none will."""
        if not trials:
            return Finding(Outcome.NONE, None, ended or "nothing was tried")
        holds, fails = _bracket(trials)
        if holds is None:
            return Finding(Outcome.NONE, None, self._why_none(trials, fails, ended))
        reason = self._why_not_higher(trials, holds, fails, ended)
        if reason is not None:
            return Finding(Outcome.AT_LEAST, holds, reason)
        return Finding(Outcome.FOUND, holds, f"at {fails:,.12g}/s {_reason(trials, fails)}")

    def _why_not_higher(self, trials: Sequence[Trial], holds: float, fails: float, ended: str) -> str | None:
        """Why what holds is only known to be a lower bound; None where it is the answer."""
        if ended:
            return ended
        if _held(trials, holds) < _HELD_TIMES:
            return "it has held once, and no trial was left to confirm it"
        if holds >= self.most_per_s:
            return f"cannon asks no more than {self.most_per_s:,.12g}/s"
        if fails > holds * (1 + self.precision):
            return f"{len(trials)} trials were not enough to come closer"
        if _verdict_at(trials, fails) is Verdict.INCONCLUSIVE:
            return f"at {fails:,.12g}/s {_reason(trials, fails)}"
        return None

    def _why_none(self, trials: Sequence[Trial], fails: float, ended: str) -> str:
        lowest = f"at {fails:,.12g}/s {_reason(trials, fails)}"
        if fails > self.least_per_s:
            return f"{lowest}; {ended or f'{len(trials)} trials were not enough to go lower'}"
        return f"{lowest}; {self.why_not_lower}" if self.why_not_lower else lowest


def trial_of(rate: float, gate: Gate, result: Result) -> Trial:
    """What a run at this rate says: whether the gate holds, and whether the target kept up at all."""
    judged = judge_run(gate, result)
    verdict, reason = Verdict(judged.verdict), judged.reason
    lost = _lost(gate, result)
    if lost is not None:
        verdict, reason = Verdict.FAIL, lost
        if result.client.saturated:
            verdict, reason = Verdict.INCONCLUSIVE, f"{lost}, and cannon was the limit"
    sent = result.requests.sent
    return Trial(
        rate=rate,
        achieved_per_s=sent / result.duration_s if result.duration_s > 0 else None,
        value=judged.value,
        verdict=verdict,
        reason=reason,
    )


def _lost(gate: Gate, result: Result) -> str | None:
    """What tells that the target did not keep up, or that the run cannot be judged; None where nothing does."""
    requests = result.requests
    due = requests.sent + requests.never_sent
    if requests.never_sent > _MISSED * due:
        return f"{_percent(requests.never_sent, due)} of what was due was never sent"
    if result.validity.verdict == "invalid":
        return result.validity.reasons[0]
    missed = requests.sent - requests.succeeded
    if missed > _MISSED * due and gate.metric not in _JUDGES_ERRORS:
        return f"{_percent(missed, due)} of what was sent did not succeed"
    return None


def _bracket(trials: Sequence[Trial]) -> tuple[float | None, float]:
    """The highest rate that holds below the lowest that does not, and that one: infinity where all hold."""
    rates = {trial.rate for trial in trials}
    fails = min((rate for rate in rates if _verdict_at(trials, rate) is not Verdict.PASS), default=math.inf)
    return max((rate for rate in rates if rate < fails), default=None), fails


def _verdict_at(trials: Sequence[Trial], rate: float) -> Verdict:
    """Whether a rate holds: not where it did not once, nor where cannon was the limit twice, or each time."""
    verdicts = [trial.verdict for trial in trials if trial.rate == rate]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if Verdict.PASS not in verdicts or verdicts.count(Verdict.INCONCLUSIVE) >= _LIMITED_TIMES:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def _says_nothing(trials: Sequence[Trial], rate: float) -> bool:
    """Whether all that speaks against this rate, and against any, is that cannon was the limit once."""
    return [
        trial.verdict for trial in trials if trial.verdict is not Verdict.PASS and trial.rate >= rate
    ] == [Verdict.INCONCLUSIVE]


def _held(trials: Sequence[Trial], rate: float) -> int:
    return sum(trial.rate == rate and trial.verdict is Verdict.PASS for trial in trials)


def _reason(trials: Sequence[Trial], rate: float) -> str:
    return next(trial.reason for trial in trials if trial.rate == rate and trial.verdict is not Verdict.PASS)


def _between(low: float, high: float) -> float:
    """The middle on a scale of ratios; rounded, where that leaves it in between."""
    middle = math.sqrt(low * high)
    rounded = _rounded(middle)
    return rounded if low < rounded < high else middle


def _rounded(per_s: float) -> float:
    """To three digits: nobody wants to read 3,363.585661."""
    return float(f"{per_s:.{_DIGITS}g}")


def _raised(per_s: float) -> float:
    """The next rate of three digits."""
    step = 10.0 ** (math.floor(math.log10(per_s)) - _DIGITS + 1)
    return _rounded(math.ceil(per_s / step) * step)


def _percent(part: int, of: int) -> str:
    return f"{100 * part / of:.3g} %"
