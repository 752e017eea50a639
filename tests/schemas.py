"""The published schema as a judge: whatever is written must pass it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from cannon.result import schema

__all__ = ["assert_valid"]


def assert_valid(data: bytes, published: Callable[[], dict[str, Any]] = schema) -> Mapping[str, Any]:
    """Return the document of a file, of a result if no other schema is told; AssertionError when it is none: by the
    schema, NaN, a key twice.
    """
    document = json.loads(data, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    problems = [
        f"{error.json_path}: {error.message}" for error in _validator(published).iter_errors(document)
    ]
    assert not problems, problems
    found: Mapping[str, Any] = document
    return found


@cache
def _validator(published: Callable[[], dict[str, Any]]) -> Draft202012Validator:
    described = published()
    Draft202012Validator.check_schema(described)
    return Draft202012Validator(described)


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    assert len(document) == len(pairs), f"a key twice in {[name for name, _ in pairs]}"
    return document
