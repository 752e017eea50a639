"""Whatever a server, a file or a name says: in every report it is data. The formats are those of the tables of
`files.py`, so that one that is added is tried; each has, with hostile text in every field, the shape that it has with
harmless text.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

import msgspec
import pytest
from markdown_it import MarkdownIt

from cannon.cli import main
from cannon.comparison import Comparison
from cannon.reports import comparison_page, console
from cannon.reports.files import COMPARISON_RENDERERS, RENDERERS
from cannon.reports.terminal import Terminal
from cannon.result import Result
from tests.cli.fakes import FakeCompare, FakeRun
from tests.firing import run_cli
from tests.hostile import PLAIN, TEXTS, WORDS, a_comparison_of, a_result_of, texts_of, worded
from tests.servers.rude import Rude

if TYPE_CHECKING:
    from markdown_it.token import Token

pytest_plugins = ["tests.servers.fixtures"]

URL = "http://127.0.0.1:4000/"
REFUSED = 2
FAILED = 4
LONGEST = 150
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
COMMAND = re.compile(r"::(error|warning|notice)(?: [^:\r\n]*)?::[^\r\n]*")
FORMULAS = ("=", "+", "-", "@", *"\uff1d\uff0b\uff0d\uff20")
_LAID = frozenset({"text", "text_special", "softbreak"})
"""Tokens of Markdown that are text and nothing else."""

of_every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


def is_visible(text: str) -> bool:
    """Whether nothing in it could move a terminal, or hide."""
    return all(character.isprintable() or character == "\n" for character in text)


def markdown_shape(told: str) -> list[object]:
    def shape(tokens: list[Token]) -> Iterator[object]:
        for token in tokens:
            if token.type == "inline":
                yield [*shape(token.children or [])]
            elif token.type not in _LAID:
                yield token.type, token.content if token.type.startswith("html") else ""

    return [*shape(READER.parse(told))]


def of_json(data: bytes) -> object:
    """That it is read, and moves no terminal: its values are its own affair."""
    told = data.decode()
    assert json.loads(told, parse_constant=pytest.fail)
    assert all(character >= " " or character == "\n" for character in told)
    return None


def of_markdown(data: bytes) -> object:
    told = data.decode()
    assert is_visible(told)
    return markdown_shape(told)


def of_csv(data: bytes) -> object:
    told = data.decode("utf-8-sig")
    rows = [*csv.reader(io.StringIO(told, newline=""), strict=True)]
    for cell in (cell for row in rows for cell in row):
        assert is_visible(cell) and "\n" not in cell
        if cell.lstrip().startswith(FORMULAS):
            float(cell)
    return [len(row) for row in rows]


def of_xml(data: bytes) -> object:
    assert b"<!" not in data.replace(b"<![CDATA[", b"")
    root = ET.fromstring(data)  # noqa: S314 - our own
    texts = [text for each in root.iter() for text in (*each.attrib.values(), each.text or "")]
    assert all(map(is_visible, texts))
    return [(each.tag, sorted(each.attrib)) for each in root.iter()]


def of_hgrm(data: bytes) -> object:
    lines = data.decode().splitlines()
    assert all(map(str.isprintable, lines))
    return [line.startswith("#") for line in lines]


SHAPES: Mapping[str, Callable[[bytes], object]] = {
    ".json": of_json,
    ".autocannon.json": of_json,
    ".md": of_markdown,
    ".csv": of_csv,
    ".xml": of_xml,
    ".hgrm": of_hgrm,
}
"""What each format is, apart from its text; AssertionError where it is none, or its text is more than text."""


@cache
def a_result(text: str) -> Result:
    return a_result_of(text)


@cache
def a_comparison(text: str) -> Comparison:
    return a_comparison_of(text)


def test_every_format_is_tried() -> None:
    assert {*RENDERERS, *COMPARISON_RENDERERS} <= {*SHAPES, ".html"}


@of_every_text
@pytest.mark.parametrize("suffix", sorted(RENDERERS))
def test_text_changes_no_report_of_a_run(suffix: str, text: str) -> None:
    render, shape = RENDERERS[suffix], SHAPES[suffix]
    assert shape(render(a_result(text))) == shape(render(a_result(PLAIN)))


@of_every_text
@pytest.mark.parametrize("suffix", sorted(COMPARISON_RENDERERS))
def test_text_changes_no_report_of_a_comparison(suffix: str, text: str) -> None:
    render, shape = COMPARISON_RENDERERS[suffix], SHAPES[suffix]
    assert shape(render(a_comparison(text))) == shape(render(a_comparison(PLAIN)))


@of_every_text
def test_json_keeps_every_text_as_it_was(text: str) -> None:
    for found in (a_result(text), a_comparison(text)):
        assert type(found).from_json(found.to_json()) == found
        assert text in "".join(texts_of(found))


@of_every_text
def test_text_moves_no_terminal_and_is_no_markup(text: str) -> None:
    plain, ansi = Terminal(), Terminal(ansi=True, columns=120)
    found, compared = a_result(text), a_comparison(text)
    assert is_visible(console.render(found, plain, latency=True, status_codes=True))
    assert is_visible(console.render(found, plain, verbose=False))
    assert is_visible(comparison_page.render(compared, plain))
    for page in (console.render(found, ansi), comparison_page.render(compared, ansi)):
        assert COLOUR.search(page) and is_visible(COLOUR.sub("", page))


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    found = msgspec.structs.replace(
        a_result(PLAIN),
        plan=msgspec.structs.replace(a_result(PLAIN).plan, title="[/x] [bold]x[/bold] :boom:"),
    )
    assert console.render(found, Terminal()).startswith("[/x] [bold]x[/bold] :boom:\n")


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GitHub's runner is there, and this is its page of the step."""
    path = tmp_path / "summary.md"
    path.touch()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def commands_in(told: str) -> list[str]:
    """The orders that GitHub's runner takes from a log, by kind: a line that begins with two colons, or has `##[`."""
    found = []
    for line in told.splitlines():
        if line.lstrip().startswith("::"):
            order = COMMAND.fullmatch(line)
            assert order is not None, line
            found.append(order[1])
        assert not re.search(r"##\[", line), line
    return sorted(found)


