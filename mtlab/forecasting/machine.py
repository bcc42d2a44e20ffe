"""What a machine computes with, as numbers: how fast it multiplies, copies, writes and starts."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mtlab.json_text import parse_json
from mtlab.models.facts import Shape
from mtlab.models.formats import processor_has_bf16
from mtlab.runs.provenance import versions
from mtlab.settings import Settings

_PACKAGES = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class Pace:
    """How long one layer of a width takes for a batch: so much for each pass, so much a token.

    Attributes:
        layer: seconds for each pass, however few its tokens.
        token: seconds for each token of it.
    """

    layer: float
    token: float


Paces = Mapping[int, Pace]
"""By width."""

KINDS = ("read", "full", "lora")
"""What a layer is timed at: reading alone, full fine-tuning, fine-tuning LoRA's matrices."""

_GUESSED: dict[str, dict[int, Pace]] = {
    "read bf16": {256: Pace(7e-4, 4.8e-6), 768: Pace(1.6e-3, 2.6e-5), 1536: Pace(8e-3, 5.5e-5)},
    "full bf16": {256: Pace(4.3e-3, 2.1e-5), 768: Pace(2.4e-2, 8.5e-5), 1536: Pace(0.1, 2.6e-4)},
    "lora bf16": {256: Pace(6.7e-3, 2.4e-5), 768: Pace(1.5e-2, 7.8e-5), 1536: Pace(2.6e-2, 2e-4)},
    "read fp32": {256: Pace(6e-4, 1.1e-5), 768: Pace(5.6e-3, 8.1e-5), 1536: Pace(1.7e-2, 3.6e-4)},
    "full fp32": {256: Pace(2.2e-3, 3.4e-5), 768: Pace(1.5e-2, 2.5e-4), 1536: Pace(0.09, 9.6e-4)},
    "lora fp32": {256: Pace(4.3e-3, 3.1e-5), 768: Pace(1.5e-2, 1.9e-4), 1536: Pace(4.3e-2, 7.3e-4)},
}
"""Two cores of a server without a GPU, roughly; what is not measured is taken from here."""


@dataclass(frozen=True)
class Machine:
    """Rates of one machine, as `mtlab.forecasting.calibrate` measures them.

    Attributes:
        device: `cpu` or `cuda`.
        precision: the number format that `auto` means here.
        paces: by kind and number format, such as `full bf16`, how long a Llama's layer takes, by
            its width.
        copying: bytes a second, read and written.
        writing: bytes a second that reach the disk.
        python: seconds of a fixed piece of Python; what is not arithmetic goes at its pace.
        is_measured: whether it was measured here; else it is a guess.
    """

    device: str = "cpu"
    precision: str = "bf16"
    paces: Mapping[str, Paces] = field(default_factory=lambda: _GUESSED)
    copying: float = 1e10
    writing: float = 5e8
    python: float = 0.03
    is_measured: bool = False

    def pace(self, kind: str, precision: str, shape: Shape) -> Pace:
        """How long a layer of a shape takes; between the widths that were measured, and beyond
        them by the number of its parameters.
        """
        wanted = self.precision if precision == "auto" else precision
        name = f"{kind} {wanted}"
        table = self.paces.get(name) or _GUESSED.get(name) or self.paces[f"{kind} {self.precision}"]
        points = sorted((layer_size(width), pace) for width, pace in table.items())
        size = shape.body / shape.layers
        # For each parameter, a token's cost hardly changes beyond what was measured; a pass's own
        # cost is its weights' way through the memory there, and that of its operations below.
        token = _between(size, [(one, pace.token / one) for one, pace in points]) * size
        layer = _between(size, [(one, pace.layer) for one, pace in points])
        return Pace(layer * max(1.0, size / points[-1][0]), token)

    def to_json(self) -> dict[str, Any]:
        """The rates as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Machine:
        """Read what `to_json` wrote.

        Raises:
            ValueError, TypeError, AttributeError, KeyError: it is something else.
        """
        paces = {
            str(name): {
                int(width): Pace(float(pace["layer"]), float(pace["token"]))
                for width, pace in table.items()
            }
            for name, table in data["paces"].items()
        }
        precision = str(data["precision"])
        if not all(paces.get(f"{kind} {precision}") for kind in KINDS):
            raise ValueError("not all was measured")
        return cls(
            device=str(data["device"]),
            precision=precision,
            paces=paces,
            copying=float(data["copying"]),
            writing=float(data["writing"]),
            python=float(data["python"]),
            is_measured=bool(data["is_measured"]),
        )


def layer_size(width: int) -> int:
    """The parameters of a Llama's layer: four square matrices, and three to and from its inside."""
    return 4 * width * width + 3 * width * inner_of(width)


def inner_of(width: int) -> int:
    """The inner width of the layers that are timed."""
    return width * 8 // 3 // 32 * 32


def _between(size: float, points: Sequence[tuple[float, float]]) -> float:
    """A value between those at two sizes, by logarithms; of the nearest beyond them."""
    if size <= points[0][0]:
        return points[0][1]
    for (low, first), (high, second) in zip(points, points[1:], strict=False):
        if size <= high:
            share = math.log(size / low) / math.log(high / low)
            return math.exp(math.log(first) + share * math.log(second / first))
    return points[-1][1]


def machine_of(settings: Settings) -> Machine:
    """This machine as it was measured in this home, or else a guess."""
    try:
        data = parse_json(_path(settings).read_text(encoding="utf-8"))
        return Machine.from_json(data)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return Machine(precision="bf16" if processor_has_bf16() else "fp32")


def keep(machine: Machine, settings: Settings) -> None:
    """Keep a measurement for this machine and these versions.

    Raises:
        OSError: it cannot be written.
    """
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(machine.to_json()), encoding="utf-8")
    part.replace(path)


def _path(settings: Settings) -> Path:
    return settings.cache / "machine" / f"{_name(settings.threads, settings.devices)}.json"


def _name(threads: int, devices: tuple[str, ...]) -> str:
    found = versions()
    processor = [platform.machine(), os.cpu_count(), processor_has_bf16()]
    told = [platform.node(), *processor, threads, devices, [found.get(n, "") for n in _PACKAGES]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
