"""A result or a comparison out of a file that anybody may have written: cannon's own, or what `autocannon -j` printed.

Law: what cannon wrote is read as it was written. Whatever else is in a file is refused in one line that names it and
the dotted key, in bounded time and memory: its size and the number of its values are bounded before it is parsed, its
texts are cleaned and cut as it is read (foreign.py), what others rely on is checked (plausible.py), and histograms are
weighed before anything unpacks them.
"""

from __future__ import annotations

import re

from cannon import comparison, result
from cannon.autocannon_saved import is_autocannons, result_of
from cannon.comparison import Comparison
from cannon.documents import convert, parse_document, read_text
from cannon.errors import UsageError
from cannon.foreign import cleaned
from cannon.plausible import check_comparison, check_result
from cannon.result import Result
from cannon.text import clean

__all__ = ["MOST_BYTES", "MOST_VALUES", "place_of", "read"]

MOST_BYTES = 64 * 1024**2
"""Of a file: a comparison of a thousand rounds, or three days of rows of a second."""

MOST_VALUES = 4_000_000

_READ = f"cannon reads {result.SCHEMA}, {comparison.SCHEMA} and what autocannon -j prints"
_OWN = re.compile(r"cannon/(result|comparison)/([1-9][0-9]{0,8})")
_SEARCH = re.compile(r"cannon/search/[0-9]+")


def read(path: str, option: str) -> Result | Comparison:
    """What a file holds. UsageError where that is nothing cannon can build on. `option`: how the file was given, e.g.
    "--baseline"; "" for a word of its own.
    """
    where = place_of(path, option)
    text = _main_run(read_text(path, where, MOST_BYTES))
    document = cleaned(parse_document(text, where, MOST_VALUES), where)
    if is_autocannons(document):
        found = result_of(document, where)
        check_result(found, where)
        return found
    schema = _schema_of(document, where)
    if schema == comparison.SCHEMA:
        compared = convert(document, Comparison, where)
        check_comparison(compared, where)
        return compared
    measured = convert(document, Result, where)
    check_result(measured, where)
    return measured


def place_of(path: str, option: str) -> str:
    """How messages name the file."""
    return f"{option}: '{clean(path)}'" if option else f"'{clean(path)}'"


def _main_run(text: str) -> str:
    """Of what `autocannon -j -W` printed the last line: the one before it is the warm-up, in a document of its own."""
    first, _, last = text.strip().rpartition("\n")
    return last if first.startswith("{") and first.endswith("}") and "\n" not in first else text


def _schema_of(document: object, where: str) -> str:
    """The schema of a file of cannon's own, one that this version reads."""
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str):
        raise UsageError(f"{where} holds neither a result nor a comparison: it names no schema; {_READ}")
    if schema in (result.SCHEMA, comparison.SCHEMA):
        return schema
    if _OWN.fullmatch(schema):
        raise UsageError(f"{where}: schema: '{schema}' is of a later version of cannon; {_READ}")
    if _SEARCH.fullmatch(schema):
        raise UsageError(f"{where} holds a search for a rate, which is many runs; {_READ}")
    raise UsageError(f"{where}: schema: '{clean(schema, 60)}' is unknown; {_READ}")