def fired(text: str, kind: type[Result | Comparison], *words: str) -> int:
    """As a user fires: the exit code."""
    if kind is Result:
        return main([*words, URL], run=FakeRun(result=a_result(text)))
    return main(["compare", *words, f"identity={URL}", f"gzip={URL}"], weigh=FakeCompare(a_comparison(text)))


@of_every_text
@pytest.mark.parametrize("kind", [Result, Comparison])
def test_no_text_is_an_order_to_githubs_runner(
    kind: type[Result | Comparison], text: str, summary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fired(text, kind) == FAILED
    out, err = capsys.readouterr()
    assert is_visible(out) and is_visible(err)
    # Two gates failed, and one is open.
    assert commands_in(out) + commands_in(err) == ["error", "error", "warning"]
    render = (
        RENDERERS[".md"](a_result(PLAIN))
        if kind is Result
        else COMPARISON_RENDERERS[".md"](a_comparison(PLAIN))
    )
    assert of_markdown(summary.read_bytes()) == of_markdown(render)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[Result | Comparison], str]:
    """Puts a result into a file, and tells which."""

    def save(found: Result | Comparison) -> str:
        path = tmp_path / f"{len([*tmp_path.iterdir()])}.json"
        path.write_bytes(found.to_json())
        return str(path)

    return save


