from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cannon.reports.markdown import Markdown, code, escaped
from cannon.text import clean

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
NO_WIDTH = "\N{ZERO WIDTH SPACE}"
TAG = re.compile(r"</?([a-z0-9]+)")


def text_of(markdown: str) -> str:
    """What a reader sees."""
    import html

    return html.unescape(re.sub(r"<[^>]*>", "", READER.render(markdown))).replace(NO_WIDTH, "")


def tags_of(markdown: str) -> set[str]:
    return set(TAG.findall(READER.render(markdown)))


@given(st.text())
def test_escaped_text_is_read_as_it_was(text: str) -> None:
    page = Markdown()
    page.paragraph(f"x {escaped(text)} x")
    assert tags_of(page.text()) <= {"p"}
    assert text_of(page.text()).split() == f"x {clean(text, 1000)} x".split()


@given(st.text(min_size=1))
def test_code_holds_whatever_it_is_given(text: str) -> None:
    shown = code(text)
    if not clean(text).strip():
        return
    assert tags_of(f"x {shown} x") == {"p", "code"}


@given(st.text())
def test_a_cell_stays_a_cell(text: str) -> None:
    page = Markdown()
    page.table(["a", "b"], [[escaped(text), f"{code(text)}."]])
    assert READER.render(page.text()).count("<td") == 2


@given(st.text())
def test_a_fence_ends_where_it_should(text: str) -> None:
    page = Markdown()
    page.fence(text)
    page.paragraph("after")
    drawn = READER.render(page.text())
    assert drawn.count("<pre>") == bool(text) and drawn.endswith("<p>after</p>\n")


def test_figures_stand_to_the_right() -> None:
    page = Markdown()
    page.table(["name", "p50"], [["a", "1 ms"]])
    assert page.text() == "| name | p50 |\n| :--- | ---: |\n| a | 1 ms |\n"


def test_what_is_empty_leaves_no_trace() -> None:
    page = Markdown()
    page.paragraph("")
    page.items([])
    page.table(["a"], [])
    assert page.text() == "\n"
