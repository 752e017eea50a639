"""From what was measured to a Comparison: the rows' verdicts stand; here is judged whether anybody may build on them.

Law: pure but for the name of the machine. Invalid is a comparison of sides that do not answer the same, or without
whole rounds, or whose latency pass was saturated: its figures are told, and nobody may build on them. Suspect is one
with something to be known first. Both tell every reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from cannon.comparison import SCHEMA, CommonRate, Comparison, Compression, Handshake, SideReport
from cannon.diagnostics import saturated, warnings_of
from cannon.equivalence import Equivalence
from cannon.host import this_host
from cannon.pace import Pace
from cannon.plan import Plan, Stop
from cannon.profile import Constant
from cannon.result import Cannon
from cannon.rounds import ComparisonPlan
from cannon.rows import Row, noise_of
from cannon.settings import PlanSettings
from cannon.slots import Dropped, Round
from cannon.text import redact_url
from cannon.validity import Validity

__all__ = ["appraised"]


def appraised(
    plan: ComparisonPlan,
    *,
    cannon: Cannon,
    started: str,
    finished: str,
    rate: CommonRate | None,
    rounds: Sequence[Round],
    dropped: Sequence[Dropped],
    rows: Sequence[Row],
    equivalence: Equivalence,
    compression: Compression | None,
    handshakes: Sequence[Handshake],
    outside: Mapping[str, int],
    problems: Sequence[str],
    remarks: Sequence[str],
    interrupted: str | None,
) -> Comparison:
    """What was measured, judged. `outside`: requests by side that are in no slot; `problems`: reasons, known to the
    caller, why it is invalid; `remarks`: what else is missing.
    """
    settings = [PlanSettings.of(_fired(side.plan, plan, rate)) for side in plan.sides]
    warnings = [*warnings_of(plan, rounds, rows), *remarks]
    invalid = [*problems, *equivalence.differences]
    if equivalence.same:
        invalid += _flaws(plan, rounds, dropped, interrupted)
    suspect = [*_thinned(plan, rounds, dropped), *warnings]
    return Comparison(
        schema=SCHEMA,
        cannon=cannon,
        host=this_host(),
        started=started,
        finished=finished,
        mode=plan.mode.value,
        plan=settings[0],
        sides=[
            SideReport(
                name=side.name,
                url=redact_url(side.plan.targets[0].url),
                settings=setting,
                outside=outside.get(side.name, 0),
            )
            for side, setting in zip(plan.sides, settings, strict=True)
        ],
        seed=plan.seed,
        order=plan.order.value,
        margin_pct=100 * plan.margin,
        rounds_asked=plan.rounds,
        slot_s=plan.slot_ns / 1e9,
        lead_in_s=plan.slot_lead_in_ns / 1e9,
        rate=rate,
        rounds=list(rounds),
        dropped=list(dropped),
        rows=list(rows),
        noise=noise_of(rows),
        equivalence=equivalence,
        compression=compression,
        handshakes=list(handshakes),
        warnings=warnings,
        gates=[],
        validity=Validity("invalid", invalid)
        if invalid
        else Validity("suspect" if suspect else "valid", suspect),
        interrupted=interrupted,
    )


def _fired(side: Plan, plan: ComparisonPlan, rate: CommonRate | None) -> Plan:
    """A side's plan as its slots of the latency pass were fired, if there was one."""
    pace = None if rate is None else Pace(Constant(rate.per_s), plan.arrivals, plan.seed)
    return msgspec.structs.replace(
        side, stop=Stop(duration_ns=plan.slot_ns), lead_in_ns=plan.slot_lead_in_ns, warmup=None, pace=pace
    )


def _flaws(
    plan: ComparisonPlan, rounds: Sequence[Round], dropped: Sequence[Dropped], interrupted: str | None
) -> list[str]:
    """Why nobody may build on it."""
    if interrupted and not rounds:
        return ["no round was whole when it was interrupted"]
    found: list[str] = []
    for of in plan.passes:
        whole = sum(one.of is of for one in rounds)
        lost = [one for one in dropped if one.of is of]
        gone = sum(one.number > 0 for one in lost)
        why = f"; at last '{lost[-1].side}' failed: {lost[-1].reason}" if lost else ""
        if not whole and not interrupted:
            found.append(f"the {of} pass has no whole round{why}")
        elif gone > whole:
            found.append(f"the {of} pass lost {gone} of its {gone + whole} rounds{why}")
    too_much = saturated(plan, rounds)
    return [*found, *([too_much] if too_much else [])]


def _thinned(plan: ComparisonPlan, rounds: Sequence[Round], dropped: Sequence[Dropped]) -> list[str]:
    """What the rounds that were dropped have in common: a line for each pass and side."""
    found: list[str] = []
    for of in plan.passes:
        whole = sum(one.of is of for one in rounds)
        lost = [one for one in dropped if one.of is of and one.number > 0]
        for name in plan.names:
            reasons = [one.reason for one in lost if one.side == name]
            if reasons:
                most, times = Counter(reasons).most_common(1)[0]
                often = f" ({times} times: {most})" if len(reasons) > 1 else f" ({most})"
                found.append(
                    f"{len(reasons)} of {whole + len(lost)} rounds of the {of} pass were dropped, for '{name}'{often}"
                )
    return found
