"""The page for those who come from autocannon: complete, and every line on it is one that cannon takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cannon.cli.options import OPTIONS
from cannon.cli.planning import planned
from tests.cli.reading import read

PAGE = (Path(__file__).parents[2] / "docs" / "autocannon.md").read_text(encoding="utf-8")

ALWAYS = {"-h", "--help", "-v", "--version"}
KNOWN = {name for option in OPTIONS for name in option.names} | ALWAYS
_OF_AUTOCANNON = """
-c --connections -p --pipelining -d --duration -a --amount -L --sampleInt -S --socketPath -w --workers -W --warmup
--on-port --onPort -m --method -t --timeout -T --title -b --body -F --form -i --input -H --headers --header --har
-B --bailout -M --maxConnectionRequests -O --maxOverallRequests -r --connectionRate -R --overallRate
-C --ignoreCoordinatedOmission -D --reconnectRate -n --no-progress --progress --renderProgressBar -l --latency
--renderLatencyTable -I --idReplacement -j --json -f --forever -s --servername -x --excludeErrorStats -E --expectBody
--renderStatusCodes --statusCodes --cert --key --ca --debug -V --verbose --no-verbose -v --version -h --help
"""
AUTOCANNON = _OF_AUTOCANNON.split()
"""The options of autocannon 9.0.0: its help, and the names its source knows besides."""

_NAME = re.compile(r"(?<![\w-])--?[A-Za-z][A-Za-z-]*")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_in(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in _NAME.findall(cell)]


THEIRS = rows("Its options, one by one")
OURS = rows("What autocannon does not have")
LINES = [row[2].strip("`") for row in rows("Coming from other tools")]


@pytest.mark.parametrize("name", AUTOCANNON)
def test_every_option_of_autocannon_is_an_option_and_stands_on_the_page_once(name: str) -> None:
    assert name in KNOWN
    assert names_in([row[0] for row in THEIRS]).count(name) == 1


def test_every_row_says_whether_it_is_the_same() -> None:
    assert {row[1] for row in THEIRS} == {"same", "mended", "different"}
    assert all(len(row) == 3 for row in THEIRS)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.label)
def test_every_option_of_cannon_stands_on_the_page(option: object) -> None:
    names = {name for name in option.names if name not in UNLISTED}  # type: ignore[attr-defined]  # our own have some
    assert names <= set(names_in([row[0] for row in (*THEIRS, *OURS)]))


UNLISTED = {"--no-renderProgressBar"}


@pytest.mark.parametrize("name", sorted(set(names_in([cell for row in (*THEIRS, *OURS) for cell in row]))))
def test_every_option_in_the_tables_is_one_of_cannons(name: str) -> None:
    assert name in KNOWN


@pytest.mark.parametrize("line", LINES)
def test_a_line_for_those_who_come_from_another_tool_makes_a_plan(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "cannon"
    assert words.pop() == "URL"
    plan = planned(read(*words), ["http://127.0.0.1:4000/"]).plan
    assert plan.connections >= 10
