"""Somebody's outputs as a system: `outputs:FILE`, a hypothesis a line, a line per test segment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import InputError
from mtlab.methods import OUTPUTS
from mtlab.spec import Direction, RunSpec

PLACES = ("{direction}", "{source}", "{target}")
"""What may stand in the file's name for the direction."""


@dataclass(frozen=True)
class Outputs:
    """The hypotheses of one direction.

    Attributes:
        path: the file.
        lines: one a segment, as many as are tested, without the spaces around them.
        sha256: of the whole file.
    """

    path: Path
    lines: tuple[str, ...]
    sha256: str


def read_outputs(spec: RunSpec, direction: Direction, segments: int) -> Outputs:
    """The outputs of a direction, one for each segment that is tested.

    A file for the whole test set may be tested on its beginning (`test_limit`).

    Args:
        spec: its base is `outputs:FILE`; `{direction}`, `{source}` and `{target}` in it stand for
            the direction.
        direction: which of the files.
        segments: how many the test set has, unlimited.

    Raises:
        InputError: no such file, not UTF-8, or another number of lines; says both.
    """
    name = spec.base.removeprefix(OUTPUTS)
    if len(spec.tested) > 1 and not any(place in name for place in PLACES):
        raise InputError(
            f"'{name}' is one file, and {len(spec.tested)} directions are tested",
            field="base",
            fix="put {direction} in its name, or test one direction",
        )
    values = (str(direction), direction.source, direction.target)
    for place, value in zip(PLACES, values, strict=True):
        name = name.replace(place, value)
    path = Path(name).expanduser()
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"'{name}' cannot be read", field="base", why=error.strerror, fix="check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{name}' is not UTF-8 (byte {error.start})", field="base", fix="save it as UTF-8"
        ) from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    wanted = min(segments, spec.test_limit or segments)
    if len(lines) not in (segments, wanted):
        also = f", {wanted:,} of which are tested" if wanted < segments else ""
        raise InputError(
            f"'{name}' has {_counted(len(lines), 'line')}, and the test set of {direction} has "
            f"{_counted(segments, 'segment')}{also}",
            field="base",
            fix="give one line for each segment",
        )
    kept = tuple(line.strip() for line in lines[:wanted])
    return Outputs(path, kept, hashlib.sha256(data).hexdigest())


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
