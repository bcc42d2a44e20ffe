"""How much faster the lab decodes than transformers' `generate`, on this machine, in one run.

    python benchmarks/decoding.py

Fine-tunes nano on a few pairs, so that its answers are of real length, then translates the same
sentences in turns: with plain `generate` (fp32, 16 sentences at a time in file order, the same
beams, prompts and limit), with the lab in fp32, and with the lab as it runs by default. Prints a
median and its ratio for each, and the share of answers that are the same. The ratio to look at is
of wall-clock time; beside other busy processes, that of processor time is the steadier one.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mtlab import RunSpec
from mtlab.models import Loaded, load, load_run, set_threads, weights_precision
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction

PLAIN_BATCH = 16


def main() -> None:
    """Run the comparison and print it, the last line as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sentences", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=64, help="pairs to fine-tune on")
    parser.add_argument("--direction", default="de-en")
    parser.add_argument("--beams", type=int, default=4)
    options = parser.parse_args()

    settings = Settings.from_environment()
    threads = set_threads(settings)
    import torch

    from mtlab.corpora import open_corpus
    from mtlab.decoding import translate
    from mtlab.prompts import Template

    direction = Direction.parse(options.direction)
    spec = RunSpec(train=[options.direction], size=options.size, decoding={"beams": options.beams})
    corpus = open_corpus("everyday", settings)
    pool = corpus.pool(direction)
    sources = [pair.source for pair in corpus.test(direction)]
    # The test set is small: more sentences come from what was not trained on.
    sources += [pair.source for pair in pool[options.size :]]
    sources = sources[: options.sentences]
    with tempfile.TemporaryDirectory() as folder:
        spec = _fine_tune(spec, pool[: options.size], settings, Path(folder))
        wide = load_run(Path(folder), spec, settings, precision="fp32")
        default = load_run(Path(folder), spec, settings, precision="auto")
    template = Template.from_spec(spec, wide.tokenizer)

    def plain() -> list[str]:
        return _plain(wide, sources, direction, template, spec.decoding)

    def lab(loaded: Loaded) -> list[str]:
        found = translate(loaded, sources, direction, spec.decoding, template)
        return [hypothesis.text for hypothesis in found]

    systems: dict[str, Callable[[], list[str]]] = {
        "generate, fp32, batch 16": plain,
        "mtlab, fp32": lambda: lab(wide),
        f"mtlab, {default.dtype_name} (default)": lambda: lab(default),
    }
    for run in systems.values():  # once unmeasured: kernels are chosen and memory is mapped
        run()
    wall: dict[str, list[float]] = {name: [] for name in systems}
    busy: dict[str, list[float]] = {name: [] for name in systems}
    answers: dict[str, list[str]] = {}
    for _ in range(options.rounds):
        for name, run in systems.items():
            started, used = time.perf_counter(), time.process_time()
            answers[name] = run()
            wall[name].append(time.perf_counter() - started)
            busy[name].append(time.process_time() - used)

    print(f"{_machine()}, {threads} threads, torch {torch.__version__}, {wide.device}")
    print(f"{len(sources)} sentences {direction}, beam {options.beams}, medians of "
          f"{options.rounds} rounds\n")  # fmt: skip
    reference = next(iter(systems))
    rows = []
    for name in systems:
        rows.append(
            {
                "system": name,
                "sentences_per_second": len(sources) / statistics.median(wall[name]),
                "ratio": _ratio(wall, reference, name),
                "ratio_of_processor_time": _ratio(busy, reference, name),
                "same_answers": sum(
                    a == b for a, b in zip(answers[name], answers[reference], strict=True)
                )
                / len(sources),
            }
        )
    print(f"{'':28}{'sentences/s':>12}{'ratio':>8}{'(cpu)':>8}{'same answers':>14}")
    for row in rows:
        print(
            f"{row['system']:28}{row['sentences_per_second']:12.1f}{row['ratio']:8.2f}"
            f"{row['ratio_of_processor_time']:8.2f}{row['same_answers']:14.1%}"
        )
    print(json.dumps({"threads": threads, "machine": _machine(), "systems": rows}))


def _ratio(times: dict[str, list[float]], reference: str, name: str) -> float:
    return statistics.median(times[reference]) / statistics.median(times[name])


def _plain(
    loaded: Loaded,
    sources: Sequence[str],
    direction: Direction,
    template: object,
    decoding: Decoding,
) -> list[str]:
    """What one would write without the lab."""
    import torch

    from mtlab.prompts import Template

    assert isinstance(template, Template)
    tokenizer = loaded.tokenizer
    tokenizer.padding_side = "left"
    answers: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(sources), PLAIN_BATCH):
            texts = [template.prompt(source, direction) for source in sources[start:][:PLAIN_BATCH]]
            batch = tokenizer(texts, return_tensors="pt", padding=True).to(loaded.device)
            batch.pop("token_type_ids", None)
            output = loaded.model.generate(
                **batch,
                num_beams=decoding.beams,
                max_new_tokens=decoding.max_new_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
            written = output[:, batch["input_ids"].shape[1] :]
            answers += tokenizer.batch_decode(written, skip_special_tokens=True)
    return [answer.strip() for answer in answers]


def _fine_tune(spec: RunSpec, pairs: Sequence[object], settings: Settings, folder: Path) -> RunSpec:
    from mtlab.defaults import complete
    from mtlab.presets import resolve_base
    from mtlab.prompts import Template, encode
    from mtlab.training import fine_tune

    base = resolve_base(spec.base, settings)
    spec = complete(spec, base)
    loaded = load(base, precision=weights_precision(spec), settings=settings)
    template = Template.from_spec(spec, loaded.tokenizer)
    length = spec.training.max_length or 256
    examples, _ = encode(loaded.tokenizer, template, pairs, spec.seed, length)  # type: ignore[arg-type]
    fine_tune(loaded, examples, spec.training, spec.seed, folder, lambda kind, **data: None)
    return spec


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
