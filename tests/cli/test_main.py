"""`main`: from the words of the command line to one line of text and an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cannon.cli import COMMANDS, main
from cannon.errors import CannonError, InvalidRun, UsageError
from cannon.version import __version__, is_compiled
from tests.cli.fakes import FakeRun

URL = "http://127.0.0.1:4000/"
MISSING = "a URL is missing; e.g. cannon http://127.0.0.1:4000/"
SCRIPT = " (wrk's -s, a script, has no counterpart here yet)"

BAD_USAGE = {
    "-l": MISSING,
    "-c 0 U": "-c/--connections: '0' is too small, the least is 1; write for example 1, 10 or 2k",
    "-c x U": "-c/--connections: 'x' is no count; write for example 1, 10 or 2k",
    "-c=-1 U": "-c/--connections: '-1' is negative; write for example 1, 10 or 2k",
    "-d abc U": (
        "-d/--duration: 'abc' is no duration; write for example 10s, 1m30s or 500ms (a bare number is seconds)"
    ),
    "-d 0 U": "-d/--duration must be longer than nothing, e.g. -d 10 or -d 1m30s",
    "-W 5x U": (
        "-W/--warmup: '5x' is no duration; write for example 10s, 1m30s or 500ms (a bare number is seconds)"
    ),
    "-a 0 U": "-a/--amount: '0' is too small, the least is 1; write for example 1, 10 or 2k",
    "U -c": "-c/--connections needs a value; e.g. -c 10",
    "U --drain": "--drain needs a value; e.g. --drain 2s",
    "-H Accept U": "-H/--headers: header 1 has no ':' or '=' after its name; e.g. -H 'Accept: text/html'",
    "-m get U": "-m/--method: 'get' is not written in capitals; e.g. -m POST",
    "-m G@T U": "-m/--method 'G@T' is no method; e.g. -m POST",
    "-i /nowhere/body U": "-i/--input: '/nowhere/body' cannot be read: No such file or directory; e.g. -i body.json",
    "-i= U": "-i/--input: the name of a file is missing; e.g. -i body.json",
    "-o /nowhere/x.json U": (
        "-o/--output /nowhere/x.json: there is no folder /nowhere; make it first: mkdir -p /nowhere"
    ),
    "-o x.foo U": (
        "-o/--output x.foo: the end of the name tells the format, and it may be: .autocannon.json .csv .hgrm .json .md"
        " .xml"
    ),
    "--engine curl U": "--engine: 'curl' is none of native, h11, httpx; e.g. --engine h11",
    "--tls-session new U": "--tls-session: 'new' is none of resume, fresh; e.g. --tls-session fresh",
    "-s= U": f"-s/--servername: '' is no name of a host; e.g. -s www.example.com{SCRIPT}",
    "-s 127.0.0.1 U": f"-s/--servername: '127.0.0.1' is no name of a host; e.g. -s www.example.com{SCRIPT}",
    "-s a..\u00fc U": f"-s/--servername: 'a..\u00fc' is no name of a host; e.g. -s www.example.com{SCRIPT}",
    "--ca= U": "--ca: the name of a file is missing; e.g. --ca ca.pem",
    "--ca [ ] U": "--ca: the name of a file is missing; e.g. --ca ca.pem",
    "U --ca": "--ca needs a value; e.g. --ca ca.pem",
    "--ca [ a.pem U": "--ca [ has no closing ]; e.g. --ca [ a.pem b.pem ]",
    "--ca /nowhere/ca.pem U": "--ca: '/nowhere/ca.pem' cannot be read: No such file or directory; e.g. --ca ca.pem",
    "--key k U": "--key belongs to a certificate; give both, e.g. --cert client.pem --key client.key",
    "--expect-status 2 U": "--expect-status: '2' is no list of statuses from 200 to 999; e.g. --expect-status 200,404",
    "--latncy U": "there is no option --latncy; did you mean --latency?",
    "-y U": "there is no option -y; cannon --help shows those there are",
    "--rps U": "there is no option --rps; cannon's is -R/--overallRate, e.g. -R 1000",
    "--http2 U": "--http2 is not in this version yet; cannon --help shows what is",
    "--latency=yes U": "-l/--latency takes no value; write --latency alone",
    "-duration 3 U": "-duration is not an option; write --duration, with two dashes",
    "U 1000": (
        "'1000' is no URL (ab, hey and oha say with -n how many requests to send: that is -a here);"
        f" e.g. cannon -a 1000 {URL}"
    ),
    "--on-port U": "--on-port starts the command that follows --, and none does; e.g. cannon / -- node server.js",
    "report": "a saved result is missing; e.g. cannon report result.json -o result.md",
    "check": "a saved result is missing; e.g. cannon check result.json --gate 'p99 < 200ms'",
    "check a.json b.json": "one result is judged, and 2 are named; e.g. cannon check result.json --gate 'p99 < 200ms'",
    "merge": "a saved result is missing; e.g. cannon merge a.json b.json -o sum.json",
    "merge /nowhere/a.json": "'/nowhere/a.json' cannot be read: No such file or directory",
    "report -c 3 a.json": "there is no option -c; cannon report --help shows those there are",
    "compare a=U": (
        "the side 'a' alone is compared with nothing; name two, e.g. cannon compare direct=http://127.0.0.1:4000/"
        " proxied=http://127.0.0.1:4001/, or give a URL to --aa, --compression gzip or --proxy"
    ),
    "compare a=U b=U -- node server.js": (
        "cannon compare starts no server; a command after -- is for firing, e.g. cannon / -- node server.js"
    ),
    "compare a=U b=U --roundz 3": "there is no option --roundz; did you mean --rounds?",
    "compare a=U b=U -y": "there is no option -y; cannon compare --help shows those there are",
    "serve --port 70000": "--port: '70000' is no port from 0 to 65535; e.g. --port 4000",
    "serve U": f"'{URL}' is one word too many; see cannon serve --help",
    "serve -c 3": "there is no option -c; cannon --help shows those there are",
    "demo U": f"'{URL}' is one word too many; see cannon demo --help",
    "schema plan": "there is no schema 'plan'; there are result, comparison and search, e.g. cannon schema result",
    "-c 100000000 U": None,
}


@pytest.mark.parametrize("line", BAD_USAGE)
def test_bad_usage_is_one_line_and_sends_nothing(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = FakeRun()
    assert (
        main(
            [word.replace("U", URL) if "=U" in word or word == "U" else word for word in line.split()],
            run=run,
        )
        == 2
    )
    out, err = capsys.readouterr()
    expected = BAD_USAGE[line]
    if expected is None:
        assert err.startswith("cannon: -c 100000000 takes 100,000,064 open files in one process, ")
    else:
        assert err == f"cannon: {expected}\n"
    assert err.count("\n") == 1
    assert out == ""
    assert run.plans == []


def test_without_anything_help_goes_to_stderr_and_names_the_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: cannon ")
    assert err.endswith(f"\ncannon: {MISSING}\n")


@pytest.mark.parametrize("line", ["-h", "--help", f"{URL} -c -h", "-lh", f"-c 0 --nonsense {URL} --help"])
def test_help_goes_to_stdout_whatever_else_is_written(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split(), run=FakeRun()) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: cannon [OPTIONS] URL...\n")
    assert err == ""


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("place", [-1, 0])
def test_a_command_has_help_of_its_own(name: str, place: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-h", name] if place == 0 else [name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: cannon {name} [OPTIONS]")


@pytest.mark.parametrize("line", ["-v", "--version", "-v demo", f"{URL} -v"])
def test_the_version_goes_to_stdout(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split(), run=FakeRun()) == 0
    kind = "compiled" if is_compiled() else "plain Python"
    assert capsys.readouterr().out == f"cannon {__version__} ({kind})\n"


def raising(error: BaseException) -> FakeRun:
    """A run that ends so."""

    def during(interrupt: object) -> None:
        raise error

    return FakeRun(during=during)


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("a fault"), 2), (InvalidRun("a fault"), 3), (CannonError("a fault"), 1)],
)
def test_what_cannon_raises_is_one_line_and_its_exit_code(
    error: CannonError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-j", URL], run=raising(error)) == code
    assert capsys.readouterr() == ("", "cannon: a fault\n")


def test_a_keyboard_interrupt_outside_a_run_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", URL], run=raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_defect_is_one_line_that_says_where_its_traceback_is(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-j", URL], run=raising(ValueError("wrong\nat http://u:canary@h/"))) == 1
    out, err = capsys.readouterr()
    (file,) = temporary.iterdir()
    assert out == ""
    assert err == (
        f"cannon: internal error, please report it with {file}: ValueError: wrong\\nat http://***@h/\n"
    )
    assert file.read_text().startswith("Traceback ")
    assert "canary" not in file.read_text()


def test_with_debug_a_defect_shows_its_traceback(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-j", "--debug", URL], run=raising(ValueError("wrong"))) == 1
    err = capsys.readouterr().err
    assert err.startswith("Traceback ")
    assert err.endswith("cannon: internal error, please report it: ValueError: wrong\n")
    assert list(temporary.iterdir()) == []


def test_a_traceback_that_finds_no_file_goes_to_stderr(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert main(["-j", URL], run=raising(ValueError("wrong"))) == 1
    assert capsys.readouterr().err.startswith("Traceback ")


def test_the_command_line_is_kept_without_its_secrets() -> None:
    run = FakeRun()
    main(
        ["-j", "-H", "Authorization: Bearer canary", "-b", "canary", "http://u:canary@h/?token=canary"],
        run=run,
    )
    assert run.commands[0].startswith("cannon -j -H ")
    assert "canary" not in run.commands[0]


def test_help_imports_nothing_that_measures_or_draws() -> None:
    heavy = ("msgspec", "rich", "httptools", "h11", "hdrh", "psutil", "uvicorn", "asyncio", "cannon.plan")
    code = (
        "import sys; from cannon.cli import main; main(['--help']);"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr.strip() == "[]"


def test_python_m_cannon_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cannon", "-c", "x"], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cannon: -c/--connections: 'x' is no count; write for example 1, 10 or 2k\n"
