"""A few seconds of measuring what this machine computes with, kept in the home's cache.

`python -m mtlab.forecasting.calibration` does it in a process of its own, so that the app need not
load torch for it.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from mtlab.forecasting.machine import KINDS, Machine, Pace, inner_of, keep
from mtlab.settings import Settings

_WIDTHS = {"cpu": (256, 768, 1536), "cuda": (768, 2048, 4096)}
_TOKENS = {"cpu": ((1, 48), (8, 88)), "cuda": ((4, 64), (16, 512))}
"""The small and the large batch: sentences, and tokens of each."""

_HEAD = 64
_RANK = 16
_SECONDS, _TIMES = 0.15, 6  # for each number, at least; beside other work the least one tells
_COPIED = 256 * 2**20
_WRITTEN = 48 * 2**20


def calibrate(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> Machine:
    """Measure this machine and keep what was found, which takes ten seconds; loads torch.

    A Llama's layer is timed as it is read, as all of it is trained and as LoRA's matrices on it
    are, for a few widths, with few and with many tokens.

    Args:
        settings: whose cache keeps it, and how many threads are used.
        tell: called with a few words before each measurement.

    Raises:
        OSError: the home cannot be written.
    """
    from mtlab.models import device_name, resolve_precision, set_threads

    threads = set_threads(settings)
    device = device_name()
    threads = threads if device == "cpu" else 1
    precision = resolve_precision("auto", device)
    paces: dict[str, dict[int, Pace]] = {}
    widths = _WIDTHS.get(device, _WIDTHS["cpu"])
    for kind in KINDS:
        tell(f"a layer, {_AT[kind]}, in {precision}")
        paces[f"{kind} {precision}"] = {
            width: _pace(kind, precision, device, width, threads) for width in widths
        }
    tell("memory and disk")
    machine = Machine(
        device=device,
        precision=precision,
        paces=paces,
        copying=_copies(device),
        writing=_writes(settings),
        python=_python(),
        is_measured=True,
    )
    keep(machine, settings)
    return machine


_AT = {"read": "read", "full": "trained", "lora": "trained by LoRA"}


def _pace(kind: str, precision: str, device: str, width: int, threads: int) -> Pace:
    small, large = _TOKENS.get(device, _TOKENS["cpu"])
    few, many = small[0] * small[1], large[0] * large[1]
    first, second = (
        _layer_seconds(kind, precision, device, width, *batch) for batch in (small, large)
    )
    token = max(0.0, second - first) / (many - few) or second / many
    # What grows with the tokens is shared out over the threads, what does not is not.
    return Pace(max(first - few * token, 0.1 * first), token / threads)


def _layer_seconds(
    kind: str, precision: str, device: str, width: int, sentences: int, tokens: int
) -> float:
    """Seconds of a pass through one layer, and back where it is trained."""
    import torch

    from mtlab.forecasting.layer import Layer

    half = precision == "bf16"
    weights = torch.bfloat16 if half and kind != "full" else torch.float32
    layer = Layer(width, inner_of(width), _HEAD, weights, _RANK if kind == "lora" else 0)
    layer = layer.to(device)
    given = torch.randn(sentences, tokens, width, device=device)
    given = given.to(torch.bfloat16 if half else torch.float32)

    def read() -> None:
        with torch.inference_mode():
            layer(given)

    def learn() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            there = given.detach().requires_grad_()
            out = layer(there)
        out.float().square().mean().backward()
        for parameter in layer.parameters():
            parameter.grad = None

    return _best(read if kind == "read" else learn, device)


def _copies(device: str) -> float:
    import torch

    there = torch.ones(_COPIED // 4, device=device)
    here = torch.empty_like(there)
    return 2 * _COPIED / _best(lambda: here.copy_(there), device)


def _writes(settings: Settings) -> float:
    data = os.urandom(2**20) * (_WRITTEN // 2**20)
    settings.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.cache, prefix=".speed-") as file:
        began = time.perf_counter()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        return _WRITTEN / (time.perf_counter() - began)


def _python() -> float:
    def count() -> None:
        found: dict[int, str] = {}
        for number in range(200_000):
            found[number % 1000] = str(number)

    return _best(count, "cpu")


def _best(work: Callable[[], Any], device: str) -> float:
    """The least seconds of a piece of work, of a few times.

    On the CPU they are the processor's seconds, of all threads: beside other work the clock on the
    wall says little.
    """
    import torch

    clock = time.process_time if device == "cpu" else time.perf_counter

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    work()
    wait()
    least, until = float("inf"), time.perf_counter() + _SECONDS
    for times in itertools.count(1):
        began = clock()
        work()
        wait()
        least = min(least, clock() - began)
        if time.perf_counter() > until and times >= _TIMES:
            break
    return least


if __name__ == "__main__":
    calibrate(Settings.from_environment(), lambda text: print(text, file=sys.stderr))
