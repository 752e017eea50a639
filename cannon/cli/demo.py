"""`cannon demo`: the bundled origin started, fired at and compared, also with what HAProxy makes of it where there is
one; what to try next.

Law: what is shown as a command line is what is done. The first part that does not end well, or is interrupted, ends the
demo with its exit code.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from cannon.cli import front
from cannon.cli.compare import weigh
from cannon.cli.fire import shoot
from cannon.cli.options import DEBUG, Options
from cannon.cli.options.compare import CompareOptions
from cannon.cli.planning import planned
from cannon.cli.session import Session, print_text, say
from cannon.cli.sides import compared
from cannon.cli.values import duration_ns
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["demo"]

_FOLDER = Path("reports")
_REPORT = _FOLDER / "demo.json"
_COMPRESSION = _FOLDER / "demo-compression.json"
_FRONT = _FOLDER / "demo-haproxy.json"
_CONNECTIONS = 10
_DURATION_S = 5
_EACH = "2.4s"
"""Measured of each side in each pass: with the rounds below a comparison takes about twenty seconds."""
_ROUNDS = 6
"""The fewest that have intervals."""

_NEXT = """
Written to {folder}/: {reports}
(every figure; cannon schema says what each means)

Try next:
  cannon serve                                     an origin that stays
  cannon -d 10 -c 10 -l http://127.0.0.1:4000/     fire at it
  cannon -a 1000 -j http://127.0.0.1:4000/json     a thousand requests, JSON out
  cannon compare --aa http://127.0.0.1:4000/       how much is mere noise here
  cannon compare direct=http://127.0.0.1:4000/ proxied=http://127.0.0.1:8080/
                                                   what a proxy of yours costs
  cannon --help
"""


@click.pass_obj
def _demo(session: Session, /, debug: bool | None) -> int:
    from cannon import origin

    _make_folder()
    reports = [_REPORT, _COMPRESSION]
    with origin.started() as url:
        code = _fire(session, f"{url}/")
        if code == 0:
            code = _compare_compression(session, f"{url}/text")
        if code == 0:
            path = front.program()
            if path is None:
                say(
                    f"HAProxy is not installed, so nothing is put in front of the origin; apt install {front.PACKAGE}"
                )
            else:
                code = _compare_front(session, path, url)
                reports.append(_FRONT)
    if code == 0:
        print_text(_NEXT.format(folder=_FOLDER, reports=", ".join(path.name for path in reports)))
    return code


def _fire(session: Session, url: str) -> int:
    options = Options(
        connections=_CONNECTIONS,
        duration_ns=_DURATION_S * 1_000_000_000,
        latency=True,
        outputs=(os.fspath(_REPORT),),
    )
    _show(["-d", f"{_DURATION_S}", "-c", f"{_CONNECTIONS}", "-l", "-o", f"{_REPORT}", url])
    return shoot(session, planned(options, [url]), options)


def _compare_compression(session: Session, url: str) -> int:
    given = CompareOptions(compression=("gzip",), rounds=_ROUNDS)
    return _compare(session, given, ["--compression", "gzip"], [url], _COMPRESSION)


def _compare_front(session: Session, path: str, url: str) -> int:
    with front.fronted(path, url) as haproxy:
        given = CompareOptions(processes=(("haproxy", haproxy.pid),), rounds=_ROUNDS)
        words = ["--pid", f"haproxy={haproxy.pid}"]
        return _compare(session, given, words, [f"direct={url}/", f"haproxy={haproxy.url}/"], _FRONT)


def _compare(
    session: Session, given: CompareOptions, words: Sequence[str], sides: Sequence[str], report: Path
) -> int:
    """One comparison. `words`: how a command line says what `given` has beside the rounds."""
    options = Options(connections=_CONNECTIONS, duration_ns=duration_ns(_EACH), outputs=(os.fspath(report),))
    print_text("\n")
    _show(["compare", "-d", _EACH, "--rounds", f"{_ROUNDS}", "-o", f"{report}", *words, *sides])
    return weigh(session, compared(options, given, sides), options)


def _show(words: Sequence[str]) -> None:
    print_text(f"$ {shlex.join(['cannon', *words])}\n\n")


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
    help=f"Start the bundled origin, fire at it for {_DURATION_S} s, compare it with itself compressed and with HAProxy"
    f" in front of it, where that is installed; the figures go to {_FOLDER}/. It takes a minute at most.",
    params=[DEBUG],
)
