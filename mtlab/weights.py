"""What a safetensors file says of itself before it is loaded, without torch."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

_FORMATS = ("F64", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2", "I8", "U8")
_LONGEST_HEADER = 100_000_000


def count_parameters(file: Path) -> int:
    """Weights in one safetensors file, from the JSON header before its data.

    Raises:
        ValueError: it cannot be read, or is not whole.
    """
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError(length)
            header = json.loads(stream.read(length))
        return sum(
            math.prod(entry["shape"])
            for name, entry in header.items()
            if name != "__metadata__" and entry["dtype"] in _FORMATS
        )
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        raise ValueError(f"'{file}' is not a whole safetensors file") from None


def folder_parameters(folder: Path) -> int | None:
    """Weights in all safetensors files of a folder; None where that cannot be told."""
    try:
        return sum(map(count_parameters, folder.glob("*.safetensors"))) or None
    except ValueError:
        return None
