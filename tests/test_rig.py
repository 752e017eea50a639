"""The services of a scenario, really started: ready in order, watched, stopped and started again, ended at last."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from cannon import rig
from cannon.errors import InvalidRun, UsageError
from cannon.filling import filling_of
from cannon.rig import Rig, check_programs
from cannon.scenario_file import read
from tests.staging import SERVER, a_service, a_table, python, until, written

GRANDCHILD = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-S', '-c', *sys.argv[1:]]).wait()"
"""A server that is a child of the command, as those of `npm start` are."""

GOES = """
import http.server, os, sys
class Goes(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Goes.asked += 1
        self.log_date_time_string = lambda: ""
        if self.path == "/die" or sys.argv[2] == "die":
            print("bye", flush=True)
            os._exit(7)
        self.send_response(200 if Goes.asked > int(sys.argv[2]) else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Goes).serve_forever()
"""
"""Is ready after so many requests with a 503, or dies of the first; of one for /die anyway."""


def a_rig(folder: Path, *services: dict[str, Any]) -> Rig:
    """Of services, whose files are in a folder of the folder."""
    own = folder / "run"
    own.mkdir(exist_ok=True)
    side = {"url": f"http://127.0.0.1:{{port.{services[0]['ports'][0]}}}/" if services[0]["ports"] else "h"}
    found = read(written(folder, a_table(kind="run", service=[*services], side=[side])))
    return Rig(found, filling_of(found, own))


def get(staged: Rig, path: str = "/", name: str = "web") -> int:
    """Ask a service: the pid that answered."""
    connection = http.client.HTTPConnection("127.0.0.1", staged._ports[name], timeout=20)
    connection.request("GET", path)
    body = connection.getresponse().read()
    connection.close()
    return int(json.loads(body)["pid"]) if body else 0


def processes_of(staged: Rig) -> list[psutil.Process]:
    """Every process of its services, keepers too."""
    keepers = [psutil.Process(service._keeper.pid) for service in staged._running.values()]
    return [each for keeper in keepers for each in (keeper, *keeper.children(recursive=True))]


def are_gone(processes: list[psutil.Process]) -> bool:
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes)


def test_all_are_ready_inside_the_block_and_gone_after_it(tmp_path: Path) -> None:
    child = a_service("child", command=python(GRANDCHILD, SERVER, "{port.child}"))
    with a_rig(tmp_path, a_service(), child) as staged:
        pids = {name: get(staged, name=name) for name in ("web", "child")}
        family = processes_of(staged)
        first = dict(staged.processes)
        assert [*first] == ["web", "child"]
        assert first["web"] == pids["web"]
        assert first["child"] != pids["child"]
        assert {*pids.values(), *first.values()} <= {each.pid for each in family}
        assert staged.lost() == {}
    assert are_gone(family)
    assert staged.processes == ()
    assert (staged.lost(), staged.failed) == ({}, None)


def test_one_is_ready_when_it_listens_on_all_of_its_ports(tmp_path: Path) -> None:
    service = a_service(ports=["web", "stats"], command=python(SERVER, "{port.stats}", "{port.web}"))
    with a_rig(tmp_path, service) as staged:
        assert get(staged, name="web") == get(staged, name="stats")


def test_its_first_port_is_told_to_it_as_port(tmp_path: Path) -> None:
    with a_rig(tmp_path, a_service(command=python(SERVER))) as staged:
        assert get(staged) > 0


def test_its_environment_is_that_of_the_scenario_beside_cannons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIED", "cannon's")
    monkeypatch.setenv("KEPT", "kept")
    script = "import os; print(os.environ['TRIED'], os.environ['KEPT'], os.environ['PORT'], flush=True)"
    service = a_service(
        command=python(script + SERVER, "{port.web}"), environment={"TRIED": "{port.web}", "PORT": "x"}
    )
    with a_rig(tmp_path, service) as staged:
        port = staged._ports["web"]
    assert staged.logs == {"web": f"{port} kept x\n".encode()}


def test_a_service_without_ports_is_taken_as_it_is(tmp_path: Path) -> None:
    worker = {"name": "worker", "command": ["sleep", "60"], "ports": []}
    with a_rig(tmp_path, worker) as staged:
        assert [*dict(staged.processes)] == ["worker"]
        family = processes_of(staged)
    assert are_gone(family)


def test_the_next_is_started_when_the_one_before_is_ready(tmp_path: Path) -> None:
    asks = f"import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv.pop()))).close(){SERVER}"
    second = a_service("second", command=python(asks, "{port.second}", "{port.web}"))
    with a_rig(tmp_path, a_service(), second) as staged:
        assert get(staged, name="second") > 0


def test_a_path_has_to_answer_well_first(tmp_path: Path) -> None:
    service = a_service(command=python(GOES, "{port.web}", "2"), ready="/health")
    with a_rig(tmp_path, service) as staged:
        pass
    said = staged.logs["web"].decode().splitlines()
    assert [line.partition('"')[2] for line in said] == [
        *['GET /health HTTP/1.1" 503 -'] * 2,
        'GET /health HTTP/1.1" 200 -',
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"command": ["sh", "-c", "echo bind: taken; echo line 2 >&2; exit 3"]},
            "service 'web': the server '/.*sh -c .*' ended with exit code 3 before it listened",
        ),
        (
            {"command": ["sh", "-c", "echo bind: taken; echo line 2; exec sleep 60"]},
            r"service 'web': the server '.*' does not listen on port \d+ after 0\.3 s, and was stopped",
        ),
        (
            {
                "command": python("print('bind: taken\\nline 2', flush=True)" + GOES, "{port.web}", "99999"),
                "ready": "/up",
            },
            r"service 'web': /up answers with no success after 0\.3 s \(last: (status 503|nothing)\)",
        ),
        (
            {
                "command": python("print('bind: taken\\nline 2', flush=True)" + GOES, "{port.web}", "die"),
                "ready": "/up",
            },
            "service 'web': it ended with exit code 7 before /up answered",
        ),
    ],
    ids=["ends", "never listens", "never answers well", "dies of being asked"],
)
def test_one_that_does_not_get_ready_is_told_with_what_it_said_and_nothing_is_left(
    changes: dict[str, Any], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "0\\.3 s" in told:
        monkeypatch.setattr(rig, "START_LIMIT_S", 0.3)
    staged = a_rig(tmp_path, a_service("first"), a_service(**changes), a_service("third"))
    family: list[psutil.Process] = []
    begin = staged.start

    def noted(name: str) -> None:
        family.extend(processes_of(staged))
        begin(name)

    monkeypatch.setattr(staged, "start", noted)
    with pytest.raises(InvalidRun, match=f"^{told}$"), staged:
        raise AssertionError
    assert staged.failed == "web"
    assert staged.last_words["web"][:2] == ("bind: taken", "line 2")
    assert "third" not in staged.logs
    assert family
    assert are_gone(family)


def test_a_command_that_cannot_be_run_is_bad_usage_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_text("#!/nowhere/sh\n")
    path.chmod(0o755)
    staged = a_rig(tmp_path, a_service(), a_service("odd", command=[str(path)]))
    told = "^service 'odd': the command '.*' cannot be run: No such file or directory$"
    with pytest.raises(UsageError, match=told), staged:
        raise AssertionError
    assert staged.processes == ()


def test_a_stopped_one_is_gone_and_answers_again_on_its_port_once_it_is_started(tmp_path: Path) -> None:
    with a_rig(tmp_path, a_service(), a_service("other")) as staged:
        before = get(staged)
        staged.stop("web")
        assert staged.lost() == {}
        assert [*dict(staged.processes)] == ["other"]
        with pytest.raises(ConnectionRefusedError):
            get(staged)
        staged.start("web")
        assert get(staged) not in (before, 0)
        assert {*dict(staged.processes)} == {"web", "other"}
        family = processes_of(staged)
    assert are_gone(family)


def test_who_runs_is_not_started_again_and_who_does_not_is_not_stopped(tmp_path: Path) -> None:
    with a_rig(tmp_path, a_service()) as staged:
        pid = get(staged)
        with pytest.raises(InvalidRun, match=r"^service 'web' runs already$"):
            staged.start("web")
        assert get(staged) == pid
        staged.stop("web")
        with pytest.raises(InvalidRun, match=r"^service 'web' does not run$"):
            staged.stop("web")
    assert staged.failed is None


def test_one_that_dies_is_lost_for_good_and_its_last_words_are_kept(tmp_path: Path) -> None:
    service = a_service(command=python(GOES, "{port.web}", "0"))
    with a_rig(tmp_path, service, a_service("other")) as staged:
        with pytest.raises(http.client.RemoteDisconnected):
            get(staged, "/die")
        assert until(lambda: bool(staged.lost()))
        assert staged.lost() == {"web": "ended with exit code 7"}
        with pytest.raises(InvalidRun, match=r"^service 'web' ended with exit code 7$"):
            staged.start("web")
        with pytest.raises(InvalidRun, match=r"^service 'web' ended with exit code 7 before$"):
            staged.stop("web")
    assert staged.lost() == {"web": "ended with exit code 7"}
    assert staged.failed == "web"
    assert staged.last_words["web"][-1] == "bye"


def test_one_that_is_about_to_die_when_nothing_could_be_fired_is_found_out(tmp_path: Path) -> None:
    # It ends a moment after the block has, as a socket does before its process.
    dying = "import os, sys, time\nsys.stdin = None\n" + SERVER.replace(
        "while True:",
        "while not os.path.exists(sys.argv[2]):\n    pass\ntime.sleep(0.05); os._exit(9)\nwhile 1:",
    ).replace("sys.argv[1:]", "sys.argv[1:2]")
    go = tmp_path / "go"
    staged = a_rig(tmp_path, a_service(command=python(dying, "{port.web}", str(go))))
    with pytest.raises(InvalidRun, match="nobody answered"), staged:
        go.touch()
        raise InvalidRun("nobody answered")
    assert staged.lost() == {"web": "ended with exit code 9"}


def test_its_cpu_is_counted_over_stops_and_starts(tmp_path: Path) -> None:
    with a_rig(tmp_path, a_service(), a_service("other")) as staged:
        first_s = staged.cpu_s()
        assert all(spent_s > 0 for spent_s in first_s.values())
        staged.stop("web")
        stopped_s = staged.cpu_s()
        assert stopped_s["web"] >= first_s["web"]
        assert staged.cpu_s()["web"] == stopped_s["web"]
        staged.start("web")
        # Python takes more to start than a clock takes to tick.
        assert staged.cpu_s()["web"] > stopped_s["web"]


def test_the_cpu_of_one_that_died_is_what_it_was_and_never_less(tmp_path: Path) -> None:
    with a_rig(tmp_path, a_service()) as staged:
        before_s = staged.cpu_s()["web"]
        os.kill(get(staged), signal.SIGKILL)
        assert until(lambda: bool(staged.lost()))
        assert staged.cpu_s()["web"] >= before_s > 0


def test_configurations_are_filled_in_and_written_for_each(tmp_path: Path) -> None:
    (tmp_path / "shared.cfg").write_text("# é\nlisten {port.web}\n", "utf-8")
    service = a_service(
        command=python(
            f"import sys; print(open(sys.argv.pop()).read()){SERVER}", "{port.web}", "{configuration}"
        ),
        configuration="shared.cfg",
    )
    with a_rig(tmp_path, service) as staged:
        text = f"# é\nlisten {staged._ports['web']}\n"
        assert staged.configurations == {"web": text}
        assert (tmp_path / "run" / "web.cfg").read_text("utf-8") == text


def test_a_folder_that_is_gone_is_told_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "shared.cfg").write_text("")
    staged = a_rig(tmp_path, a_service(configuration="shared.cfg"))
    (tmp_path / "run").rmdir()
    with (
        pytest.raises(InvalidRun, match=r"^service 'web': .*/run/web.cfg: No such file or directory$"),
        staged,
    ):
        raise AssertionError


def test_logs_are_kept_over_stops_and_starts(tmp_path: Path) -> None:
    service = a_service(command=python("print('begun', flush=True)" + SERVER, "{port.web}"))
    with a_rig(tmp_path, service) as staged:
        staged.stop("web")
        staged.start("web")
    assert staged.logs == {"web": b"begun\nbegun\n"}


def test_a_port_that_somebody_holds_is_told_by_the_server_itself(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        staged = a_rig(tmp_path, a_service(command=python(SERVER, port)))
        with pytest.raises(InvalidRun, match=r"^service 'web': .* ended with exit code 1 before"), staged:
            raise AssertionError
    assert staged.last_words["web"][-1] == "OSError: [Errno 98] Address already in use"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"command": ["no-such-program", "x"], "package": "nosuch"}, "; on Debian: apt-get install nosuch"),
        ({"command": ["no-such-program"]}, ""),
    ],
)
def test_a_program_that_is_missing_is_named_with_its_package(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    found = read(written(tmp_path, a_table(service=[a_service(), a_service("b", **changes)])))
    with pytest.raises(UsageError) as refusal:
        check_programs(found)
    assert refusal.value.message == f"no-such-program: not found{told}"


def test_programs_that_are_there_are_passed(tmp_path: Path) -> None:
    check_programs(read(written(tmp_path)))
