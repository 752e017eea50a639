from __future__ import annotations

import pytest

from cannon.cli import COMMANDS
from cannon.cli.fire import fire
from cannon.cli.help import MODEL, command_help, main_help
from cannon.cli.options import OPTIONS

MAIN = main_help(fire, COMMANDS)


@pytest.mark.parametrize("page", [MAIN, *(command_help(name, command) for name, command in COMMANDS.items())])
def test_a_page_fits_80_columns_of_ascii(page: str) -> None:
    assert page.isascii()
    assert max(len(line) for line in page.splitlines()) <= 80


def test_the_page_shows_the_model_line() -> None:
    assert f"\n  {MODEL}\n" in MAIN
    assert MODEL == "cannon -d 60 -c 10 -l http://localhost:4000/"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.label)
def test_every_option_is_on_the_page(option: object) -> None:
    names = option.label.replace("/", ", ")  # type: ignore[attr-defined]  # our own options have one
    assert any(f"{line} ".startswith(f"  {names} ") for line in MAIN.splitlines())


def test_a_flag_that_is_there_to_be_denied_is_known_by_its_denial() -> None:
    lines = MAIN.splitlines()
    assert any(line.startswith("  --no-verbose ") for line in lines)
    assert any(line.startswith("  -n, --no-progress ") for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_page(name: str) -> None:
    assert any(line.startswith(f"  {name} ") for line in MAIN.splitlines())


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("-c", "[10]"),
        ("-d", "[10s]"),
        ("-t", "[10s]"),
        ("-m", "[GET, with -F POST]"),
        ("-p", "[1]"),
        ("--arrivals", "[even]"),
        ("--timestamps", "[auto]"),
        ("--format", "[cannon]"),
        ("-L", "[1000]"),
        ("--drain", "[2s]"),
        ("--engine", "[native]"),
    ],
)
def test_defaults_are_on_the_page(name: str, default: str) -> None:
    (option,) = [option for option in OPTIONS if name in option.names]
    assert (option.help or "").endswith(default)
