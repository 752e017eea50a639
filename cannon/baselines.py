"""Baselines: earlier results that a gate is set against, read as files from anywhere, and held against the set-up.

Law: a baseline is of the same machine (its CPU and cores) and the same plan (plan_match.py), or what differs is told.
Another name of the machine, or another kernel, does not tell it apart and is only noted; of a comparison neither does
the machine, since what one side takes beyond the other carries over. What a file does not tell is no difference, and is
told as unknown. A run that was not valid, or was interrupted, is no baseline, and none counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from cannon.comparison import Comparison
from cannon.errors import UsageError
from cannon.host import Host
from cannon.plan import Stop
from cannon.plan_match import beside, is_partial, settings_apart, untold
from cannon.result import Result
from cannon.rounds import ComparisonPlan
from cannon.saved import place_of, read
from cannon.settings import PlanSettings
from cannon.text import clean

__all__ = ["comparison_differences", "differences", "read_comparisons", "read_results", "remarks", "unknown"]

_OPTION = "--baseline"
_MACHINE = ("CPU", "cores")

_Found = TypeVar("_Found", Result, Comparison)


class _Compared(msgspec.Struct, frozen=True):
    """What counts of a comparison. `rate_per_s`: None where it was found, so that it is none of the plan.

    How many rounds there were, and in which order, tells how well it was measured and not what.
    """

    mode: str
    sides: tuple[tuple[str, PlanSettings], ...]
    rate_per_s: float | None
    arrivals: str | None

    @classmethod
    def of(cls, compared: ComparisonPlan | Comparison) -> _Compared:
        """Of a plan, or of what a file has."""
        return _of_plan(compared) if isinstance(compared, ComparisonPlan) else _of_file(compared)


def read_results(paths: Sequence[str], option: str = _OPTION) -> list[Result]:
    """The runs of these files. UsageError, which names the file, for one that holds no run to build on. `option`: where
    they are named.
    """
    return _read(paths, option, Result, "a run takes runs as baselines")


def read_comparisons(paths: Sequence[str], option: str = _OPTION) -> list[Comparison]:
    """The comparisons of these files. UsageError, which names the file, for one that holds none to build on."""
    return _read(paths, option, Comparison, "a comparison takes comparisons as baselines")


def differences(plan: PlanSettings, host: Host, baseline: Result) -> list[str]:
    """In what a baseline is of another set-up, in words: `connections 50, here 10`."""
    return [
        *_apart(_machine(baseline.host), _machine(host), _MACHINE),
        *settings_apart(baseline.plan, plan),
    ]


def comparison_differences(plan: ComparisonPlan | Comparison, host: Host, baseline: Comparison) -> list[str]:
    """The same of a comparison, which is set against a plan or against a comparison out of a file. The machine does not
    count, nor does the common rate where both found theirs.
    """
    there, here = _Compared.of(baseline), _Compared.of(plan)
    names = [", ".join(name for name, _ in each.sides) for each in (there, here)]
    if names[0] != names[1]:
        return [beside("sides", *names)]
    found = [
        beside(what, *values)
        for what, values in (
            ("mode", (there.mode, here.mode)),
            ("common rate", (_asked(there), _asked(here))),
            ("arrivals", (there.arrivals or "", here.arrivals or "")),
        )
        if values[0] != values[1] and all(values)
    ]
    sides = {
        name: settings_apart(theirs, ours)
        for (name, theirs), (_, ours) in zip(there.sides, here.sides, strict=True)
    }
    everywhere = [what for what in next(iter(sides.values())) if all(what in told for told in sides.values())]
    found += everywhere
    found += [
        f"side {name}: {what}" for name, told in sides.items() for what in told if what not in everywhere
    ]
    return found


def unknown(baseline: Result | Comparison) -> list[str]:
    """The names of what counts and the file does not tell."""
    machine = [name for name, value in _machine(baseline.host).items() if name in _MACHINE and not value]
    return [*machine, *untold(baseline.plan)]


def remarks(
    paths: Sequence[str],
    baselines: Sequence[Result | Comparison],
    host: Host,
    option: str = _OPTION,
) -> list[str]:
    """What is no difference and yet worth a line, with the files that it is said of."""
    told: dict[str, list[str]] = {}
    for path, baseline in zip(paths, baselines, strict=True):
        names = ("hostname", "kernel") if isinstance(baseline, Result) else (*_MACHINE, "hostname", "kernel")
        if found := _apart(_machine(baseline.host), _machine(host), names):
            told.setdefault(f"from elsewhere, which is only noted: {'; '.join(found)}", []).append(path)
        if missing := unknown(baseline):
            whose = "of autocannon, another client, which" if is_partial(baseline.plan) else "a file that"
            told.setdefault(
                f"{whose} does not tell {', '.join(missing)}; see that they are the same", []
            ).append(path)
    return [f"{_named(files, option)} is {what}" for what, files in told.items()]


def _named(paths: Sequence[str], option: str) -> str:
    more = f" (like {len(paths) - 1} more)" if len(paths) > 1 else ""
    return f"{place_of(paths[0], option)}{more}"


def _read(paths: Sequence[str], option: str, kind: type[_Found], wanted: str) -> list[_Found]:
    found: list[_Found] = []
    for path in paths:
        where = place_of(path, option)
        baseline = read(path, option)
        if not isinstance(baseline, kind):
            other = "a comparison" if isinstance(baseline, Comparison) else "a run"
            raise UsageError(f"{where} holds {other}, and {wanted}")
        if baseline.validity.verdict == "invalid":
            reason = clean(next(iter(baseline.validity.reasons), "it does not say why"))
            raise UsageError(f"{where} is not valid, so nothing can be set against it: {reason}")
        if baseline.interrupted is not None:
            raise UsageError(
                f"{where} was interrupted ({baseline.interrupted}); take one that ended by itself"
            )
        if baseline in found:
            same = clean(paths[found.index(baseline)])
            raise UsageError(f"{where} is the same as '{same}', and a baseline counts once")
        found.append(baseline)
    return found


def _machine(host: Host) -> dict[str, str]:
    """What a host tells of itself; an empty text is nothing told."""
    return {
        "CPU": host.cpu,
        "cores": str(host.cores or ""),
        "hostname": host.hostname,
        "kernel": host.kernel,
    }


def _apart(there: Mapping[str, str], here: Mapping[str, str], names: Sequence[str]) -> list[str]:
    return [
        beside(name, there[name], here[name])
        for name in names
        if there[name] and here[name] and there[name] != here[name]
    ]


def _asked(compared: _Compared) -> str:
    return "found" if compared.rate_per_s is None else f"{compared.rate_per_s:,.12g}/s"


def _of_plan(plan: ComparisonPlan) -> _Compared:
    # As a file tells of its sides: each slot of them, fired in a closed loop where no rate was asked for.
    slots = [
        msgspec.structs.replace(
            side.plan,
            stop=Stop(duration_ns=plan.slot_ns),
            lead_in_ns=plan.slot_lead_in_ns,
            warmup=None,
            pace=None,
        )
        for side in plan.sides
    ]
    return _Compared(
        mode=plan.mode.value,
        sides=tuple((side.name, PlanSettings.of(slot)) for side, slot in zip(plan.sides, slots, strict=True)),
        rate_per_s=plan.rate_per_s,
        arrivals=plan.arrivals.value,
    )


def _of_file(comparison: Comparison) -> _Compared:
    pace = comparison.plan.pace
    return _Compared(
        mode=comparison.mode,
        sides=tuple(
            (side.name, msgspec.structs.replace(side.settings, pace=None, rate=None))
            for side in comparison.sides
        ),
        rate_per_s=None if comparison.rate is None else comparison.rate.asked,
        # Without a latency pass nothing was due.
        arrivals=None if pace is None else pace.arrivals,
    )
