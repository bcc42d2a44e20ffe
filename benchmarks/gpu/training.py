"""Training: tokens a second, their share of the matrix rate and peak memory, TRL in the same run.

The contest is `mtlab bench train`'s. The lab is its reference, so that it has its figures whatever
becomes of TRL. A lap loads the model anew; its clock leaves the first steps out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.models import Llama, that_fits, training_of
from mtlab.bench.contest import Lap, Standing, hold
from mtlab.bench.limits import training_operations
from mtlab.bench.results import Result
from mtlab.bench.train import RIVALS, Rival, difference, lab, loss, losses, rival
from mtlab.bench.training_task import LORA_RANK, Course, Method
from mtlab.bench.training_texts import Row
from mtlab.cli import printing

FP32 = Rival(
    "SFTTrainer, weights in fp32 as the lab has them", {"model_init_kwargs": {"dtype": "float32"}}
)
"""By its defaults TRL trains in the format that a config names, here bf16, Adam's moments too."""

_KEPT = {name: RIVALS[name] for name in ("trl", "trl-no-checkpointing")}

_LONGER = 3  # times the steps of a timed lap, which is too short for its losses to fall

ON_ROWS: Mapping[Method, Mapping[str, Rival]] = {
    "full": {**_KEPT, "trl-fp32": FP32},
    "lora": _KEPT,
}
"""Against whom, where nothing is to be padded: packing would change nothing."""

ON_PAIRS: Mapping[Method, Mapping[str, Rival]] = {
    "full": {},
    "lora": {name: RIVALS[name] for name in ("trl-packing", "trl-padding-free", "trl")},
}
"""Against whom on pairs as they are."""


@dataclass(frozen=True)
class Race:
    """A contest that was held.

    Attributes:
        llama: the model, with the layers that fitted.
        tokens: of all texts.
        targets: of them, that the loss counts.
        standings: the lab's first.
        figures: for the record.
    """

    llama: Llama
    tokens: int
    targets: int
    standings: Sequence[Standing]
    figures: dict[str, Any]


def on_rows(bench: Bench, method: Method) -> dict[str, Any]:
    """The contest on rows of one length without padding, as packing makes them."""
    scale = bench.scale
    count = scale.batch * scale.steps + scale.held_out
    rows = bench.texts.rows(count, scale.length)
    return race(bench, method, rows, f"rows of {scale.length}", ON_ROWS[method]).figures


def on_pairs(bench: Bench, method: Method) -> Race:
    """The contest on real pairs of all directions, as the lab and TRL batch them."""
    scale = bench.scale
    count = scale.batch * scale.steps + scale.held_out
    pairs = bench.texts.pairs(2 * count, scale.length)[:count]
    return race(bench, method, pairs, "pairs", ON_PAIRS[method])


def learning(bench: Bench) -> dict[str, Any]:
    """The losses of many steps, beside those of TRL with weights in fp32."""
    scale = bench.scale
    rows = bench.texts.rows(scale.batch * scale.steps + scale.held_out, scale.length)
    longer = replace(bench, scale=replace(scale, steps=_LONGER * scale.steps))
    told = replace(FP32, options={**FP32.options, "logging_steps": 1})
    return race(longer, "full", rows, f"rows of {scale.length}", {"trl-fp32": told}).figures


def race(
    bench: Bench,
    method: Method,
    texts: Sequence[Row],
    what: str,
    rivals: Mapping[str, Rival],
) -> Race:
    """Hold a contest and tell of it.

    Args:
        bench: the benchmark.
        method: `lora` or `full`.
        texts: to train on, and the last few to tell the loss of.
        what: they are, for people.
        rivals: by name.

    Raises:
        NotAvailable: the lab itself cannot train here.
    """
    scale, tell = bench.scale, bench.record.say
    training = training_of(method, scale.batch, scale.length)
    llama = that_fits(scale.llama, training)
    if llama != scale.llama:
        tell(f"{method}: memory allows {llama.layers} layers")
    train, held_out = texts[: -scale.held_out], texts[-scale.held_out :]
    tell(f"{method}: the model")
    course = Course(
        model=str(llama.folder(bench.models)), method=method, train=train, held_out=held_out,
        steps=scale.steps, learning_rate=1e-5, length=scale.length, batch=scale.batch,
        untimed=scale.untimed, warm_laps=0,
        options=training.model_dump(
            include={"batch_size", "accumulation", "gradient_checkpointing"}
        ),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        task = course.write(Path(place))
        contestants = [lab(task, bench.settings)]
        if bench.trl is not None:
            python = bench.trl
            contestants += [
                rival(name, how, task, bench.settings, lambda: python)
                for name, how in rivals.items()
            ]
        made: list[Lap] = []

        def noted(lap: Lap) -> float:
            made.append(lap)
            return loss(lap)

        standings = hold(
            contestants, bench.rounds, difference, noted,
            tell=lambda text: tell(f"{method}: {text}"),
        )  # fmt: skip
    tokens = sum(len(ids) for ids, _ in train)
    targets = sum(one != -100 for _, labels in train for one in labels[1:])
    rank = LORA_RANK if method == "lora" else None
    lengths = [len(ids) for ids, _ in train]
    needed = training_operations(llama.shape, lengths, targets, rank=rank).total
    found = {
        one.name: _figures(bench, one, tokens, targets, needed)
        if one.problem is None
        else {"problem": one.problem}
        for one in standings
    }
    title = f"{method}, {what}, {llama.layers} layers, {scale.steps} steps of {scale.batch} texts"
    result = Result(title, "target tokens", "difference of loss", standings, "held-out loss")
    _show(bench, result, found)
    ran = [one.name for one in standings if one.problem is None]
    figures = {
        "layers": llama.layers, "batch": scale.batch, "parameters": llama.shape.parameters,
        "operations_per_token": needed / tokens, "contestants": found, "contest": result.to_json(),
        "losses": {name: losses(lap) for name, lap in zip(ran, made, strict=True)},
        "trl": "in the same run" if bench.trl else "left out: no --trl-python was given",
    }  # fmt: skip
    return Race(llama, tokens, targets, standings, figures)


def _figures(
    bench: Bench, one: Standing, tokens: int, targets: int, operations: float
) -> dict[str, Any]:
    """Tokens are told from the target tokens that were counted, as many for each as in all texts:
    with what share of targets a step's texts come hardly differs.
    """
    rate = one.rate * tokens / targets
    tflops = rate * operations / tokens / 1e12
    return {
        "tokens_per_second": rate,
        "tflops": tflops,
        "share_of_matrix_rate": tflops / bench.rates["tflops"] if bench.rates else None,
        "peak_gib": one.peak_bytes / 2**30 if one.peak_bytes else None,
        "times_as_fast_is_mtlab": 1 / one.ratio,
    }


def _show(bench: Bench, result: Result, found: Mapping[str, Mapping[str, Any]]) -> None:
    bench.record.say(result.title)
    rows = []
    for row in result.rows():
        figures = found[row[""]]
        if "problem" not in figures:
            share = figures["share_of_matrix_rate"]
            row["tokens/s"] = f"{figures['tokens_per_second']:,.0f}"
            row["of matrix rate"] = "" if share is None else f"{share:.0%}"
        rows.append({**row, "how": row.pop("how")})
    printing.table(rows)
    if bench.trl is None:
        bench.record.say("TRL: left out, as no --trl-python was given")
