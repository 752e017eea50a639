"""`cannon compare`: plan the sides, fire them in rounds, write and show what was found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from cannon.cli.command import Command
from cannon.cli.options import Options
from cannon.cli.options.compare import COMPARE, REFUSED, CompareOptions
from cannon.cli.running import (
    INVALID,
    done,
    drawn_on,
    is_terminal,
    note_to,
    same_terminal,
    signalled,
    tell_github,
)
from cannon.cli.session import Session, print_bytes, print_text, say, tell
from cannon.cli.sides import PlannedComparison, compared
from cannon.errors import InvalidRun
from cannon.text import clean, redact_url

if TYPE_CHECKING:
    from cannon.cli.gating import Gating
    from cannon.comparison import Comparison
    from cannon.rounds import ComparisonPlan
    from cannon.runner import Interrupt

__all__ = ["compare", "weigh"]

_AROUND_SLOT_NS = 250_000_000
"""What a slot takes about its window: to start, to be warmed up no longer, to end."""


@click.pass_obj
def _compare(session: Session, /, words: tuple[str, ...], **given: object) -> int:
    from cannon.cli.gating import comparison_gating, of_project

    options, own = Options.of(given), CompareOptions.of(given)
    planned = compared(options, own, words)
    # What a machine cannot tell apart is a question of its own, and no project's gate is an answer.
    project = None if own.aa else of_project(options)
    return weigh(session, planned, options, comparison_gating(options, planned.plan, project=project))


def weigh(
    session: Session, planned: PlannedComparison, options: Options, gating: Gating | None = None
) -> int:
    """Compare and report; returns the exit code. InvalidRun: nothing could be compared.

    Every report is tried, whatever became of the others; an interruption's exit code stands before that of a loss.
    """
    from cannon.cli.gating import comparison_gating
    from cannon.cli.interrupts import interruptible

    gating = gating or comparison_gating(options, planned.plan)
    for note in (*planned.notes, *gating.notes):
        say(note)
    if not options.json:
        tell(_heading(planned.plan))
    with interruptible() as interrupt:
        try:
            comparison = _run(session, planned.plan, options, interrupt)
        except InvalidRun as failure:
            if interrupt.reason is None:
                raise
            say(failure.message)
            return signalled(interrupt)
        return _report(gating.judged_comparison(comparison), options, gating)


def _run(session: Session, plan: ComparisonPlan, options: Options, interrupt: Interrupt) -> Comparison:
    """Compare, with the live lines where they are wanted."""
    from cannon.reports.live_rounds import LiveRounds

    with LiveRounds(drawn_on(options)) as live:
        return session.compare(
            plan,
            command=session.command,
            watch=live.update,
            note=note_to(live),
            interrupt=interrupt,
            fire=session.run,
        )


def _heading(plan: ComparisonPlan) -> str:
    """What is about to be compared, and for about how long. A seed that was drawn is told here, and in every report."""
    from cannon.reports.sentences import counted

    urls = {side.name: clean(redact_url(side.plan.targets[0].url)) for side in plan.sides}
    if len(set(urls.values())) > 1:
        what = ", ".join(f"{name} {url}" for name, url in urls.items())
    else:
        what = f"{', '.join(urls)} @ {urls[plan.names[0]]}"
    first = plan.sides[0].plan
    around_ns = plan.slot_lead_in_ns + _AROUND_SLOT_NS
    # One round more, which is thrown away.
    all_s = len(plan.passes) * (plan.rounds + 1) * len(plan.sides) * (plan.slot_ns + around_ns) / 1e9
    more = "" if plan.precision is None else ", or more for the precision"
    if plan.before_slot:
        more += ", and what --before-slot takes"
    workers = f", {counted(first.workers, 'worker')}" if first.workers > 1 else ""
    return (
        f"Comparing {what}\n"
        f"{counted(first.connections, 'connection')}{workers};"
        f" {counted(plan.rounds, 'round')} of {plan.slot_ns / 1e9:.3g} s a side, {' and '.join(plan.passes)};"
        f" {plan.order}, seed {plan.seed}; about {all_s:.0f} s{more}\n\n"
    )


def _report(comparison: Comparison, options: Options, gating: Gating) -> int:
    """Write the files, show the comparison. Where a file cannot be written, the JSON goes to stdout."""
    from cannon.reports import files

    written = done(lambda: files.write_all(comparison, options.outputs))
    if comparison.interrupted and is_terminal(sys.stdout) and is_terminal(sys.stderr):
        # The terminal may have echoed a ^C since the live lines were wiped.
        tell("\n")
    shown = done(lambda: _show(comparison, options))
    if not written and not options.json:
        done(lambda: print_bytes(comparison.to_json()))
    if comparison.validity.verdict != "valid" and not (shown and same_terminal(options)):
        for reason in comparison.validity.reasons:
            say(f"{comparison.validity.verdict}: {reason}")
    tell_github(comparison, as_json=options.json)
    if not (written and shown) and comparison.interrupted is None:
        return INVALID
    return gating.exit_code(comparison)


def _show(comparison: Comparison, options: Options) -> None:
    from cannon.reports import comparison_page
    from cannon.reports.terminal import Terminal

    if options.json:
        print_bytes(comparison.to_json())
        return
    if sys.stdout is None:
        print_text("")  # says that there is no stdout
    print_text(comparison_page.render(comparison, Terminal.of(sys.stdout)))


compare = Command(
    "compare",
    callback=_compare,
    help="Fire the same load at two or more sides by turns, and tell what each costs against the first, with an"
    " interval around every figure.",
    params=[click.Argument(["words"], nargs=-1, metavar="NAME=URL"), *COMPARE],
    usages=(
        "NAME=URL NAME=URL...",
        "--compression LIST URL",
        "--proxy PROXY_URL URL",
        "--aa URL",
    ),
    model="cannon compare direct=http://127.0.0.1:4000/ proxied=http://127.0.0.1:8080/",
    refused=REFUSED,
)
