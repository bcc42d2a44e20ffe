"""How far forecasts are off: a few runs to learn from, then others, each told beforehand.

    python -m benchmarks.forecast [--short] [--drawn N --seed S] [--home DIR]

In a new home: this machine is measured, then runs of nano and of a random Llama of 98 M
parameters are made, LoRA, full fine-tuning and few-shot. Then come runs of other sizes, directions,
batches and methods: for each, the seconds and the memory (VmHWM of the run's process) that were
forecast before it was launched, beside what it took. A forecast may be 25% off in time and 10% in
memory, and 5% too low in either. With `--drawn` the others are specs that a seed draws, in place of
the listed ones, so that nobody can have fitted anything to them. About fourteen minutes on two idle
cores; `--short` leaves the large model out.
"""

from __future__ import annotations

import argparse
import itertools
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlab import Lab, RunSpec
from mtlab.forecasting import Forecast, calibrate
from mtlab.runs.files import read_json
from mtlab.settings import ASSETS, Settings

TOO_LOW, TIME_OFF, MEMORY_OFF = -0.05, 0.25, 0.10

_NANO: dict[str, Any] = {"base": "nano", "metrics": ("bleu", "chrf")}
_FEW = {"training": {"method": "few-shot"}}
LEARNT_FROM: tuple[dict[str, Any], ...] = (
    {"size": 32, "train": ("de-en",), "test_limit": 64},
    {"size": 64, "train": ("de-en", "en-de"), "test_limit": 48, "training": {"method": "lora"}},
    {"size": 1, "test": ("en-de",), "test_limit": 48, **_FEW},
)
HELD_OUT: tuple[dict[str, Any], ...] = (
    {"size": 256, "train": ("fr-en", "en-fr"), "test_limit": 64},
    {"size": 700, "train": ("en-de",)},
    {"size": 128, "train": ("en-fr",), "test_limit": 96, "training": {"method": "lora"}},
    {"size": 3, "test": ("fr-en",), "test_limit": 96, **_FEW},
)
_LARGE: dict[str, Any] = {
    "metrics": ("bleu",),
    "decoding": {"max_new_tokens": 48},
    "probe_size": 4,
    "test_limit": 16,
}
LARGE_LEARNT_FROM: tuple[dict[str, Any], ...] = (
    {"size": 32, "train": ("de-en",), "training": {"method": "lora", "steps": 6}},
    {"size": 32, "train": ("de-en",), "training": {"method": "full", "steps": 5}},
    {"size": 1, "test": ("de-en",), **_FEW},
)
LARGE_HELD_OUT: tuple[dict[str, Any], ...] = (
    {"size": 128, "train": ("en-de",), "training": {"method": "lora", "steps": 12}},
    {"size": 64, "train": ("fr-en",), "training": {"method": "full", "steps": 9, "batch_size": 4}},
    {"size": 3, "test": ("en-fr",), **_FEW},
)


def main() -> int:
    """Measure and print; exit status 1 when one is further off than it may be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="nano alone")
    parser.add_argument("--home", type=Path, help="where the runs are kept; nowhere by default")
    parser.add_argument("--drawn", type=int, metavar="N", help="so many specs that a seed draws")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    short, missed = asked.short, 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = asked.home.absolute() if asked.home else Path(folder) / "home"
        settings = replace(Settings.from_environment(), home=home, spare_minutes=0)
        calibrate(settings, lambda text: print(f"measuring: {text}", file=sys.stderr))
        lab = Lab(settings)
        large = [] if short else [{"base": str(random_model(Path(folder) / "large")), **_LARGE}]
        print(f"{'run':37} {'seconds':>8}  forecast    off      MB  forecast    off")
        for learnt, fields in _specs(large, LEARNT_FROM, LARGE_LEARNT_FROM):
            _row(lab, fields, "learnt from", learnt)
        others = _specs(large, HELD_OUT, LARGE_HELD_OUT)
        if asked.drawn:
            others = _drawn(large, asked.drawn, random.Random(asked.seed))
        for other, fields in others:
            missed += not _row(lab, fields, "held out", other)
        lab.close()
    return 1 if missed else 0


def _specs(
    large: list[dict[str, Any]], nano: tuple[dict[str, Any], ...], big: tuple[dict[str, Any], ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in nano:
        yield "nano", {**_NANO, **one}
    for base in large:
        for one in big:
            yield "98 M", {**base, **one}


def _drawn(
    large: list[dict[str, Any]], number: int, draw: random.Random
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Specs of all methods, the large model's every second one."""
    methods = ("full", "lora", "few-shot")
    directions = ["-".join(pair) for pair in itertools.permutations(("de", "en", "fr", "is"), 2)]
    for place in range(number):
        method = methods[place // 2 % len(methods)]
        is_large = bool(large) and place % 2 == 1
        training: dict[str, Any] = {"method": method}
        tested = tuple(draw.sample(directions, draw.choice((1, 1, 2))))
        fields: dict[str, Any] = {"test": tested, "training": training}
        if method == "few-shot":
            fields["size"] = draw.randint(1, 6)
        else:
            fields["size"] = round(2 ** draw.uniform(4, 7.5 if is_large else 9.8))
            fields["train"] = tuple(draw.sample(directions, draw.choice((1, 1, 2, 3))))
            training["batch_size"] = draw.choice((4, 8) if is_large else (8, 16, 16, 32))
        if is_large:
            fields["test_limit"] = draw.randint(8, 24)
            if method != "few-shot":
                training["steps"] = draw.randint(4, 14)
        else:
            fields["test_limit"] = draw.randint(24, 128)
        yield ("98 M", {**large[0], **fields}) if is_large else ("nano", {**_NANO, **fields})


def _row(lab: Lab, fields: dict[str, Any], kind: str, name: str) -> bool:
    """Forecast, run, print; whether it was near enough."""
    spec = RunSpec.from_json({**fields, "test": fields.get("test")})
    told = lab.preview(spec, n=1).told
    assert isinstance(told, Forecast)
    run = lab.launch(spec)
    status = run.wait()
    if status.state != "finished":
        raise RuntimeError(f"{run.id} {status.state}: {status.sentence}")
    took = sum(status.seconds.values())
    peak = (read_json(run.folder / "provenance.json") or {})["peak_memory_mb"]
    time_off, memory_off = told.total / took - 1, told.memory / 1e6 / peak - 1
    near = TOO_LOW <= time_off <= TIME_OFF and TOO_LOW <= memory_off <= MEMORY_OFF
    mark = "" if near or kind != "held out" else "  <-"
    title = f"{name} {run.spec.training.method} {run.spec.size} {kind}"
    print(
        f"{title:37} {took:8.1f}  {told.total:8.1f}  {time_off:+5.0%}  {peak:6.0f}  "
        f"{told.memory / 1e6:8.0f}  {memory_off:+5.1%}{mark}",
        flush=True,
    )
    return near


def random_model(folder: Path, *, width: int = 768, layers: int = 12) -> Path:
    """A Llama of random parameters with nano's tokenizer; of 98 M where nothing else is asked."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=width, intermediate_size=width * 8 // 3 // 32 * 32, num_hidden_layers=layers,
        num_attention_heads=width // 64, num_key_value_heads=width // 64, vocab_size=16384,
        max_position_embeddings=1024, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ASSETS / "nano" / name, folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
