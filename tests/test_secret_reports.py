"""No secret leaves cannon: what a command line, a scenario or a server tells it in confidence stands in no report, on
no stream and in no file that is made of another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from cannon.cli import main
from cannon.comparison import Comparison
from cannon.plan import Plan
from cannon.reports.files import COMPARISON_RENDERERS, RENDERERS
from cannon.result import Cannon, Result
from cannon.rounds import ComparisonPlan
from cannon.runner import Interrupt
from cannon.settings import PlanSettings
from cannon.text import redact_url
from tests.cli.fakes import FakeCompare, FakeRun
from tests.cli.refusing import refused
from tests.comparisons import a_comparison, a_side_report
from tests.firing import run_cli
from tests.results import a_result
from tests.servers.rude import Rude

pytest_plugins = ["tests.servers.fixtures"]

CANARY = "canary"
URL = "http://127.0.0.1:4000/"

RUNS: Mapping[str, list[str]] = {
    "one URL": [
        *("-H", f"Authorization: Bearer {CANARY}-1", "-H", f"Proxy-Authorization=Basic {CANARY}-2"),
        *("-H", f"Cookie: id={CANARY}-3", "-H", f"Set-Cookie: id={CANARY}-4", "-H", f"X-Api-Key: {CANARY}-5"),
        *("-H", f"Referer: http://u:{CANARY}-6@h/?token={CANARY}-7", f"-HX-Auth-Token={CANARY}-8"),
        *("-m", "POST", "-b", f"{CANARY}-9", "--proxy", f"http://user:{CANARY}-10@127.0.0.1:3128"),
        *("-T", f"see http://user:{CANARY}-11@h/?token={CANARY}-12"),
        f"http://user:{CANARY}-13@127.0.0.1:4000/?a=1&access_token={CANARY}-14&sig={CANARY}-15",
    ],
    "several URLs": [
        *("-lm", "POST", f"-nb{CANARY}-1", f"--proxy=socks5://user:{CANARY}-2@127.0.0.1:1080"),
        *(
            f"http://u:{CANARY}-3@127.0.0.1:4000/a",
            f"http://{CANARY}-4@127.0.0.1:4000/b?x-api-key={CANARY}-5",
        ),
        f"http://127.0.0.1:4000/?to={quote(f'http://u:{CANARY}-6@h/?token={CANARY}-7', '')}",
    ],
    "a form": [
        *("-m", "POST", "-F", json.dumps({"password": {"type": "text", "value": CANARY}})),
        f"http://127.0.0.1:4000/?password={CANARY}",
    ],
    "a body by its long name": ["-m", "POST", f"--body={CANARY}", URL],
}
"""What is told in confidence, by where it stands on the command line."""

COMPARISONS: Mapping[str, list[str]] = {
    "userinfo": [f"direct=http://user:{CANARY}@127.0.0.1:4000/", f"haproxy={URL}?token={CANARY}"],
    "a side's own": [
        *(f"direct={URL}", f"haproxy={URL}"),
        *("--side", "[", "haproxy", "-H", f"Authorization: Bearer {CANARY}", "-H", f"Cookie: a={CANARY}"),
        *("--proxy", f"http://u:{CANARY}@127.0.0.1:3128", "]"),
    ],
    "the command before": [
        *(f"direct={URL}", f"haproxy={URL}"),
        *("--before-slot", f"true --password {CANARY} token={CANARY} http://u:{CANARY}@h/"),
    ],
    "headers and body": [
        *("-m", "POST", "-b", CANARY, "-H", f"X-Api-Key: {CANARY}", f"direct={URL}", f"haproxy={URL}"),
    ],
}


class TellingRun(FakeRun):
    """A run whose result tells of the plan and of the command that led to it, as a real one does."""

    def answer(self, plan: Plan, interrupt: Interrupt | None) -> Result:
        told = Cannon("0.1.0", "native", True, "3.11.2", self.commands[-1])
        return a_result(plan=plan, cannon=told)


class TellingCompare(FakeCompare):
    """The same of a comparison."""

    def __call__(self, plan: ComparisonPlan, *, command: str, **others: object) -> Comparison:
        told = Cannon("0.1.0", "native", True, "3.11.2", command)
        sides = [
            a_side_report(side.name, side.plan, url=redact_url(side.plan.targets[0].url))
            for side in plan.sides
        ]
        self.found = a_comparison(cannon=told, sides=sides, plan=PlanSettings.of(plan.sides[0].plan))
        return super().__call__(plan, command=command, **others)  # type: ignore[arg-type]  # as they came


@contextmanager
def nowhere(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """A block in which nobody says the secret, or writes it into a file of this folder."""
    yield
    out, err = capsys.readouterr()
    assert CANARY not in out and CANARY not in err and "internal error" not in err
    assert [path.name for path in folder.iterdir() if CANARY.encode() in path.read_bytes()] == []


@pytest.fixture(params=[False, True], ids=["by hand", "on GitHub"])
def somewhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder; in one of two tests GitHub's runner looks at it."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    if request.param:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
        (tmp_path / "summary").touch()
    return tmp_path


def outputs(folder: Path, suffixes: Mapping[str, object], name: str = "r") -> list[str]:
    return [word for suffix in suffixes for word in ("-o", str(folder / f"{name}{suffix}"))]


@pytest.mark.parametrize("words", RUNS.values(), ids=RUNS)
def test_no_report_of_a_run_has_a_secret(
    words: list[str], somewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gates = ["--gate", "p99 < 1us", "--gate", "errors == 0"]
    with nowhere(somewhere, capsys):
        files = [*outputs(somewhere, RENDERERS), "--stream", str(somewhere / "rows")]
        assert main(["-l", *gates, *files, *words], run=TellingRun()) == 4
        assert main(["-j", *words], run=TellingRun()) == 0
    assert (somewhere / "r.json").exists()


@pytest.mark.parametrize("words", RUNS.values(), ids=RUNS)
def test_no_report_that_is_made_of_another_has_a_secret(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (str(tmp_path / name) for name in ("1.json", "2.json"))
    with nowhere(tmp_path, capsys):
        for path in (first, second):
            assert main(["-o", path, *words], run=TellingRun()) == 0
        assert main(["report", first, *outputs(tmp_path, RENDERERS)]) == 0
        assert main(["merge", first, second, "-o", str(tmp_path / "sum.json")]) == 0
        assert main(["check", first, "--gate", "p50 < base + 5%", "--baseline", second]) == 0
        assert main(["check", first, "--gate", "p50 < 1us"]) == 4


@pytest.mark.parametrize("words", COMPARISONS.values(), ids=COMPARISONS)
def test_no_report_of_a_comparison_has_a_secret(
    words: list[str], somewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(somewhere / "r.json")
    with nowhere(somewhere, capsys):
        files = outputs(somewhere, COMPARISON_RENDERERS)
        gates = ["--gate", "p50 < 1us", "--gate", "errors == 0"]
        assert main(["compare", *gates, *files, *words], weigh=TellingCompare()) == 4
        assert main(["report", path, *outputs(somewhere, COMPARISON_RENDERERS, "again")]) in (0, 4)
        assert main(["check", path, "--gate", "p50 < 1us"]) == 4


def test_what_was_told_in_confidence_is_marked_where_it_stood(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    main(["-o", str(path), *RUNS["one URL"]], run=TellingRun())
    found = Result.from_json(path.read_bytes())
    assert dict(found.plan.headers)["Authorization"] == "***" and "***" in found.cannon.command


@pytest.mark.parametrize(
    "words",
    [
        ["--gate", f"p99 < http://u:{CANARY}@h/"],
        ["--gate", f"http://h/?token={CANARY} < 5ms"],
        ["--gate", f"http://u:{CANARY}@h/ < 5ms"],
        ["--gate", "p99 < base", "--baseline", f"http://u:{CANARY}@h/?token={CANARY}"],
        ["-o", f"http://u:{CANARY}@h/?token={CANARY}"],
        ["--abort-on-fail", f"http://u:{CANARY}@h/", "--gate", "p99 < 5ms"],
    ],
    ids=" ".join,
)
def test_no_refusal_has_a_secret(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert CANARY not in refused([*words, URL], capsys)


def test_what_is_fired_and_what_comes_back_leaves_no_secret(rude: Rude, tmp_path: Path) -> None:
    # The URL must not have the word that the server sends: its parameter is no secret, as far as anybody can tell.
    head = f"HTTP/1.1 200 OK\r\nSet-Cookie: id={CANARY}\r\nX-Api-Key: {CANARY}\r\nContent-Length: 2\r\n\r\nok"
    url = rude.url(f"/raw?bytes={quote(head).replace(CANARY, 'c%61nary')}&token={CANARY}")
    secrets = [
        "-H",
        f"Authorization: Bearer {CANARY}",
        "-H",
        f"Cookie: a={CANARY}",
        "-m",
        "POST",
        "-b",
        CANARY,
    ]
    done = run_cli(
        *("-a", "2", "-c", "1", "--debug", "-l", "--log", str(tmp_path / "log"), *secrets),
        *("--stream", str(tmp_path / "rows"), *outputs(tmp_path, RENDERERS)),
        url.replace("//", f"//user:{CANARY}@"),
    )
    assert "Set-Cookie: ***" in done.stderr
    assert CANARY not in done.stdout and CANARY not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()] == []
    assert any(CANARY in value for one in rude.received for _, value in one.fields)


def test_what_nobody_can_read_leaves_no_secret(rude: Rude, tmp_path: Path) -> None:
    head = f"HTTP/1.1 200 OK\r\nSet-Cookie: id={CANARY}\0\r\nSet-Cookie {CANARY}\r\n\r\n"
    url = rude.url(f"/raw?bytes={quote(head).replace(CANARY, 'c%61nary')}")
    done = run_cli("-a", "2", "-c", "1", "--no-preflight", *outputs(tmp_path, RENDERERS), url)
    assert Result.from_json((tmp_path / "r.json").read_bytes()).errors
    assert CANARY not in done.stdout and CANARY not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()] == []


def test_a_saved_secret_that_cannon_did_not_write_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's file may have been edited, or be of another program."""
    found = a_result()
    plan = msgspec.structs.replace(found.plan, urls=[f"http://u:{CANARY}@h/?token={CANARY}"])
    path = tmp_path / "by-hand.json"
    path.write_bytes(msgspec.structs.replace(found, plan=plan).to_json())
    pages = outputs(tmp_path, {name: None for name in RENDERERS if "json" not in name}, "again")
    assert main(["report", str(path), *pages]) == 0
    out, err = capsys.readouterr()
    assert CANARY not in out + err
    told = [each.name for each in tmp_path.glob("again*") if CANARY.encode() in each.read_bytes()]
    assert told == []
