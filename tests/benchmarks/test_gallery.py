"""The gallery in reports/: every scenario stands in it, and each page is what its JSON says."""

from __future__ import annotations

import re

import msgspec
import pytest

import gallery

COMMIT = re.compile(r"[0-9a-f]{40}")
FIGURE = re.compile(r"[0-9][0-9,.]*(?:/s| (?:%|\N{MICRO SIGN}s|ms|Mbit/s|s)\b| %)")
LINK = re.compile(r"\(([a-z-]+\.md)\)")
ROUGH = frozenset({"2 ms", "1.3 ms", "10 ms", "100 ms"})
"""What is told as about so much, and the limits of queues, which are settings."""

STORY = gallery.ROOT / "README.md"
PARAGRAPHS = [line for line in STORY.read_text().splitlines() if LINK.search(line)]


@pytest.mark.parametrize("name", gallery.names())
def test_a_page_is_what_its_json_says(name: str) -> None:
    assert (gallery.ROOT / f"{name}.md").read_text() == gallery.rendered(name)


@pytest.mark.parametrize("name", gallery.names())
def test_it_is_known_what_made_a_page(name: str) -> None:
    data = msgspec.json.decode((gallery.ROOT / f"{name}.json").read_bytes())
    assert data["cannon"]["command"] == f"cannon scenario run {name} -o reports/{name}.json"
    assert COMMIT.fullmatch(gallery.commits()[name])
    assert data["scenario"]["name"] == name
    assert data["validity"]["verdict"] != "invalid"


@pytest.mark.parametrize("name", gallery.names())
def test_the_story_leads_to_every_page(name: str) -> None:
    assert f"({name}.md)" in STORY.read_text()


def test_nothing_else_lies_in_the_gallery() -> None:
    pages = {path.stem for path in gallery.ROOT.glob("*.md")} - {"README"}
    assert pages == set(gallery.names())
    assert set(gallery.commits()) == set(gallery.names())


@pytest.mark.parametrize("number", range(len(PARAGRAPHS)))
def test_every_figure_of_the_story_stands_on_a_page_that_it_names(number: int) -> None:
    paragraph = PARAGRAPHS[number]
    pages = " ".join((gallery.ROOT / name).read_text() for name in LINK.findall(paragraph))
    figures = [figure for figure in FIGURE.findall(paragraph) if figure not in ROUGH]
    assert [figure for figure in figures if figure not in pages] == []
