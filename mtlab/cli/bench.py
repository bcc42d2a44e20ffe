"""`mtlab bench`: this lab's speed beside what else there is, measured in turn in one run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.cli import printing
from mtlab.errors import InputError, NotAvailable
from mtlab.settings import Settings

PARTS = ("calibrate", "decode", "train", "comet")
MODELS, METHODS = ("nano", "100m"), ("lora", "full")
CORPORA = ("everyday", "wmt22")

ROUNDS, LIMIT, STEPS = "3", "128", "12"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `mtlab bench`."""
    parser.add_argument(
        "part", nargs="?", default="all", metavar="|".join((*PARTS, "all")),
        help="what is measured; calibrate: what forecasts go by",
    )  # fmt: skip
    parser.add_argument(
        "--against", metavar="A,B",
        help="whom, such as hf, hf-sorted, ctranslate2, vllm, trl, trl-packing, comet-score; "
        "all when not given",
    )  # fmt: skip
    parser.add_argument("--rounds", default=ROUNDS, metavar="N", help="laps of each")
    parser.add_argument("--corpus", default=CORPORA[0], metavar="|".join(CORPORA))
    parser.add_argument("--limit", default=LIMIT, metavar="N", help="segments at most")
    parser.add_argument(
        "--model", metavar="|".join((*MODELS, "FOLDER", "HUB/NAME")),
        help="what is trained; nano and 100m, of random weights, when not given",
    )  # fmt: skip
    parser.add_argument("--method", metavar="|".join(METHODS), help="how; both when not given")
    parser.add_argument("--steps", default=STEPS, metavar="N", help="of a lap of training")
    parser.add_argument(
        "--checkpoint", metavar="FOLDER", help="a COMET checkpoint; random weights when not given"
    )
    parser.add_argument("-o", "--output", metavar="FILE.json", help="write all figures here, too")


def bench(args: argparse.Namespace) -> int:
    """Measure, show a table per contest, and write the figures down."""
    from mtlab.bench.results import machine, sentence

    wanted = _Wanted.by(args)
    if args.output:
        _check_output(Path(args.output))
    about = machine()
    print(sentence(about))
    results: list[dict[str, Any]] = []
    for part in wanted.parts:
        for result in _HELD[part](wanted):
            print(f"\n{result.title}, {wanted.rounds} rounds in turn")
            printing.table(result.rows())
            sys.stdout.flush()
            results.append(result.to_json())
    figures = {"machine": about, "rounds": wanted.rounds, "results": results}
    if args.output:
        text = json.dumps(figures, ensure_ascii=False, indent=1)
        try:
            Path(args.output).write_text(text, encoding="utf-8")
        except OSError as error:
            raise _cannot_write(args.output, error) from None
    return printing.finish(args, figures)


def _check_output(path: Path) -> None:
    """Refuse a file that cannot be written before minutes are spent on what it is to hold."""
    try:
        there = path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise _cannot_write(str(path), error) from None


def _cannot_write(output: str, error: OSError) -> InputError:
    return InputError(
        f"'{output}' cannot be written",
        field="output",
        why=error.strerror,
        fix="name a file in a folder that can be written",
    )


@dataclass(frozen=True)
class _Wanted:
    """What is to be measured, checked."""

    parts: tuple[str, ...]
    against: Mapping[str, tuple[str, ...]]
    rounds: int
    limit: int
    steps: int
    corpus: str
    models: tuple[str, ...]
    methods: tuple[str, ...]
    checkpoint: Path | None
    settings: Settings

    @classmethod
    def by(cls, args: argparse.Namespace) -> _Wanted:
        part = _one_of("part", args.part, (*PARTS, "all"))
        parts = PARTS if part == "all" else (part,)
        settings = Settings.from_environment()
        return cls(
            parts,
            _against(args.against, parts),
            _positive("rounds", args.rounds),
            _positive("limit", args.limit),
            _positive("steps", args.steps),
            _one_of("corpus", args.corpus, CORPORA),
            _models(args.model, settings),
            (_one_of("method", args.method, METHODS),) if args.method else METHODS,
            _checkpoint(args.checkpoint),
            settings,
        )


def _calibrate(wanted: _Wanted) -> Iterator[Any]:
    """What forecasts go by, kept in the home; it is no contest, so nothing is yielded."""
    from mtlab.forecasting.calibration import calibrate
    from mtlab.runs.files import writing

    with writing(wanted.settings.home):
        calibrate(wanted.settings, _tell)
    print("\nthis machine is measured; forecasts go by it from now on")
    yield from ()


