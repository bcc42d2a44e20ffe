"""What one GPU does with a model of Llama 2 7B's shape: training, decoding, the paper's run.

    python -m benchmarks.gpu --trl-python PATH --output gpu.json     # an H200 or H100
    python -m benchmarks.gpu --sections paper pairs --models DIR     # the rest, another time
    python -m benchmarks.gpu --dry-run                               # a tiny model, any machine

The sections, in the order of their weight:

rates    matrix products in bf16, and copies: what the shares below are shares of; always made
full     full fine-tuning on rows of 512 tokens without padding, TRL's SFTTrainer in turn with it
lora     the same with LoRA
decode   beam 4 against `generate` at batch 16, and the bound of the memory's bandwidth
learning the losses of thirty steps of full fine-tuning, TRL's with weights in fp32 beside them
paper    the paper's run (WMT, 74,603 pairs, one epoch), as forecast and by a slice
pairs    LoRA on real pairs against TRL padded, packed and padding-free

Nothing is fetched. TRL must have an environment already, of which `--trl-python` names the
interpreter (`mtlab bench train` makes one in `$MTLAB_HOME/bench/trl`); without it the lab is
measured alone, and that is said. WMT must lie in the folder that `SACREBLEU` names, or
`--corpus everyday` be asked for. The figures are written after each section, and no section begins
once `--minutes` have passed, so that a lent machine is not run over.

A share of the matrix rate is `mtlab.bench.limits`'s count of operations, by the seconds they took,
by the rate that plain bf16 products reached on the same card just before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.bench import DRY, FULL, Bench, Record
from benchmarks.gpu.texts import Texts
from mtlab.bench.results import machine, sentence
from mtlab.errors import MtlabError
from mtlab.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for; exit status 1 where a section failed."""
    args = _parser().parse_args(arguments)
    import torch

    if not (torch.cuda.is_available() or args.dry_run):
        sys.exit("there is no GPU here; --dry-run tries the sections on the CPU")
    if args.trl_python is not None and not args.trl_python.is_file():
        sys.exit(f"there is no interpreter '{args.trl_python}'; leave --trl-python out, or mend it")
    scale = DRY if args.dry_run else FULL
    settings = Settings.from_environment()
    about = machine()
    record = Record(
        {"machine": about, "scale": asdict(scale), "dry_run": args.dry_run}, args.output
    )
    record.say(sentence(about))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        models = args.models or Path(place)
        models.mkdir(parents=True, exist_ok=True)
        bench = Bench(
            scale, settings, Texts(args.corpus, settings), models, record,
            args.rounds, args.trl_python,
        )  # fmt: skip
        wanted = [name for name in SECTIONS if name in ("rates", *args.sections)]
        record.keep("sections", wanted)  # a file that cannot be written is told of now
        failed = [name for name in wanted if not _held(name, bench, args.minutes)]
    if failed:
        record.say(f"without figures: {', '.join(failed)}")
    return 1 if failed else 0


def _held(name: str, bench: Bench, minutes: float) -> bool:
    """Whether a section has its figures; one that fails does not take the others with it."""
    record = bench.record
    if record.minutes >= minutes:
        record.say(f"{name}: not begun, {minutes:g} minutes are over")
        record.keep(name, {"problem": f"not begun, {minutes:g} minutes were over"})
        return False
    record.say(f"{name}: begins")
    try:
        record.keep(name, SECTIONS[name](bench))
    except Exception as error:  # noqa: BLE001 - such as out of memory: the machine is lent, go on
        text = str(error) if isinstance(error, MtlabError) else f"{type(error).__name__}: {error}"
        record.say(f"{name}: failed: {text}")
        record.keep(name, {"problem": text})
        return False
    return True


def _rates(bench: Bench) -> dict[str, float]:
    from benchmarks.gpu.device import measured_rates, release

    bench.rates = measured_rates(bench.scale.matrix)
    release()
    bench.record.say(
        f"matrix products, bf16: {bench.rates['tflops']:.2f} TFLOP/s; "
        f"copies: {bench.rates['gbytes']:.0f} GB/s"
    )
    return bench.rates


def _full(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.training import on_rows

    return on_rows(bench, "full")


def _lora(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.training import on_rows

    return on_rows(bench, "lora")


def _decode(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.decoding import beam_search

    return beam_search(bench)


def _learning(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.training import learning

    return learning(bench)


def _paper(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.paper import paper_run

    return paper_run(bench)


def _pairs(bench: Bench) -> dict[str, Any]:
    from benchmarks.gpu.training import on_pairs

    return on_pairs(bench, "lora").figures


SECTIONS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "rates": _rates,
    "full": _full,
    "lora": _lora,
    "decode": _decode,
    "learning": _learning,
    "paper": _paper,
    "pairs": _pairs,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=_first_line())
    parser.add_argument("--dry-run", action="store_true", help="a tiny model, on any machine")
    parser.add_argument("--sections", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--trl-python", type=Path, metavar="PATH", help="an interpreter with TRL")
    parser.add_argument("--corpus", choices=("wmt", "everyday"), default="wmt")
    parser.add_argument("--models", type=Path, metavar="DIR", help="keep the models there")
    parser.add_argument("--rounds", type=int, default=1, help="laps of each contestant")
    parser.add_argument(
        "--minutes", type=float, default=8.0, help="no section begins after so many"
    )
    parser.add_argument("--output", type=Path, metavar="FILE.json", help="write the figures there")
    return parser


def _first_line() -> str:
    return (__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
