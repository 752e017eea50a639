"""`cannon schema`: the JSON Schema of the files that cannon writes."""

from __future__ import annotations

import json

import click

from cannon.cli.options import DEBUG
from cannon.cli.session import print_text
from cannon.errors import UsageError
from cannon.text import clean

__all__ = ["schema"]

_KINDS = ("result",)


@click.pass_obj
def _schema(session: object, /, kind: str, debug: bool | None) -> int:
    if kind not in _KINDS:
        raise UsageError(f"there is no schema '{clean(kind, 60)}'; e.g. cannon schema result")
    from cannon.result import schema as result_schema

    print_text(json.dumps(result_schema(), indent=2) + "\n")
    return 0


schema = click.Command(
    "schema",
    callback=_schema,
    add_help_option=False,
    help="Print the JSON Schema of the result file.",
    params=[click.Argument(["kind"], required=False, default="result", metavar="[result]"), DEBUG],
)
