"""What a safetensors file says of itself before it is loaded, without torch."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

_FORMATS = ("F64", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2", "I8", "U8")
_LONGEST_HEADER = 100_000_000


def count_parameters(file: Path) -> int:
    """Weights in one safetensors file, from the JSON header before its data.

    Raises:
        ValueError: it cannot be read, or is not whole.
    """
    try:
        _, header = _header(file)
        return sum(
            math.prod(entry["shape"])
            for name, entry in header.items()
            if name != "__metadata__" and entry["dtype"] in _FORMATS
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        raise ValueError(f"'{file}' is not a whole safetensors file") from None


def is_whole(file: Path) -> bool:
    """Whether a safetensors file is as long as its header says; its data are not read."""
    try:
        start, header = _header(file)
        header.pop("__metadata__", None)
        ends = [entry["data_offsets"][1] for entry in header.values()]
        return file.stat().st_size == start + max(ends, default=0)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, struct.error):
        return False


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where the data begin, and what stands before them."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > _LONGEST_HEADER:
            raise ValueError(length)
        return 8 + length, json.loads(stream.read(length))


def folder_parameters(folder: Path) -> int | None:
    """Weights in all safetensors files of a folder; None where that cannot be told."""
    try:
        return sum(map(count_parameters, folder.glob("*.safetensors"))) or None
    except ValueError:
        return None
