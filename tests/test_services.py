"""A command that cannon starts: found where it listens, ended with all its children, its last words kept."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from cannon import keeper, services
from cannon.errors import InvalidRun, UsageError
from cannon.services import Listening, Service, free_port

LIMIT_S = 20.0

LISTENS = """
import os, socket, sys, time
family, address, port = sys.argv[1:4]
holders = []
for each in port.split(","):
    holder = socket.socket(getattr(socket, family))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((address, int(each or os.environ["PORT"])))
    holder.listen()
    holders.append(holder)
time.sleep(60)
"""
"""Listens on an address and ports; an empty port is that of the environment."""

FORKS = """
const cluster = require("cluster")
if (cluster.isPrimary) { cluster.fork(); cluster.fork() }
else require("http").createServer((_, response) => response.end("hello")).listen(process.env.PORT)
"""


def python(script: str, *words: str) -> list[str]:
    return [sys.executable, "-S", "-c", script, *words]


def listening(family: str = "AF_INET", address: str = "127.0.0.1", port: str = "") -> list[str]:
    return python(LISTENS, family, address, port)


def shell(script: str, *words: str) -> list[str]:
    return ["sh", "-c", script, "sh", *words]


def until(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    limit_s = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > limit_s:
            return False
        time.sleep(0.005)
    return True


def family_of(service: Service) -> list[psutil.Process]:
    """The keeper of a service, and every process of its."""
    of_keeper = psutil.Process(service._keeper.pid)
    return [of_keeper, *of_keeper.children(recursive=True)]


def how_lost(service: Service) -> str | None:
    """What it says now: a property may change, which a type checker does not see."""
    return service.lost


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    "start",
    [
        lambda server: server,
        lambda server: shell('"$@" & wait', *server),
        lambda server: shell('"$@" & exit 0', *server),
        lambda server: shell('setsid "$@" & wait', *server),
        lambda server: shell('(setsid "$@" &); exit 0', *server),
    ],
    ids=["itself", "a child", "an orphan", "a child with a session", "a daemon"],
)
def test_whichever_of_its_processes_listens_it_is_found_and_all_are_ended(
    start: Callable[[list[str]], list[str]],
) -> None:
    port = free_port()
    with Service(start(listening()), port) as service:
        assert service.wait(LIMIT_S) == Listening("localhost", port)
        family = family_of(service)
        assert len(family) > 1
        assert how_lost(service) is None
    assert all(is_gone(process) for process in family)
    assert how_lost(service) is None


def test_a_node_server_that_forks_is_found_and_answers(tmp_path: Path) -> None:
    script = tmp_path / "server.js"
    script.write_text(FORKS)
    with Service(["node", str(script)], free_port()) as service:
        where = service.wait(LIMIT_S)
        connection = http.client.HTTPConnection(where.host, where.port, timeout=LIMIT_S)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello"
        connection.close()
        family = family_of(service)
    assert len(family) >= 4
    assert all(is_gone(process) for process in family)


@pytest.mark.parametrize(
    ("family", "address", "host"),
    [
        ("AF_INET", "0.0.0.0", "localhost"),  # noqa: S104 - for a moment
        ("AF_INET", "127.0.0.3", "127.0.0.3"),
        ("AF_INET6", "::", "localhost"),
    ],
)
def test_a_host_is_told_that_leads_to_the_server(family: str, address: str, host: str) -> None:
    with Service(listening(family, address), free_port()) as service:
        assert service.wait(LIMIT_S).host == host


def test_a_server_of_ipv6_alone_is_not_taken_for_another_of_the_same_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **more: entries)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Service(listening("AF_INET6", "::1"), port) as service:
            assert service.wait(LIMIT_S) == Listening("::1", port)


def test_a_port_of_its_own_is_found_the_lowest_first() -> None:
    low, high = sorted((free_port(), free_port()))
    with Service(listening(port=f"{high},{low}"), free_port()) as service:
        assert service.wait(LIMIT_S) == Listening("localhost", low, (high,))


def test_the_port_of_the_environment_goes_before_lower_ones() -> None:
    low, high = sorted((free_port(), free_port()))
    with Service(listening(port=f"{low},"), high) as service:
        found = service.wait(LIMIT_S)
    assert found.port == high


def test_a_command_that_does_not_exist_is_bad_usage() -> None:
    with (
        pytest.raises(
            UsageError, match=r"'/nowhere/server -x' cannot be run: No such file or directory; e\.g\. "
        ),
        Service(["/nowhere/server", "-x"], 1),
    ):
        pass


def test_words_go_to_the_command_as_they_are_and_through_no_shell() -> None:
    words = ["$HOME", "a b", "'", "*", "\udcff", ""]
    script = "import os, sys; print(os.fsencode(repr(sys.argv[1:])).decode())"
    with Service(python(script, *words), 1) as service, pytest.raises(InvalidRun):
        service.wait(LIMIT_S)
    assert service.output == (repr(words),)


def test_the_environment_is_that_of_cannon_with_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANNON_TRIED", "\udcff é")
    script = (
        "import os; print(os.environb[b'CANNON_TRIED'], os.environ['PORT'], os.environ.get('PYTHONPATH'))"
    )
    with Service(python(script), 4321) as service, pytest.raises(InvalidRun):
        service.wait(LIMIT_S)
    assert service.output == (f"{os.environb[b'CANNON_TRIED']!r} 4321 {os.environ.get('PYTHONPATH')}",)


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("exit 3", "ended with exit code 3"),
        ("exit 0", "ended with exit code 0"),
        ("kill -9 $$", "was killed by SIGKILL"),
        ("sleep 60 & exit 7", "ended with exit code 7"),
    ],
)
def test_one_that_ends_before_it_listens_says_how(script: str, how: str) -> None:
    with (
        Service(shell(script), 1) as service,
        pytest.raises(InvalidRun, match=f"the server '.*' {how} before it listened$"),
    ):
        service.wait(LIMIT_S)
    assert how_lost(service) == how


def test_one_that_never_listens_is_stopped_at_the_limit() -> None:
    with (
        Service(shell("echo waiting; exec sleep 60"), 1) as service,
        pytest.raises(InvalidRun, match=r"'.*' listens on no TCP port after 0\.2 s, and was stopped"),
    ):
        service.wait(0.2)
    assert service.output == ("waiting",)


def test_one_that_takes_long_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "SLOW_S", 0.0)
    told: list[str] = []
    with Service(shell("exec sleep 60"), 1) as service, pytest.raises(InvalidRun):
        service.wait(0.2, slow=lambda: told.append("slow"))
    assert told == ["slow"]


def test_one_that_listens_at_once_is_not_told_of_as_slow() -> None:
    told: list[str] = []
    with Service(python(LISTENS, "AF_INET", "127.0.0.1", ""), free_port()) as service:
        service.wait(LIMIT_S, slow=lambda: told.append("slow"))
    assert not told


def test_one_that_ends_while_it_is_fired_at_is_lost_with_its_last_words(tmp_path: Path) -> None:
    go = tmp_path / "go"
    until_told = f"while not os.path.exists({str(go)!r}): time.sleep(0.005)"
    script = LISTENS.replace(
        "time.sleep(60)", f"{until_told}\nprint('bye', flush=True)\nos.kill(os.getpid(), 9)"
    )
    with Service(python(script, "AF_INET", "127.0.0.1", ""), free_port()) as service:
        service.wait(LIMIT_S)
        assert how_lost(service) is None
        go.touch()
        assert until(lambda: how_lost(service) is not None)
    assert how_lost(service) == "was killed by SIGKILL"
    assert service.output == ("bye",)


def test_its_output_is_made_safe_to_show() -> None:
    script = r"print('\x1b[31mred\nat http://u:canary@h/?token=canary'); import os; os.write(2, b'\xff' + b'x' * 999)"
    with Service(python(script), 1) as service, pytest.raises(InvalidRun):
        service.wait(LIMIT_S)
    # The bytes of standard error may come before those of standard output, or after.
    assert set(service.output) >= {r"at http://***@h/?token=***"}
    assert any(line.startswith(r"\xff" + "x" * 200) and len(line) <= 300 for line in service.output)
    assert "canary" not in str(service.output)


def test_the_last_of_a_long_output_is_kept_and_no_pipe_blocks_the_server() -> None:
    script = "import sys\nfor number in range(50_000): print(number, 'is a line of some length')\nsys.exit(1)"
    with Service(python(script), 1) as service, pytest.raises(InvalidRun):
        service.wait(LIMIT_S)
    assert service.output == tuple(f"{number} is a line of some length" for number in range(49_980, 50_000))


def test_one_that_will_not_end_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    impatient = tmp_path / "keeper.py"
    source = Path(keeper.__file__).read_text()
    assert "KILLED_AFTER_S = 5.0" in source
    impatient.write_text(source.replace("KILLED_AFTER_S = 5.0", "KILLED_AFTER_S = 0.1"))
    monkeypatch.setattr(keeper, "__file__", str(impatient))
    script = 'trap "" TERM; "$@" & trap : USR1; while :; do wait; done'
    deaf = shell(script, *shell('trap "" TERM; "$@"; exit', *listening()))
    with Service(deaf, free_port()) as service:
        service.wait(LIMIT_S)
        family = family_of(service)
        assert len(family) == 4
    assert all(is_gone(process) for process in family)


def test_one_that_is_stopped_ends_all_the_same() -> None:
    with Service(listening(), free_port()) as service:
        service.wait(LIMIT_S)
        family = family_of(service)
        os.kill(family[1].pid, signal.SIGSTOP)
        began_s = time.monotonic()
    assert all(is_gone(process) for process in family)
    assert time.monotonic() - began_s < keeper.KILLED_AFTER_S


def test_a_ctrl_c_of_the_terminal_does_not_reach_it() -> None:
    with Service(listening(), free_port()) as service:
        service.wait(LIMIT_S)
        assert os.getpgid(0) not in {os.getpgid(process.pid) for process in family_of(service)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_program_that_is_killed(number: signal.Signals) -> None:
    parent = (
        "import signal, sys, time\nfrom cannon.services import Service\n"
        # Whoever runs the tests in the background has it ignored, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with Service(sys.argv[1:], 0) as service: print(service._keeper.pid, flush=True); time.sleep(60)"
    )
    root = Path(keeper.__file__).parents[1]
    command = shell('"$@" & (setsid "$@" &); wait', *python("import time; time.sleep(60)"))
    with subprocess.Popen(
        [sys.executable, "-c", parent, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
    ) as killed:
        assert killed.stdout is not None
        of_keeper = psutil.Process(int(killed.stdout.readline()))
        assert until(lambda: len(of_keeper.children(recursive=True)) >= 3)
        family = [of_keeper, *of_keeper.children(recursive=True)]
        killed.send_signal(number)
    assert until(lambda: all(is_gone(process) for process in family))


def test_without_its_keeper_the_group_of_the_command_is_killed() -> None:
    with Service(shell('"$@" & wait', *listening()), free_port()) as service:
        service.wait(LIMIT_S)
        of_keeper, *family = family_of(service)
        of_keeper.kill()
        assert until(lambda: how_lost(service) is not None)
        assert how_lost(service) == "was killed with its keeper"
    assert until(lambda: all(is_gone(process) for process in family))
    assert service.output == ()


def test_stopping_twice_is_stopping_once() -> None:
    with Service(listening(), free_port()) as service:
        service.stop()
        service.stop()
    assert how_lost(service) is None


def test_all_of_several_ports_are_waited_for() -> None:
    ports = {free_port() for _ in range(3)}
    with Service(listening(port=",".join(map(str, sorted(ports)))), 1) as service:
        service.wait_for(ports, LIMIT_S)
        for port in ports:
            socket.create_connection(("127.0.0.1", port), LIMIT_S).close()


def test_one_that_listens_on_some_of_them_alone_is_stopped_at_the_limit() -> None:
    there, missing = free_port(), free_port()
    with Service(listening(port=str(there)), 1) as service:
        service.wait_for({there}, LIMIT_S)
        named = ", ".join(map(str, sorted((there, missing))))
        told = rf"'.*' does not listen on port {named} after 0\.05 s, and was stopped$"
        with pytest.raises(InvalidRun, match=told):
            service.wait_for({there, missing}, 0.05)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", there))
    assert how_lost(service) is None


def test_one_that_ends_before_it_listens_on_its_ports_says_how() -> None:
    with (
        Service(shell("echo taken; exit 3"), 1) as service,
        pytest.raises(InvalidRun, match=r"ended with exit code 3 before it listened$"),
    ):
        service.wait_for({free_port()}, LIMIT_S)
    assert service.output == ("taken",)


def test_an_environment_of_its_own_goes_before_that_of_cannon_and_before_port(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CANNON_TRIED", "cannon's")
    monkeypatch.setenv("CANNON_KEPT", "kept")
    command = shell('echo "$CANNON_TRIED $CANNON_KEPT $PORT $CANNON_NEW"')
    environment = {"CANNON_TRIED": "its own", "PORT": "http", "CANNON_NEW": "é $HOME"}
    with Service(command, 4321, environment) as service, pytest.raises(InvalidRun):
        service.wait_for({1}, LIMIT_S)
    assert service.log.decode() == "its own kept http é $HOME\n"


def test_its_log_is_what_it_said_byte_for_byte_and_known_once_it_is_stopped() -> None:
    script = rf"import os; os.write(1, b'\xff\x1b[31m\r\ntoken=canary\n' * 30){LISTENS}"
    port = free_port()
    with Service(python(script, "AF_INET", "127.0.0.1", str(port)), port) as service:
        service.wait_for({port}, LIMIT_S)
        assert service.log == b""
    assert service.log == b"\xff\x1b[31m\r\ntoken=canary\n" * 30
    assert len(service.output) == 20
