"""`cannon scenario`: what it lists and shows, and how it is asked."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from cannon.catalogue import folder, shipped
from cannon.cli import main
from cannon.cli.scenario_words import read_words
from cannon.scenario import Kind
from cannon.scenario_file import read
from tests.cli.refusing import refused
from tests.staging import a_service, a_table, written

VERBS = "there are list, show, run, e.g. cannon scenario run haproxy-reverse-proxy"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What `show` prints."""
    assert main(["scenario", "show", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_all_are_listed_with_their_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "list"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == [*shipped()]
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        read(path).question for path in shipped().values()
    ]
    assert err == f"cannon: their files, to copy and change, are in {folder()}\n"


@pytest.mark.parametrize("name", shipped())
def test_each_shows_the_command_line_that_it_stands_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, name)
    assert out.startswith(f"# {read(shipped()[name]).question}\n")
    (line,) = [line for line in out.splitlines() if line.startswith(("cannon compare ", "cannon --"))]
    kind = Kind.COMPARE if line.startswith("cannon compare ") else Kind.RUN
    words = shlex.split(line.removeprefix("cannon compare ").removeprefix("cannon "))
    assert read_words(kind, words)
    assert "{port." not in out


def test_what_would_run_is_shown_filled_in_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web.cfg").write_text("listen {port.web}\n\n\tindented\n")
    service = a_service(
        command=["my server", "-f", "{configuration}", "$(x)"],
        environment={"A": "b c"},
        configuration="web.cfg",
    )
    # It runs nothing: there is no such program.
    path = written(tmp_path, a_table(service=[service]))
    before = sorted(tmp_path.iterdir())
    lines = shown(capsys, str(path)).splitlines()
    assert sorted(tmp_path.iterdir()) == before
    given = "--connections 1 --duration 0.1s --overallRate 50 --rounds 1"
    place = shlex.split(lines[3])[4]
    port = lines[4].split()[1]
    assert lines[:4] == [
        "# What does it cost?",
        "",
        "# web",
        f"PORT={port} A='b c' 'my server' -f {place} '$(x)'",
    ]
    assert not Path(place).exists()
    assert lines[4:] == [
        f"    listen {port}",
        "",
        "        indented",
        "",
        f"cannon compare {given} a=http://127.0.0.1:{port}/ b=http://127.0.0.1:{port}/",
    ]


def test_events_of_a_run_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = a_table(kind="run", event=[{"at": "25%", "stop": "web"}, {"at": "50%", "start": "web"}])
    out = shown(capsys, str(written(tmp_path, table)))
    assert "\n# at 25%: stop web\n# at 50%: start web\ncannon --connections 1" in out


@pytest.mark.parametrize("kind", ["run", "compare"])
def test_gates_are_shown_as_the_words_that_they_stand_for(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = a_table(kind=kind, gate=[{"expression": "p99 < 50ms"}, {"expression": "errors == 0"}])
    out = shown(capsys, str(written(tmp_path, table)), "--gate", "rps > 1/s")
    line = shlex.split(out.splitlines()[-1])
    assert [line[at + 1] for at, word in enumerate(line) if word == "--gate"] == [
        "p99 < 50ms",
        "errors == 0",
        "rps > 1/s",
    ]


def test_options_of_the_user_come_after_those_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, str(written(tmp_path)), "-d", "3", "-c=10")
    assert out.splitlines()[-1].endswith("/ -d 3 -c 10")


def test_what_is_shown_runs_in_a_shell_word_for_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["printf", "%s|", "a b", "$HOME", "'", "*", ""]
    out = shown(capsys, str(written(tmp_path, a_table(service=[a_service(command=words)]))))
    done = subprocess.run(["/bin/sh", "-c", out.splitlines()[3]], capture_output=True, text=True, check=True)
    assert done.stdout == "a b|$HOME|'|*||"


def test_a_file_from_elsewhere_moves_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "web.cfg").write_text("\x1b]0;title\x07 \x9b31m\n")
    service = a_service(
        command=["sh", "\x1b[2J"], environment={"A\x1b": "\x1b[1A"}, configuration="web.cfg", page="\x1b"
    )
    table = a_table(service=[service], question="\x1b[31m?", load={"headers": ["A: \x1b[31m"]})
    out = shown(capsys, str(written(tmp_path, table)))
    assert all(line.isprintable() for line in out.splitlines())
    assert r"sh '\x1b[2J'" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], f"cannon scenario: it lists, shows or runs scenarios; {VERBS}"),
        (["start"], f"cannon scenario: 'start' is nothing it does; {VERBS}"),
        (["\x1b[31m"], rf"cannon scenario: '\x1b[31m' is nothing it does; {VERBS}"),
        (["list", "all"], "cannon scenario list takes nothing; e.g. cannon scenario list"),
        (
            ["show"],
            "a scenario is named first, then options; e.g. cannon scenario run haproxy-reverse-proxy -d 3",
        ),
        (
            ["run"],
            "a scenario is named first, then options; e.g. cannon scenario run haproxy-reverse-proxy -d 3",
        ),
        (["run", "-d", "3"], "a scenario is named first, then options; e.g. "),
        (["run", "node-basline"], "there is no scenario 'node-basline'; did you mean node-baseline?"),
        (["show", "zzz"], "there is no scenario 'zzz'; cannon scenario list names them all"),
        (["run", "/dev/zero"], "there is no scenario '/dev/zero': it is no file"),
        (["run", "./"], "there is no scenario './': it is no file"),
        (["show", "node-baseline", "--roundz"], "there is no option --roundz; "),
        (["run", "node-baseline", "--keep"], "--keep needs a value; e.g. --keep /tmp/services"),
        (
            ["run", "node-baseline", "--", "node"],
            "cannon scenario starts no server; a command after -- is for",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_in_one_line(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(["scenario", *words], capsys).startswith(f"cannon: {told}")


def test_it_has_a_page_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "--help"]) == 0
    out = capsys.readouterr().out
    for usage in ("list", "show NAME_OR_FILE", "run NAME_OR_FILE"):
        assert f"cannon scenario [OPTIONS] {usage}\n" in out
    assert "--keep" in out
