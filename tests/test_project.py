"""The table [tool.cannon]: read whole, refused with its key, and nobody else's file stops anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannon.errors import UsageError
from cannon.project import Choice, Project, place, read

GATES = 'gates = ["p99 < 200ms"]\n'


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def silent(text: str) -> None:
    raise AssertionError(text)


def reading(text: str | bytes) -> Project | None:
    """What a file of this text says, without a note."""
    Path("pyproject.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return read(silent)


def refused(text: str) -> str:
    with pytest.raises(UsageError) as error:
        reading(text)
    assert error.value.message.isprintable()
    return error.value.message


def noted() -> str:
    """The one note of a file that nobody can read."""
    notes: list[str] = []
    assert read(notes.append) is None
    (note,) = notes
    return note


def test_every_key_is_read() -> None:
    found = reading(
        f'[tool.cannon]\n{GATES}baselines = ["a.json", "b.json"]\ninconclusive = "fail"\nbaseline-mismatch = "warn"\n'
    )
    assert found == Project(
        gates=("p99 < 200ms",),
        baselines=("a.json", "b.json"),
        inconclusive=Choice.FAIL,
        baseline_mismatch=Choice.WARN,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project]\nname = 'cannon'\n",
        "tool = 3\n",
        "[tool.cannonball]\ngates = 3\n",
        "[cannon]\ngates = 3\n",
    ],
)
def test_a_file_without_the_table_says_nothing(text: str) -> None:
    assert reading(text) is None


def test_no_file_says_nothing() -> None:
    assert read(silent) is None


@pytest.mark.parametrize("text", ["[tool.cannon]\n", "[tool.cannon]\ngates = []\n", "tool.cannon = {}\n"])
def test_an_empty_table_asks_for_nothing(text: str) -> None:
    assert reading(text) == Project()


def test_the_rest_of_the_file_may_be_anything() -> None:
    found = reading(f"x = 1979-05-27T07:32:00Z\n[tool.other]\ngates = [1, inf]\n[tool.cannon]\n{GATES}")
    assert found == Project(gates=("p99 < 200ms",))


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_passed_over(mark: bytes) -> None:
    assert reading(mark + f"[tool.cannon]\n{GATES}".encode()) == Project(gates=("p99 < 200ms",))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            'gate = ["p99 < 1s"]',
            (
                "there is no key 'tool.cannon.gate' of cannon's; there are gates, baselines, inconclusive,"
                " baseline-mismatch"
            ),
        ),
        (
            "baseline_mismatch = 'warn'",
            "there is no key 'tool.cannon.baseline_mismatch' of cannon's; there are",
        ),
        (
            'gates = "p99 < 1s"',
            'tool.cannon.gates: expected array, got str; write for example gates = ["p99 < 200ms"]',
        ),
        (
            "gates = ['p99 < 1s', 3]",
            'tool.cannon.gates[1]: expected str, got int; write for example gates = ["p99 < 200ms"]',
        ),
        (
            "baselines = 'a.json'",
            'tool.cannon.baselines: expected array, got str; write for example baselines = ["main.json"]',
        ),
        (
            f"{GATES}inconclusive = true",
            'tool.cannon.inconclusive: expected str | null, got bool; write for example inconclusive = "fail"',
        ),
        (f"{GATES}inconclusive = 'ignore'", "tool.cannon.inconclusive: 'ignore' is none of warn, fail"),
        (f"{GATES}baseline-mismatch = ''", "tool.cannon.baseline-mismatch: '' is none of warn, fail"),
        ("gates = ['']", 'tool.cannon.gates[0] is empty; write for example gates = ["p99 < 200ms"]'),
        (
            f"{GATES}baselines = ['a', ' ']",
            'tool.cannon.baselines[1] is empty; write for example baselines = ["main.json"]',
        ),
        ('gates = ["p99\\n< 1s"]', "tool.cannon.gates[0]: a CR, LF or NUL is in it, and it is one line"),
        (
            f'{GATES}baselines = ["a\\u0000"]',
            "tool.cannon.baselines[0]: a CR, LF or NUL is in it, and it is one line",
        ),
        (
            "inconclusive = 'fail'",
            'tool.cannon.inconclusive is of gates, and there is none; add gates = ["p99 < 200ms"]',
        ),
        (
            "gates = []\nbaselines = ['a']",
            'tool.cannon.baselines is of gates, and there is none; add gates = ["p99 < 200ms"]',
        ),
        (f"{GATES}{GATES}", "tool.cannon.gates: the key is given twice; the gates in it cannot be read"),
        ("gates = [", "it is no TOML: Invalid value (at end of document); the gates in it cannot be read"),
        (f"{GATES}n = {'9' * 5000}", "a number in it is too long; the gates in it cannot be read"),
        (f"{GATES}n = {'[' * 5000}", "it is nested too deep; the gates in it cannot be read"),
    ],
)
def test_what_is_wrong_with_the_table_is_told_with_its_key(table: str, told: str) -> None:
    assert refused(f"[tool.cannon]\n{table}\n").startswith(f"pyproject.toml: {told}")


def test_a_table_that_is_none_is_refused() -> None:
    assert refused("[tool]\ncannon = 3\n") == "pyproject.toml: tool.cannon: expected object, got int"


@pytest.mark.parametrize(
    "header", ["[tool.cannon]", " [ tool . cannon ]", '[tool."cannon"]', "tool.cannon.gates = ['x']"]
)
def test_a_broken_file_with_the_table_is_refused(header: str) -> None:
    assert refused(f"{header}\n[broken\n").endswith("; the gates in it cannot be read")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[project\n", "it is no TOML: "),
        (b"# [tool.cannon]\n[project\n", "it is no TOML: "),
        (b"[tool.cannonball]\n[tool.cannon-x]\n[project\n", "it is no TOML: "),
        (b"x = '\xff'\n", "it is no text in UTF-8"),
        (b"a = 1\na = 2\n", "a: the key is given twice"),
        (b"#" * (1024 * 1024 + 1), "it is longer than 1024 KiB"),
    ],
    ids=["syntax", "comment", "near", "encoding", "twice", "long"],
)
def test_a_broken_file_of_somebody_else_is_noted_and_stops_nothing(text: bytes, reason: str) -> None:
    Path("pyproject.toml").write_bytes(text)
    assert noted().startswith(f"pyproject.toml is not looked at: {reason}")


def test_what_is_no_file_is_not_waited_for() -> None:
    os.mkfifo("pyproject.toml")
    assert read(silent) is None


def test_a_file_that_may_not_be_read_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    Path("pyproject.toml").write_text(f"[tool.cannon]\n{GATES}")
    monkeypatch.setattr("builtins.open", refuse)
    assert noted() == "pyproject.toml is not looked at: Permission denied"


def test_a_place_is_the_file_and_the_dotted_key() -> None:
    assert place("gates", 2) == "pyproject.toml: tool.cannon.gates[2]"
    assert place("inconclusive") == "pyproject.toml: tool.cannon.inconclusive"


@given(st.binary(max_size=200))
def test_whatever_is_in_the_file_nothing_but_a_usage_error_comes_of_it(data: bytes) -> None:
    notes: list[str] = []
    Path("pyproject.toml").write_bytes(b"[tool.cannon]\n" + data)
    try:
        read(notes.append)
    except UsageError as error:
        assert error.message.startswith("pyproject.toml: ")
    assert not notes
