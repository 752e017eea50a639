"""`cannon merge`: results of the same plan, added up; nothing is measured."""

from __future__ import annotations

import click

from cannon.cli.command import Command
from cannon.cli.options import Options
from cannon.cli.saved_files import PATHS, SHOWN, check_outputs, read_all, render
from cannon.cli.session import Session

__all__ = ["merge"]

_EXAMPLE = "cannon merge a.json b.json -o sum.json"


@click.pass_obj
def _merge(session: Session, /, paths: tuple[str, ...], **given: object) -> int:
    from cannon.merging import merged

    options = Options.of(given)
    found = merged(read_all(paths, _EXAMPLE), [f"'{path}'" for path in paths])
    check_outputs(found, options)
    return render(found, options)


merge = Command(
    "merge",
    callback=_merge,
    help="Add up results of the same plan that were fired side by side: exactly, through their histograms. Nothing is"
    " measured.",
    params=[PATHS, *SHOWN],
    usages=("RESULT.json... -o FILE",),
    model="cannon merge a.json b.json -o sum.json",
    refused={},
)
