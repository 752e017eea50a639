"""`-- COMMAND`: nothing starts for what is refused; the server is fired at where it listens, and ends with the run."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cannon.cli import main
from cannon.errors import InvalidRun
from cannon.plan import Plan
from cannon.runner import Interrupt
from cannon.services import Listening, Service, free_port
from tests.cli.fakes import FakeRun
from tests.results import a_result

SERVER = """
import os, socket, sys, time
holders = []
for port in sys.argv[1].split(","):
    holder = socket.create_server(("127.0.0.1", int(port or os.environ["PORT"])))
    holders.append(holder)
print("started on", os.environ["PORT"], flush=True)
while True:
    if holders[0].accept()[0].recv(4) == b"quit":
        os._exit(5)
"""
"""Listens on ports, an empty one is that of the environment; whoever says quit ends it."""


@pytest.fixture(autouse=True)
def no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORT", raising=False)


def server(ports: str = "") -> list[str]:
    return [sys.executable, "-S", "-c", SERVER, ports]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


class Visiting(FakeRun):
    """A run that looks whether there is a server where its plan says so."""

    def __init__(self, also: Callable[[Plan, Interrupt | None], None] = lambda plan, interrupt: None) -> None:
        super().__init__(during=self.visit)
        self.found: list[bool] = []
        self.also = also

    def visit(self, interrupt: Interrupt | None) -> None:
        self.found.append(answers(self.plans[-1].targets[0].port))
        self.also(self.plans[-1], interrupt)


def told_to_quit(plan: Plan, interrupt: Interrupt | None) -> None:
    with socket.create_connection(("127.0.0.1", plan.targets[0].port), 5) as connection:
        connection.sendall(b"quit")
        while connection.recv(100):
            pass


@pytest.mark.parametrize("words", [["/path?a=1"], ["--on-port", "/path?a=1"], ["--onPort", "/path?a=1"]])
def test_a_command_is_started_fired_at_and_ended(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Visiting()
    assert main(["-d", "5", *words, "--", *server()], run=run) == 0
    (target,) = run.plan.targets
    assert (target.host, target.path) == ("localhost", "/path?a=1")
    assert run.found == [True]
    assert not answers(target.port)
    out, err = capsys.readouterr()
    assert "started" not in out + err
    assert err.startswith(f"Running 5s test @ {target.url}\n")


def test_without_a_url_it_is_fired_at_its_root() -> None:
    run = Visiting()
    assert main(["-j", "--", *server()], run=run) == 0
    assert run.plan.targets[0].path == "/"


def test_the_port_of_the_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    run = Visiting()
    assert main(["-j", "/", "--", *server()], run=run) == 0
    assert run.plan.targets[0].port == port


def test_a_server_with_a_port_of_its_own_is_fired_at_there() -> None:
    port = free_port()
    run = Visiting()
    assert main(["-j", "/a", "/b", "--", *server(str(port))], run=run) == 0
    assert [target.url for target in run.plan.targets] == [
        f"http://localhost:{port}/a",
        f"http://localhost:{port}/b",
    ]


def test_of_several_ports_one_is_taken_and_all_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    low, high = sorted((free_port(), free_port()))
    run = Visiting()
    assert main(["-j", "/", "--", *server(f"{high},{low}")], run=run) == 0
    assert run.plan.targets[0].port == low
    assert f"' listens on {low}, {high}; a bare path is of {low}\n" in capsys.readouterr().err


def test_a_whole_url_is_left_as_it_is() -> None:
    port = free_port()
    run = Visiting()
    assert main(["-j", f"127.0.0.1:{port}/x", "/y", "--", *server(str(port))], run=run) == 0
    assert [target.url for target in run.plan.targets] == [
        f"http://127.0.0.1:{port}/x",
        f"http://localhost:{port}/y",
    ]


def test_a_server_of_ipv6_alone_is_fired_at_by_its_address() -> None:
    words = [sys.executable, "-S", "-m", "http.server", "--bind", "::1", str(free_port())]
    run = FakeRun()
    assert main(["-j", "/", "--", *words], run=run) == 0
    assert run.plan.targets[0].host in ("::1", "localhost")
    if run.plan.targets[0].host == "localhost":
        families = {entry[0] for entry in socket.getaddrinfo("localhost", 1)}
        assert socket.AF_INET6 in families


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "0", "/"],
        ["-o", "/nowhere/a.json", "/"],
        ["-d", "0", "/"],
        ["http://"],
        ["-S", "/run/x.sock", "/"],
        ["-c", "100000000", "/"],
    ],
)
def test_what_is_refused_starts_nothing(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = FakeRun()
    started = tmp_path / "started"
    assert main([*words, "--", "touch", str(started)], run=run) == 2
    assert not started.exists()
    assert run.plans == []
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("port", ["0", "x", "65536", "-1", "１"])
def test_a_port_in_the_environment_that_is_none_is_said(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", port)
    assert main(["/", "--", *server()], run=FakeRun()) == 2
    assert capsys.readouterr().err == (
        f"cannon: PORT in the environment is '{port}', and no port from 1 to 65535; e.g. PORT=4000\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--on-port", "/"],
            "--on-port starts the command that follows --, and none does; e.g. cannon / -- node server.js",
        ),
        (
            ["--on-port", "/", "--"],
            "--on-port starts the command that follows --, and none does; e.g. cannon / -- node server.js",
        ),
        (
            ["/", "--", "/nowhere/server"],
            "the command '/nowhere/server' cannot be run: No such file or directory; e.g. cannon / -- node server.js",
        ),
        (
            ["serve", "--", "true"],
            "cannon serve starts no server; a command after -- is for firing, e.g. cannon / -- node server.js",
        ),
    ],
)
def test_a_command_that_cannot_be_is_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words, run=FakeRun()) == 2
    assert capsys.readouterr() == ("", f"cannon: {said}\n")


def test_a_server_that_ends_at_once_is_told_with_its_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    run = FakeRun()
    script = r"import sys; print('at http://u:canary@h/'); sys.exit('\x1b[31mno module')"
    assert main(["-j", "/", "--", sys.executable, "-S", "-u", "-c", script], run=run) == 3
    out, err = capsys.readouterr()
    assert out == ""
    first, second, last = err.splitlines()
    assert (first, second) == ("  at http://***@h/", r"  \x1b[31mno module")
    assert last.startswith("cannon: the server '")
    assert last.endswith(" ended with exit code 1 before it listened")
    assert run.plans == []


def test_who_loses_patience_with_a_server_is_told_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tmp_path / "said"

    def wait(service: Service, slow: Callable[[], None]) -> Listening:
        slow()
        while not said.exists():
            service.lost_within(0.005)
        raise KeyboardInterrupt

    monkeypatch.setattr(Service, "wait", wait)
    run = FakeRun()
    assert main(["/", "--", "sh", "-c", f"echo no database; : > '{said}'; exec sleep 60"], run=run) == 130
    slow, words = capsys.readouterr().err.splitlines()
    assert slow.endswith(" does not listen yet; waiting 30 s at most")
    assert words == "  no database"
    assert not run.plans


def test_a_server_that_ends_in_the_run_is_told_after_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    run = Visiting(told_to_quit)
    assert main(["-n", "/", "--", *server()], run=run) == 3
    out, err = capsys.readouterr()
    assert "Latency" in out
    *_, words, last = err.splitlines()
    assert words == f"  started on {run.plan.targets[0].port}"
    assert last.endswith(" ended with exit code 5 before the run was over; its last words stand above")


def test_an_interrupted_run_keeps_its_exit_code_where_the_server_ended() -> None:
    run = Visiting(told_to_quit)
    run.result = a_result(interrupted="SIGINT")
    assert main(["-j", "/", "--", *server()], run=run) == 130


def test_that_nothing_answers_any_more_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def lost(plan: Plan, interrupt: Interrupt | None) -> None:
        told_to_quit(plan, interrupt)
        raise InvalidRun("cannot connect")

    assert main(["-j", "/", "--", *server()], run=Visiting(lost)) == 3
    *_, loss, last = capsys.readouterr().err.splitlines()
    assert " ended with exit code 5 before the run was over" in loss
    assert last == "cannon: cannot connect"


def test_a_server_that_is_well_says_nothing_where_the_run_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(plan: Plan, interrupt: Interrupt | None) -> None:
        raise InvalidRun("no response")

    assert main(["-j", "/", "--", *server()], run=Visiting(failing)) == 3
    assert capsys.readouterr().err == "cannon: no response\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a defect")])
def test_the_server_ends_however_the_run_does(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(plan: Plan, interrupt: Interrupt | None) -> None:
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = Visiting(raising)
    assert main(["-j", "/", "--", *server()], run=run) in (130, 1)
    assert run.found == [True]
    assert not answers(run.plan.targets[0].port)


def test_an_interrupt_ends_the_run_and_then_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(plan: Plan, interrupt: Interrupt | None) -> None:
        signal.raise_signal(signal.SIGINT)
        assert answers(plan.targets[0].port)

    run = Visiting(interrupted)
    run.result = a_result(interrupted="SIGINT")
    assert main(["-j", "/", "--", *server()], run=run) == 130
    assert not answers(run.plan.targets[0].port)
    assert '"interrupted": "SIGINT"' in capsys.readouterr().out


def test_the_command_that_is_kept_shows_no_secret_of_the_server() -> None:
    run = FakeRun()
    assert main(["-j", "/", "--", *server(), "--token", "canary", "http://u:canary@h/"], run=run) == 0
    assert "canary" not in run.commands[0]
