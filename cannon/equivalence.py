"""Do the sides answer the same? Asked before any number is told.

Law: pure; probe.py asks, the rounds tell the rest. What varies within one side is not compared. What is under test is
exempt, and what the user allows; everything else that differs makes a comparison invalid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import msgspec

from cannon.facets import CIPHER, FACETS, Facet, Probe
from cannon.rounds import Allowed, ComparisonPlan, Mode, Pass
from cannon.slots import Round, Slot

__all__ = [
    "NOTICEABLE",
    "Difference",
    "Equivalence",
    "Probe",
    "beyond_chance",
    "compared",
    "may_be_the_time",
    "over_rounds",
]

NOTICEABLE = 0.01
"""Of responses, or of the bytes of one: what differs by less moves no figure by more than it."""

_FROM_CHANCE = 4.0
"""Standard errors. Every status of every side is looked at, so two would be passed by one run in a few."""

_SAME_WAY = 0.9
"""Of the rounds, in which two sides must differ in the same direction."""

_RECONNECTS = 1 / 50
"""Of responses: from here on new connections are a part of what a side is measured at."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What two sides differ in: `what` in words for the user; `kind` is what --allow would have to name, None: nothing
    allows it. `tested`: it is what the comparison is about.
    """

    kind: Allowed | None
    side: str
    what: str
    tested: bool = False


class Equivalence(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the sides answer the same. `differences`: those that count against it; `allowed`: those that do not,
    since they are under test or were allowed; `varies`: what was not compared, since it varies within a side.
    """

    same: bool
    differences: list[str]
    allowed: list[str]
    varies: list[str]


Probes = Mapping[str, Sequence[Sequence[Probe]]]
"""By side: each time it was asked, an answer for each step."""


def compared(plan: ComparisonPlan, probes: Probes) -> Equivalence:
    """What the probes tell of whether the sides answer the same."""
    answers = {name: _steps(probes.get(name, ())) for name in plan.names}
    varies = _told_once(
        (step, _varying(name, facet))
        for name, steps in answers.items()
        for step, asked in steps.items()
        for facet in FACETS
        if _varies(facet, asked)
    )
    differences = [*_between(plan, answers), *_codings(plan, answers)]
    return _judged(plan, differences, Equivalence(same=True, differences=[], allowed=[], varies=varies))


def may_be_the_time(plan: ComparisonPlan, probes: Probes) -> bool:
    """Whether bodies differ between sides and not within one, and nothing else counts: a page that shows the time looks
    so to probes that came within one of its seconds. Asked once more a second later, it varies within each side.
    """
    answers = {name: _steps(probes.get(name, ())) for name in plan.names}
    counting = [found for found in _between(plan, answers) if not found.tested]
    return {found.kind for found in counting} - plan.allowed == {Allowed.BODY}


def over_rounds(plan: ComparisonPlan, rounds: Sequence[Round], before: Equivalence) -> Equivalence:
    """The same, with what the rounds tell: statuses, bytes of bodies, and how often connections were made anew.

    Of each pass the share of a status among the responses may differ by 1 in 100: a percentile hardly sees less.
    Beyond that it differs if chance does not explain it: by more than four standard errors over all responses, and in
    the same direction in nine of ten rounds, since the failures of a bad moment come in crowds that no count of
    responses makes sense of (these are told as a warning, see diagnostics.py). Bodies likewise: bytes of a response's
    body as they came, that differ by 1 in 100 and by more than rounds differ among themselves. They are not looked at
    where codings are under test or allowed. Connections: where one side makes more than one in fifty responses, and
    the other does not.
    """
    differences: list[Difference] = []
    base, *others = plan.names
    for name in others:
        for of in Pass:
            pairs = [
                (found.slots[base], found.slots[name])
                for found in rounds
                if found.of is of and found.slots[base].completed and found.slots[name].completed
            ]
            if pairs:
                differences += _statuses(of, base, name, pairs)
                differences += _bodies(plan, of, base, name, pairs)
        differences += _reuse(base, name, rounds)
    return _judged(plan, differences, before)


