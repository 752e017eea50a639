"""`cannon demo`: the bundled origin started, fired at, reported; what to try next."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from cannon.cli.fire import shoot
from cannon.cli.options import DEBUG, Options
from cannon.cli.planning import planned
from cannon.cli.session import Session, print_text
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["demo"]

_FOLDER = Path("reports")
_REPORT = _FOLDER / "demo.json"
_CONNECTIONS = 10
_DURATION_S = 5

_NEXT = """
Written: {report}, every figure of this run; cannon schema describes it.

Try next:
  cannon serve                                     an origin that stays
  cannon -d 10 -c 10 -l http://127.0.0.1:4000/     fire at it
  cannon -a 1000 -j http://127.0.0.1:4000/json     a thousand requests, JSON out
  cannon --help
"""


@click.pass_obj
def _demo(session: Session, /, debug: bool | None) -> int:
    from cannon import origin

    options = Options(
        connections=_CONNECTIONS,
        duration_ns=_DURATION_S * 1_000_000_000,
        latency=True,
        outputs=(os.fspath(_REPORT),),
    )
    _make_folder()
    with origin.started() as url:
        target = f"{url}/"
        words = ["cannon", "-d", f"{_DURATION_S}", "-c", f"{_CONNECTIONS}", "-l", "-o", f"{_REPORT}", target]
        print_text(f"$ {shlex.join(words)}\n\n")
        code = shoot(session, planned(options, [target]), options)
    if code == 0:
        print_text(_NEXT.format(report=_REPORT))
    return code


def _make_folder() -> None:
    try:
        _FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder {_FOLDER} cannot be made here: {clean(error.strerror or str(error))};"
            " run cannon demo in a folder of your own"
        ) from None


demo = click.Command(
    "demo",
    callback=_demo,
    add_help_option=False,
    help=f"Start the bundled origin, fire at it for {_DURATION_S} s, write {_REPORT}.",
    params=[DEBUG],
)