@of_every_text
@pytest.mark.parametrize(
    ("make", "renderers"),
    [(a_result, RENDERERS), (a_comparison, COMPARISON_RENDERERS)],
    ids=["run", "comparison"],
)
def test_what_somebody_saved_is_text_when_it_is_shown_again(
    make: Callable[[str], Result | Comparison],
    renderers: Mapping[str, object],
    text: str,
    saved: Callable[[Result | Comparison], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = {suffix: tmp_path / f"again{suffix}" for suffix in renderers}
    wanted = [word for path in paths.values() for word in ("-o", str(path))]
    code = main(["report", saved(make(text)), *wanted])
    out, err = capsys.readouterr()
    assert is_visible(out) and is_visible(err) and "internal error" not in err
    if code == REFUSED:
        # Nobody gives a side so long a name.
        assert len(text) > LONGEST and err.count("\n") == 1
        return
    for suffix, path in paths.items():
        SHAPES[suffix](path.read_bytes())


@of_every_text
def test_what_somebody_saved_is_text_when_it_is_judged_or_added(
    text: str, saved: Callable[[Result | Comparison], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, sum_of_both = saved(a_result(text)), tmp_path / "sum.json"
    later = saved(msgspec.structs.replace(a_result(text), finished=text))
    codes = [
        main(["check", path, "--gate", "p50 < 1us"]),
        main(["check", path, "--gate", "p50 < base + 5%", "--baseline", later]),
        main(["check", saved(a_comparison(text)), "--gate", "errors < 1%"]),
        main(["merge", path, later, "-o", str(sum_of_both)]),
    ]
    out, err = capsys.readouterr()
    assert is_visible(out) and is_visible(err) and "internal error" not in err
    assert codes == [FAILED, 0, 0, 0] or (len(text) > LONGEST and REFUSED in codes)
    if sum_of_both.exists():
        of_json(sum_of_both.read_bytes())


WORD_FIELDS = [(kind, field) for kind, fields in WORDS.items() for field in sorted(fields)]


@pytest.mark.parametrize(("kind", "field"), WORD_FIELDS)
def test_a_word_that_somebody_made_up_is_refused_or_shown_as_text(
    kind: str, field: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, found in enumerate((a_result(PLAIN), a_comparison(PLAIN))):
        path = tmp_path / f"{number}.json"
        path.write_bytes(msgspec.json.encode(worded(found, kind, field, TEXTS["html"] + TEXTS["escapes"])))
        page = tmp_path / f"{number}.md"
        assert main(["report", str(path), "-o", str(page)]) != 1, capsys.readouterr().err
        out, err = capsys.readouterr()
        assert is_visible(out) and is_visible(err)
        if page.exists():
            of_markdown(page.read_bytes())


@of_every_text
def test_text_of_an_expression_or_a_path_is_refused_in_one_visible_line(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ["--gate", text],
        ["--gate", f"p99 < {text}"],
        ["--gate", "p99 < base", "--baseline", f"{text}.json"],
        ["-o", text],
        ["--inconclusive", text],
        ["--baseline-mismatch", text],
    ):
        run = FakeRun()
        assert (main([*words, URL], run=run), run.plans) == (2, [])
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("cannon: ") and err.count("\n") == 1 and is_visible(err)


def test_what_a_server_sends_is_text_in_every_report_of_its_run(rude: Rude, tmp_path: Path) -> None:
    paths = {suffix: tmp_path / f"run{suffix}" for suffix in RENDERERS}
    wanted = [word for path in paths.values() for word in ("-o", str(path))]
    done = run_cli(
        *("-d", "0.2", "-c", "1", "--no-preflight", "--debug", "-T", "<b>[/x]", *wanted),
        rude.url("/hostile-error"),
    )
    assert done.returncode == 3, done.stderr
    assert is_visible(done.stdout) and is_visible(done.stderr)
    found = Result.from_json(paths[".json"].read_bytes())
    assert "malformed" in found.error_examples and all(map(is_visible, texts_of(found)))
    for suffix, path in paths.items():
        SHAPES[suffix](path.read_bytes())


def test_the_reason_of_a_status_is_text_where_it_is_shown(
    rude: Rude, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    reason = quote("<img>[/x]\x1b[2J\x9b31m ::error::owned")
    done = run_cli("-a", "2", "-c", "1", "--debug", rude.url(f"/reason?text={reason}"))
    assert is_visible(done.stdout) and is_visible(done.stderr)
    assert not any(line.lstrip().startswith("::") for line in done.stderr.splitlines())


def test_what_a_server_that_was_started_says_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = r"<img>[/x]\033[2J\n::error::owned\n\302\2331m"
    done = run_cli("-d", "0.1", "/", "--", "sh", "-c", f"printf '{said}' >&2; exit 3", timeout=20)
    assert done.returncode == 3 and "<img>[/x]" in done.stderr
    assert is_visible(done.stdout) and is_visible(done.stderr)
    assert not any(line.lstrip().startswith("::") for line in done.stderr.splitlines())
