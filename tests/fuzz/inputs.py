"""Inputs nobody would write: values, JSON, tables and bytes, made from one seed each.

Most are something right with one or a few things broken, since what is wrong throughout is refused
at the first look.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

CODES = ("de", "en", "fr", "is", "ja", "zh", "xx", "", "EN", "e\u0301n")
TEXTS = (
    "", " ", "Das Haus ist rot.", "The house is red.", "x" * 10_001, "\x00", "a\x00b", "\ud800",
    "\u202egnirts", "\ufeff", "\u2028", "\r", "\n", "\t", "a\tb", "=1+1", "<b>x</b>", "{source}",
    "{" * 50, "%s%n", "../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "~root", "nan",
    "1e999", "-0", "٣", "９９", "de-en", "hub:a/b,rows=٣", "run:20260101-000000-abcd", "run:../..",
    "outputs:/etc/passwd", "a/b", "https://user:secret@example.org/x",
    "🦊" * 20, "ｄｅ-en", "\x1b[31m",
)  # fmt: skip
NUMBERS = (
    0, 1, -1, 2**31, 2**63, -(2**63), 2**64, 10**400, 0.0, -0.0, 0.5, 1.5, 1e308, float("inf"),
    float("-inf"), float("nan"), True, False, None,
)  # fmt: skip


def text(rng: random.Random) -> str:
    """A text, most often one that has broken a program somewhere."""
    if rng.random() < 0.7:
        return rng.choice(TEXTS)
    return "".join(chr(rng.choice((rng.randrange(128), rng.randrange(0x110000)))) for _ in range(8))


def value(rng: random.Random, depth: int = 3) -> Any:
    """Any value that JSON can hold, and a few more that Python can."""
    kind = rng.randrange(6 if depth else 3)
    if kind == 0:
        return rng.choice(NUMBERS)
    if kind in (1, 2):
        return text(rng)
    if kind == 3:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 4:
        return {text(rng): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    return nested(rng.choice((50, 2_000)), rng) if rng.random() < 0.02 else text(rng)


def nested(depth: int, rng: random.Random) -> Any:
    """A list in a list in a list ..."""
    made: Any = text(rng)
    for _ in range(depth):
        made = [made] if rng.random() < 0.5 else {"a": made}
    return made


def broken(sound: Any, rng: random.Random, times: int | None = None) -> Any:
    """Plain values with some of them replaced, left out, doubled or renamed."""
    made = copy.deepcopy(sound)
    for _ in range(rng.choice((1, 1, 2, 4)) if times is None else times):
        where = made
        while True:
            if isinstance(where, dict) and where:
                key: Any = rng.choice(list(where))
            elif isinstance(where, list) and where:
                key = rng.randrange(len(where))
            else:
                return value(rng)
            if not isinstance(where[key], dict | list) or not where[key] or rng.random() < 0.4:
                break
            where = where[key]
        act = rng.randrange(4)
        if act < 2:
            where[key] = value(rng)
        elif act == 2:
            del where[key]
        elif isinstance(where, dict):
            where[text(rng)] = where[key]
        else:
            where.append(where[key])
    return made


def mangled(data: bytes, rng: random.Random) -> bytes:
    """Bytes with some cut, doubled, swapped or put in."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(made) + 1)
        act = rng.randrange(6)
        if act == 0:
            del made[at : at + rng.choice((1, 3, 40))]
        elif act == 1:
            made[at:at] = rng.randbytes(rng.choice((1, 4)))
        elif act == 2:
            made[at:at] = text(rng).encode("utf-8", "surrogatepass")
        elif act == 3:
            made[at:at] = rng.choice(PIECES)
        elif act == 4:
            other = rng.randrange(len(made) + 1)
            made[at:at] = made[min(at, other) : max(at, other)][:200]
        else:
            made = made[:at]
    return bytes(made)


PIECES = (
    b"\t", b"\n", b"\r\n", b'"', b'""', b",", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"[" * 3000,
    b'{"a":' * 3000, b"9" * 5000, b"1e400", b"NaN", b"null", b"true", b"\\ud800",
    b"&a ", b"*a", b"!!",
    b"? ", b": ", b"- ", b"%YAML 9\n", b"\xc2\x85", b"\xed\xa0\x80",
)  # fmt: skip


def lines_of_json(rows: Sequence[Any], rng: random.Random) -> bytes:
    """JSON lines of some rows, some of them broken."""
    made = [row if rng.random() < 0.5 else broken(row, rng, 1) for row in rows]
    try:
        return "".join(json.dumps(row) + "\n" for row in made).encode()
    except (RecursionError, ValueError):
        return b"[" * 3000 + b"\n"