def beyond_chance(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two shares, each told as a number of so many, differ by more than 1 in 100 and than chance allows (the
    test of two proportions, at four standard errors).
    """
    (found, of), (other_found, other_of) = first, second
    if not of or not other_of:
        return False
    pooled = (found + other_found) / (of + other_of)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / other_of))
    apart = abs(found / of - other_found / other_of)
    # Of a handful of responses no difference reaches four; one that is whole is none of chance.
    return apart > NOTICEABLE and (apart > _FROM_CHANCE * error or apart == 1)


# What the probes tell.


def _steps(asked: Sequence[Sequence[Probe]]) -> dict[str, list[Probe]]:
    """The answers of one side by step."""
    steps: dict[str, list[Probe]] = {}
    for answers in asked:
        for answer in answers:
            steps.setdefault(answer.step, []).append(answer)
    return steps


def _varies(facet: Facet, asked: Sequence[Probe]) -> bool:
    return len({facet.value(answer) for answer in asked}) > 1


def _varying(name: str, facet: Facet) -> str:
    return f"the {facet.noun} of {name} varies from one answer to the next, and is not compared"


def _between(plan: ComparisonPlan, answers: Mapping[str, Mapping[str, list[Probe]]]) -> list[Difference]:
    """In what each side differs from the base, the first of them."""
    base, *others = plan.names
    found: list[Difference] = []
    for name in others:
        for facet in FACETS:
            steps = [
                (step, asked[0], answers[base][step][0])
                for step, asked in answers[name].items()
                if step in answers[base]
                and not _varies(facet, asked)
                and not _varies(facet, answers[base][step])
                and facet.value(asked[0]) != facet.value(answers[base][step][0])
                # The ciphers of one version are none of the other.
                and not (facet is CIPHER and asked[0].tls != answers[base][step][0].tls)
            ]
            tested = all(_is_tested(plan, facet, one, other) for _, one, other in steps)
            found += [
                Difference(kind=facet.kind, side=name, what=what, tested=tested)
                for what in _told_once(
                    (step, facet.words(name, one, base, other)) for step, one, other in steps
                )
            ]
    return found


def _is_tested(plan: ComparisonPlan, facet: Facet, one: Probe, other: Probe) -> bool:
    """Whether this is what the comparison is about: codings, or TLS beside none."""
    if facet.kind is Allowed.ENCODING:
        return plan.mode is Mode.COMPRESSION
    return facet.noun != "protocol" and facet.kind is Allowed.TLS and (one.tls is None) != (other.tls is None)


def _codings(plan: ComparisonPlan, answers: Mapping[str, Mapping[str, list[Probe]]]) -> Iterator[Difference]:
    """Of a comparison of codings: the sides that were not answered in theirs, at no step."""
    if plan.mode is not Mode.COMPRESSION:
        return
    came = {
        name: {_plain(answer.encoding) for asked in steps.values() for answer in asked}
        for name, steps in answers.items()
    }
    base, *others = plan.names
    if all(codings == {_IDENTITY} for codings in came.values()):
        yield Difference(kind=None, side=others[0], what=_NONE_CAME.format(", ".join(others)))
        return
    for name in plan.names:
        expected = _IDENTITY if name == base else name.lower()
        if not came[name] or expected in came[name]:
            continue
        what = f"{expected} was asked for, and {', '.join(sorted(came[name]))} came"
        if came[name] == {_IDENTITY}:
            what = _NONE_CAME.format(expected)
        yield Difference(kind=Allowed.ENCODING, side=name, what=what)


_IDENTITY = "identity"
_NONE_CAME = "{} was asked for, and no Content-Encoding came; does the server know it for this path and type?"


def _plain(encoding: str) -> str:
    """A coding by its usual name (RFC 9110, section 8.4.1)."""
    return encoding.removeprefix("x-") or _IDENTITY


def _told_once(told: Iterator[tuple[str, str]]) -> list[str]:
    """Sentences with the step they are of, each once."""
    steps: dict[str, list[str]] = {}
    for step, sentence in told:
        steps.setdefault(sentence, []).append(step)
    return [f"{sentence}{_where(named)}" for sentence, named in steps.items()]


def _where(steps: Sequence[str]) -> str:
    more = len(steps) - 1
    also = f" and {more} more step{'s' if more > 1 else ''}" if more else ""
    return f" (at {steps[0]}{also})" if steps[0] else ""


# What the rounds tell.


def _statuses(of: Pass, base: str, name: str, pairs: Sequence[tuple[Slot, Slot]]) -> Iterator[Difference]:
    completed = [sum(pair[at].completed for pair in pairs) for at in (0, 1)]
    for status in sorted({status for pair in pairs for slot in pair for status in slot.status}):
        base_count, count = (sum(pair[at].status.get(status, 0) for pair in pairs) for at in (0, 1))
        if count * completed[0] < base_count * completed[1]:
            # Told by what comes instead.
            continue
        apart = [_share(side, status) - _share(other, status) for other, side in pairs]
        if beyond_chance((count, completed[1]), (base_count, completed[0])) and _go_one_way(apart):
            yield Difference(
                kind=Allowed.STATUS,
                side=name,
                what=f"in the {of} pass {name} answers {status} to {_percent(count / completed[1])} of its requests,"
                f" {base} to {_percent(base_count / completed[0])}",
            )


def _bodies(
    plan: ComparisonPlan, of: Pass, base: str, name: str, pairs: Sequence[tuple[Slot, Slot]]
) -> Iterator[Difference]:
    if plan.mode is Mode.COMPRESSION or Allowed.ENCODING in plan.allowed:
        return
    base_bytes, side_bytes = ([pair[at].body_bytes_per_response or 0.0 for pair in pairs] for at in (0, 1))
    largest = max(*base_bytes, *side_bytes)
    apart = [(one - other) / largest for one, other in zip(side_bytes, base_bytes, strict=True) if largest]
    if not apart or not _go_one_way(apart):
        return
    middle = median(apart)
    scatter = median(abs(value - middle) for value in apart)
    if abs(middle) > max(NOTICEABLE, _SCATTERS * scatter):
        yield Difference(
            kind=Allowed.BODY,
            side=name,
            what=f"in the {of} pass a response of {name} has {median(side_bytes):,.0f} bytes of body, of {base}"
            f" {median(base_bytes):,.0f}",
        )


_SCATTERS = 3
"""Median deviations of rounds from their median: about two standard deviations of one."""


def _reuse(base: str, name: str, rounds: Sequence[Round]) -> Iterator[Difference]:
    shares = {}
    for side in (base, name):
        # Connections are told of a whole slot, so what was answered before its window counts as well.
        answered = sum(found.slots[side].completed + found.slots[side].outside for found in rounds)
        shares[side] = sum(found.slots[side].reconnects for found in rounds) / answered if answered else 0.0
    closing = [side for side, share in shares.items() if share > _RECONNECTS]
    if len(closing) == 1:
        (closes,) = closing
        keeps = base if closes == name else name
        yield Difference(
            kind=Allowed.REUSE,
            side=name,
            what=f"{closes} makes a new connection every {_responses(1 / shares[closes])}, {keeps} keeps its own",
        )


def _responses(count: float) -> str:
    return "response" if round(count) <= 1 else f"{count:.0f} responses"


def _go_one_way(apart: Sequence[float]) -> bool:
    """Whether nearly all of these have one sign; where there is no difference there is none."""
    above, below = (sum(value * sign > 0 for value in apart) for sign in (1, -1))
    return max(above, below) >= _SAME_WAY * len(apart)


def _share(slot: Slot, status: str) -> float:
    return slot.status.get(status, 0) / slot.completed


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _judged(plan: ComparisonPlan, differences: Sequence[Difference], before: Equivalence) -> Equivalence:
    """What is found, added to what was known, each where it belongs."""
    against, allowed = list(before.differences), list(before.allowed)
    for found in differences:
        if found.kind is None:
            against.append(found.what)
        elif found.tested or found.kind in plan.allowed:
            allowed.append(found.what)
        else:
            against.append(f"{found.what} (--allow {found.kind})")
    return Equivalence(same=not against, differences=against, allowed=allowed, varies=list(before.varies))
