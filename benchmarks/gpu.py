"""What one GPU does with a model of Llama 2 7B's shape: training, decoding, the paper's run.

    python -m benchmarks.gpu                       # an H200, or another GPU with 140 GB: 15 minutes
    python -m benchmarks.gpu --dry-run             # the same steps on a tiny model, any machine
    python -m benchmarks.gpu --only train decode --output gpu.json

The weights are random: what a step costs does not depend on what they have learnt. The text is
WMT's (`SACREBLEU` names the folder it lies in where there is no network), cut by the bundled
tokenizer, whose ids all fit into the model's vocabulary. Everything is timed between
synchronisations, the first steps left out.

A share of the matrix rate is: floating-point operations that the model's own arithmetic takes (six
for each parameter and token in full fine-tuning, four with LoRA, whose frozen weights get no
gradient, and attention's), by the seconds they took, by the rate that plain bf16 matrix products
reach on the same card in the same minute.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from mtlab.bench.results import machine, sentence
from mtlab.corpora import open_corpus
from mtlab.defaults import complete
from mtlab.models import Loaded
from mtlab.presets import BASES
from mtlab.prompts import Example, Template, encode
from mtlab.settings import ASSETS, Settings
from mtlab.spec import Decoding, Direction, RunSpec, Training

PAIRS = 74_623
"""The paper's training pairs."""

PARTS = ("rates", "train", "decode", "paper")


@dataclass(frozen=True)
class Shape:
    """A Llama, and how much of everything is measured with it."""

    hidden: int
    inner: int
    layers: int
    heads: int
    vocabulary: int
    length: int
    batch: int
    steps: int
    sentences: int
    new_tokens: int
    matrix: int


FULL = Shape(4096, 11008, 32, 32, 32_000, 512, 16, 12, 256, 48, 8192)
DRY = Shape(64, 128, 2, 4, 8_192, 128, 4, 4, 8, 6, 256)