def _decode(wanted: _Wanted) -> Iterator[Any]:
    from mtlab.bench import decode
    from mtlab.bench.results import Result

    standings = decode.contest(
        wanted.against["decode"],
        wanted.settings,
        test=wanted.corpus,
        limit=wanted.limit,
        rounds=wanted.rounds,
        tell=_tell,
    )
    title = f"decoding, nano tuned on 64 pairs, beam 4, {wanted.corpus} de-en"
    yield Result(title, "sentences", "equal to hf", standings, quality="BLEU")


def _train(wanted: _Wanted) -> Iterator[Any]:
    from mtlab.bench import train
    from mtlab.bench.results import Result
    from mtlab.bench.training_task import BATCH

    for model in wanted.models:
        for method in wanted.methods:
            standings = train.contest(
                wanted.against["train"],
                wanted.settings,
                model=model,
                method=method,  # type: ignore[arg-type]  # checked
                steps=wanted.steps,
                rounds=wanted.rounds,
                tell=lambda text, model=model, method=method: _tell(f"{model}, {method}: {text}"),  # type: ignore[misc]
            )
            title = f"training, {model}, {method}, {wanted.steps} steps of {BATCH}"
            yield Result(
                title, "target tokens", "difference of loss", standings, quality="held-out loss"
            )


def _comet(wanted: _Wanted) -> Iterator[Any]:
    from mtlab.bench import comet
    from mtlab.bench.results import Result

    test = comet.Segments(*_segments(wanted))
    held = comet.contest(
        wanted.against["comet"],
        wanted.settings,
        test,
        rounds=wanted.rounds,
        checkpoint=wanted.checkpoint,
        tell=_tell,
    )
    for name, standings in held.items():
        title = f"COMET, {name}, {len(test.sources)} segments, de-en"
        yield Result(title, "segments", "largest difference from fp32", standings)


_HELD: dict[str, Callable[[_Wanted], Iterator[Any]]] = {
    "calibrate": _calibrate,
    "decode": _decode,
    "train": _train,
    "comet": _comet,
}


def _peers(part: str) -> tuple[str, ...]:
    """Whom a part can be measured against, the reference first."""
    if part == "decode":
        from mtlab.bench.decode import NAMES

        return NAMES
    if part == "train":
        from mtlab.bench.train import RIVALS

        return tuple(RIVALS)
    if part == "comet":
        from mtlab.bench.comet import PEERS

        return PEERS
    return ()


def _against(text: str | None, parts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Whom each part is measured against: all there are, or those of them that were named."""
    known = {part: _peers(part) for part in parts}
    if text is None:
        return known
    named = [name.strip() for name in text.split(",") if name.strip()]
    everyone = [name for names in known.values() for name in names]
    if named and not everyone:
        raise InputError(
            f"{' and '.join(parts)} is measured against nobody", field="against", fix="leave it out"
        )
    for name in named:
        _one_of("against", name, everyone)
    # What the lab itself does in several ways is shown beside whoever was named.
    return {
        part: tuple(one for one in names if one in named or one.startswith("mtlab"))
        for part, names in known.items()
    }


def _models(text: str | None, settings: Settings) -> tuple[str, ...]:
    if text is None:
        return MODELS
    if text not in MODELS:
        from mtlab.bench.training_task import base_of

        base_of(text, settings)  # refused before anything else is measured
    return (text,)


def _segments(wanted: _Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from mtlab.corpora import open_corpus
    from mtlab.spec import Direction

    corpus = "wmt" if wanted.corpus.startswith("wmt") else wanted.corpus
    pairs = open_corpus(corpus, wanted.settings).test(Direction.parse("de-en"))
    pairs = pairs[: wanted.limit]
    if not pairs:
        raise NotAvailable(f"test pairs of '{corpus}' for de-en", fix="use --corpus everyday")
    return tuple(pair.source for pair in pairs), tuple(pair.target for pair in pairs)


def _checkpoint(text: str | None) -> Path | None:
    if text is not None and not (Path(text) / "checkpoints" / "model.ckpt").is_file():
        raise InputError(
            f"'{text}' holds no COMET checkpoint",
            field="checkpoint",
            fix="name a folder with hparams.yaml and checkpoints/model.ckpt",
        )
    return Path(text) if text is not None else None


def _one_of(field: str, text: str, known: Sequence[str]) -> str:
    if text not in known:
        raise InputError(f"there is no '{text}'", field=field, fix=f"use {', '.join(known)}")
    return text


def _positive(field: str, text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise InputError(f"'{text}' is no number of {field}", field=field, fix="give 1 or more")
    return int(text)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
