"""What is wrong with a spec, in one sentence that names the field and the fix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from mtlab.errors import InputError


def first_problem(error: ValidationError, fields: Mapping[str, FieldInfo]) -> InputError:
    """The first of pydantic's complaints as a sentence that names the field and the fix."""
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"] if isinstance(part, str))
    context = problem.get("ctx", {})
    kind = problem["type"]
    given = problem.get("input")
    if kind == "extra_forbidden":
        return InputError("there is no such field", field=field, fix="check its spelling")
    if kind in ("missing", "string_too_short", "too_short"):
        return InputError("nothing is given", field=field, fix=f"give '{field}'")
    if kind == "literal_error":
        return InputError(
            f"'{shortened(given)}' is not a choice", field=field, fix=f"use {context['expected']}"
        )
    if kind == "model_type":
        return no_part(given, field)
    if kind in _BEYOND:
        what = f"{shortened(given)} is out of range"
        return InputError(what, field=field, fix=f"give {_range_of(fields[field])}")
    if kind == "string_too_long":
        return InputError(
            f"{len(str(given))} characters are too many",
            field=field,
            fix=f"give {context['max_length']} at most",
        )
    wanted = next((words for start, words in _WANTED.items() if kind.startswith(start)), None)
    fix = f"give {wanted}" if wanted else _imperative(problem["msg"])
    return InputError(f"'{shortened(given)}' cannot be used", field=field or None, fix=fix)


_BEYOND = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "string": "text",
    "bool": "true or false",
    "tuple": "a list",
}
_LONGEST_SHOWN = 80


def _range_of(field: FieldInfo) -> str:
    """The values a number may have, in words."""
    limits = {
        name: f"{getattr(mark, name):,}"
        for mark in field.metadata
        for name in ("gt", "ge", "lt", "le")
        if hasattr(mark, name)
    }
    if limits.keys() == {"ge", "le"}:
        return f"{limits['ge']} to {limits['le']}"
    words = {"gt": "more than {}", "ge": "{} or more", "lt": "less than {}", "le": "{} or less"}
    return " and ".join(words[name].format(limit) for name, limit in limits.items())


def no_part(given: Any, part: str) -> InputError:
    """The error of a value that stands where a part with fields of its own belongs."""
    return InputError(
        f"'{shortened(given)}' is not made of fields",
        field=part,
        fix=f"write fields below '{part}', each with its value",
    )


def shortened(given: Any) -> str:
    """What was given, as far as a sentence can quote it."""
    try:
        text = str(given)
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        text = f"this {type(given).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."


def _imperative(message: str) -> str:
    return message[0].lower() + message[1:] if message else "check the value"
