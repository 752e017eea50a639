from __future__ import annotations

import pytest

from cannon.cli import COMMANDS
from cannon.cli.fire import fire
from cannon.cli.help import MODEL, command_help, main_help
from cannon.cli.options import OPTIONS
from cannon.cli.options.compare import COMPARE

MAIN = main_help(fire, COMMANDS)
COMPARE_PAGE = command_help("compare", COMMANDS["compare"])


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


@pytest.mark.parametrize("option", COMPARE, ids=lambda option: option.label)
def test_every_option_of_compare_is_on_its_page(option: object) -> None:
    names = option.label.replace("/", ", ")  # type: ignore[attr-defined]  # our own options have one
    assert any(f"{line} ".startswith(f"  {names} ") for line in COMPARE_PAGE.splitlines())


def test_the_page_of_compare_has_a_line_to_copy_and_names_the_base() -> None:
    assert "\n  cannon compare direct=http://127.0.0.1:4000/ proxied=http://127.0.0.1:8080/\n" in COMPARE_PAGE
    assert "against the first" in " ".join(COMPARE_PAGE.split())


def test_the_page_of_compare_shows_each_way_to_say_what_is_compared() -> None:
    assert COMPARE_PAGE.splitlines()[:4] == [
        "Usage: cannon compare [OPTIONS] NAME=URL NAME=URL...",
        "       cannon compare [OPTIONS] --compression LIST URL",
        "       cannon compare [OPTIONS] --proxy PROXY_URL URL",
        "       cannon compare [OPTIONS] --aa URL",
    ]


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("--rounds", "[10]"),
        ("--max-rounds", "[40]"),
        ("--margin", "[5%]"),
        ("--order", "[shuffled]"),
        ("--rate", "[auto]"),
        ("-d", "[10s]"),
    ],
)
def test_defaults_of_compare_are_on_its_page(name: str, default: str) -> None:
    (option,) = [option for option in COMPARE if name in option.names]
    assert (option.help or "").endswith(default)


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
