"""`cannon schema`: the JSON Schema of the files that cannon writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from cannon.cli.options import DEBUG
from cannon.cli.session import print_text
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["schema"]


@click.pass_obj
def _schema(session: object, /, kind: str, debug: bool | None) -> int:
    if kind not in _SCHEMAS:
        *others, last = _SCHEMAS
        raise UsageError(
            f"there is no schema '{clean(kind, 60)}'; there are {', '.join(others)} and {last},"
            " e.g. cannon schema result"
        )
    print_text(json.dumps(_SCHEMAS[kind](), indent=2) + "\n")
    return 0


def _of_result() -> dict[str, Any]:
    from cannon.result import schema

    return schema()


def _of_comparison() -> dict[str, Any]:
    from cannon.comparison import schema

    return schema()


def _of_search() -> dict[str, Any]:
    from cannon.reports.search_file import schema

    return schema()


_SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "result": _of_result,
    "comparison": _of_comparison,
    "search": _of_search,
}

schema = click.Command(
    "schema",
    callback=_schema,
    add_help_option=False,
    help="Print the JSON Schema of the files that are written: of a run (result), of cannon compare (comparison), of"
    " --find-rate (search).",
    params=[
        click.Argument(["kind"], required=False, default="result", metavar=f"[{'|'.join(_SCHEMAS)}]"),
        DEBUG,
    ],
)