def main() -> None:
    """Measure what was asked for, and print it as it comes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="a tiny model, to try the steps")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--output", type=Path, help="write the figures here, too")
    args = parser.parse_args()
    import torch

    if not (torch.cuda.is_available() or args.dry_run):
        sys.exit("there is no GPU here; --dry-run tries the steps on the CPU")
    shape = DRY if args.dry_run else FULL
    settings = Settings.from_environment()
    figures: dict[str, Any] = {"machine": machine(), "shape": vars(shape), "dry_run": args.dry_run}
    print(sentence(figures["machine"]))
    rates = measured_rates(shape)
    print(
        f"matrix products, bf16: {rates['tflops']:.2f} TFLOP/s; copies: {rates['gbytes']:.0f} GB/s"
    )
    figures["rates"] = rates
    bench = Bench(shape, settings, rates)
    if "train" in args.only or "paper" in args.only:
        figures["train"] = [bench.training(method) for method in ("lora", "full")]
    if "decode" in args.only:
        figures["decode"] = bench.decoding()
    if "paper" in args.only:
        figures["paper"] = bench.paper(figures["train"][1]["tokens_per_second"])
    if args.output:
        args.output.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def measured_rates(shape: Shape) -> dict[str, float]:
    """What the device reaches with nothing but matrix products, and with nothing but copies."""
    import torch

    size, device = shape.matrix, _device()
    a, b = (torch.randn(size, size, dtype=torch.bfloat16, device=device) for _ in range(2))
    product = _seconds(lambda: a @ b, 20)
    source = torch.empty(size * size * 4, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = _seconds(lambda: target.copy_(source), 20)
    return {"tflops": 2 * size**3 / product / 1e12, "gbytes": 2 * source.numel() / copy / 1e9}


@dataclass(frozen=True)
class Bench:
    """The measurements on one shape."""

    shape: Shape
    settings: Settings
    rates: dict[str, float]

    def training(self, method: str) -> dict[str, Any]:
        """LoRA or full fine-tuning on rows of one length without padding, as packing makes them."""
        import torch

        from mtlab.training import fine_tune

        shape = self.shape
        loaded = self._model("fp32" if method == "full" else "bf16")
        rows = list(self._rows(loaded.tokenizer, shape.batch * shape.steps))
        training = Training(
            method=method, learning_rate=1e-5, steps=shape.steps, batch_size=shape.batch,
            accumulation=1, precision="bf16", max_length=shape.length,
            checkpoint_steps=shape.steps + 1,
            gradient_checkpointing=method == "full" and _device() == "cuda",
        )  # fmt: skip
        parameters = sum(one.numel() for one in loaded.model.parameters())
        marks: list[float] = []

        def mark(kind: str, **facts: Any) -> None:
            if kind == "step":
                _synchronise()
                marks.append(time.perf_counter())

        if _device() == "cuda":
            torch.cuda.reset_peak_memory_stats()
        with tempfile.TemporaryDirectory() as folder:
            fine_tune(loaded, rows, training, 0, Path(folder), mark)
        step = median(after - before for before, after in zip(marks[1:], marks[2:], strict=False))
        tokens = shape.batch * shape.length / step
        each = (6 if method == "full" else 4) * parameters
        each += (12 if method == "full" else 8) * shape.layers * shape.hidden * shape.length
        peak = torch.cuda.max_memory_allocated() if _device() == "cuda" else None
        done = {
            "method": method,
            "parameters": parameters,
            "tokens_per_second": tokens,
            "tflops": each * tokens / 1e12,
            "share_of_matrix_rate": each * tokens / 1e12 / self.rates["tflops"],
            "peak_gib": peak / 2**30 if peak is not None else None,
        }
        peak_text = f", {done['peak_gib']:.1f} GiB" if peak is not None else ""
        print(
            f"{method}: {tokens:,.0f} tokens/s, {done['tflops']:.2f} TFLOP/s, "
            f"{done['share_of_matrix_rate']:.0%} of the matrix rate{peak_text}"
        )
        return done

    def decoding(self) -> dict[str, Any]:
        """Beam 4: the lab's decoder against `generate` at batch 16, in turn."""
        import torch

        from mtlab.decoding import translate

        shape = self.shape
        loaded = self._model("bf16")
        direction = Direction.parse("de-en")
        sources = [pair.source for pair in self._pairs(direction, "test")[: shape.sentences]]
        decoding = Decoding(strategy="beam", beams=4, max_new_tokens=shape.new_tokens)
        spec = complete(RunSpec(train=["de-en"]), BASES["nano"])
        template = Template.from_spec(spec, loaded.tokenizer)
        prompts = [template.prompt(source, direction) for source in sources]
        tokenizer = loaded.tokenizer
        tokenizer.padding_side = "left"

        def plain() -> None:
            for start in range(0, len(prompts), 16):
                batch = tokenizer(prompts[start : start + 16], return_tensors="pt", padding=True)
                batch.pop("token_type_ids", None)
                with torch.inference_mode():
                    loaded.model.generate(
                        **batch.to(_device()), num_beams=4, do_sample=False,
                        max_new_tokens=shape.new_tokens, pad_token_id=tokenizer.pad_token_id,
                    )  # fmt: skip

        def ours() -> None:
            translate(loaded, sources, direction, decoding, template)

        laps: dict[str, list[float]] = {"generate": [], "mtlab": []}
        for _ in range(3):
            laps["generate"].append(_seconds(plain, 1, warm=0))
            laps["mtlab"].append(_seconds(ours, 1, warm=0))
        ratios = [a / b for a, b in zip(laps["generate"], laps["mtlab"], strict=True)]
        weights = sum(one.numel() * one.element_size() for one in loaded.model.parameters())
        # Every step reads all weights once, whatever the batch: so many sentences a second if all
        # of them were decoded in one batch and nothing else were ever read.
        bound = len(sources) / (shape.new_tokens * weights / (self.rates["gbytes"] * 1e9))
        done = {
            "sentences": len(sources),
            "sentences_per_second": {
                name: len(sources) / median(seconds) for name, seconds in laps.items()
            },
            "ratio": median(ratios),
            "ratios": ratios,
            "bandwidth_bound_one_batch": bound,
        }
        print(
            f"decoding, beam 4: {done['sentences_per_second']['mtlab']:.1f} sentences/s, "
            f"{done['ratio']:.2f} times generate at batch 16; bound by bandwidth: {bound:,.0f}"
        )
        return done

    def paper(self, tokens_per_second: float) -> dict[str, Any]:
        """The whole paper run, one epoch: foretold from the rate, and a slice of it measured."""
        loaded = self._model("bf16")
        pool = self._pairs(Direction.parse("de-en"), "pool")
        template = Template.from_spec(
            complete(RunSpec(train=["de-en"]), BASES["nano"]), loaded.tokenizer
        )
        examples, _ = encode(loaded.tokenizer, template, pool, 0, self.shape.length)
        tokens = sum(len(example.input_ids) for example in examples) / len(examples)
        foretold = PAIRS * tokens / tokens_per_second
        done = {"tokens_per_pair": tokens, "seconds_foretold": foretold}
        done["seconds_from_slice"] = self._slice(examples) * PAIRS
        print(
            f"the paper's {PAIRS:,} pairs, one epoch, in full: {foretold / 60:.1f} minutes "
            f"foretold, {done['seconds_from_slice'] / 60:.1f} by a slice of real pairs"
        )
        return done

    def _slice(self, examples: Sequence[Example]) -> float:
        """Seconds a pair in full fine-tuning on pairs as they are, as the lab batches them."""
        from mtlab.training import fine_tune

        shape = self.shape
        loaded = self._model("fp32")
        training = Training(
            method="full", learning_rate=1e-5, steps=shape.steps, batch_size=4 * shape.batch,
            accumulation=1, precision="bf16", max_length=shape.length,
            checkpoint_steps=shape.steps + 1, gradient_checkpointing=_device() == "cuda",
        )  # fmt: skip
        marks: list[float] = []

        def mark(kind: str, **facts: Any) -> None:
            if kind == "step":
                _synchronise()
                marks.append(time.perf_counter())

        with tempfile.TemporaryDirectory() as folder:
            fine_tune(loaded, examples, training, 0, Path(folder), mark)
        return (marks[-1] - marks[1]) / (len(marks) - 2) / (4 * shape.batch)

    def _rows(self, tokenizer: Any, count: int) -> Iterator[Example]:
        """Rows of one length, filled with pairs one after another."""
        direction = Direction.parse("de-en")
        template = Template.from_spec(complete(RunSpec(train=["de-en"]), BASES["nano"]), tokenizer)
        examples, _ = encode(tokenizer, template, self._pairs(direction, "pool"), 0, 10_000)
        ids: list[int] = []
        labels: list[int] = []
        made = 0
        while made < count:
            for example in examples:
                ids += example.input_ids
                labels += example.labels
                while len(ids) >= self.shape.length and made < count:
                    cut = self.shape.length
                    yield Example(tuple(ids[:cut]), tuple(labels[:cut]), str(made))
                    ids, labels, made = ids[cut:], labels[cut:], made + 1

    def _pairs(self, direction: Direction, side: str) -> Sequence[Any]:
        corpus = open_corpus("wmt", self.settings)
        return corpus.pool(direction) if side == "pool" else corpus.test(direction)

    def _model(self, precision: str) -> Loaded:
        import torch
        from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

        shape = self.shape
        config = LlamaConfig(
            vocab_size=shape.vocabulary, hidden_size=shape.hidden, intermediate_size=shape.inner,
            num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
            max_position_embeddings=4096, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
        dtype = torch.float32 if precision == "fp32" else torch.bfloat16
        torch.manual_seed(0)
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            with torch.device(_device()):
                model = LlamaForCausalLM(config).eval()
        finally:
            torch.set_default_dtype(before)
        tokenizer = AutoTokenizer.from_pretrained(str(ASSETS / "nano"))
        return Loaded(model, tokenizer, _device(), precision, BASES["nano"], None)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _synchronise() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _seconds(act: Any, times: int, warm: int = 3) -> float:
    for _ in range(warm):
        act()
    _synchronise()
    began = time.perf_counter()
    for _ in range(times):
        act()
    _synchronise()
    return (time.perf_counter() - began) / times


if __name__ == "__main__":
    main()
