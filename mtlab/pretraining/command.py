"""`mtlab pretrain`: its flags, and the run they ask for."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtlab.errors import InputError
from mtlab.pretraining.spec import PretrainSpec

_DEFAULT_MINUTES = 60.0


def add_arguments(parser: ArgumentParser) -> None:
    """Add the flags of `mtlab pretrain` to its parser."""
    add = parser.add_argument
    add(
        "--corpus",
        required=True,
        type=Path,
        metavar="DIR",
        help="folder of parallel text: eng-deu.tsv.gz and the like",
    )
    add("--out", required=True, type=Path, metavar="DIR", help="where the model goes")
    add(
        "--share",
        action="append",
        default=[],
        metavar="is=0.02",
        help="share of the text in a language, 0-1; repeatable; the others keep the corpus's "
        "proportions",
    )
    add("--minutes", type=float, help=f"time budget (default {_DEFAULT_MINUTES:g})")
    add("--tokens", type=int, help="token budget, in place of --minutes")
    add("--from", dest="base", type=Path, metavar="DIR", help="base model to go on from")
    add("--layers", type=int, default=PretrainSpec.layers)
    add("--hidden", type=int, default=PretrainSpec.hidden)
    add("--heads", type=int, default=PretrainSpec.heads)
    add("--vocab", type=int, default=PretrainSpec.vocab)
    add("--length", type=int, default=PretrainSpec.length, help="tokens of a training row")
    add("--rows", type=int, default=PretrainSpec.rows, help="rows of a step")
    add("--rate", type=float, default=PretrainSpec.rate, help="peak learning rate")
    add("--save-minutes", type=float, default=PretrainSpec.save_minutes)
    add("--seed", type=int, default=PretrainSpec.seed)
    add("--resume", action="store_true", help="go on from the checkpoint in --out")


def run_from_arguments(args: Namespace, emit: Callable[..., None]) -> dict[str, Any]:
    """Run `mtlab pretrain` as its flags say; what `pretrain` returns.

    Raises:
        InputError: a flag that cannot be used.
    """
    from mtlab.pretraining import pretrain

    minutes = args.minutes
    if minutes is None and args.tokens is None:
        minutes = _DEFAULT_MINUTES
    spec = PretrainSpec(
        corpus=args.corpus,
        out=args.out,
        share=parse_shares(args.share),
        minutes=minutes,
        tokens=args.tokens,
        base=args.base,
        layers=args.layers,
        hidden=args.hidden,
        heads=args.heads,
        vocab=args.vocab,
        length=args.length,
        rows=args.rows,
        rate=args.rate,
        save_minutes=args.save_minutes,
        seed=args.seed,
        resume=args.resume,
    )
    return pretrain(spec, emit)


def parse_shares(words: list[str]) -> dict[str, float]:
    """`["is=0.02", "de=0.3"]` as `{"is": 0.02, "de": 0.3}`; commas separate as well.

    Raises:
        InputError: a word that is not `code=number`.
    """
    shares = {}
    for word in ",".join(words).split(","):
        if not word.strip():
            continue
        code, _, number = word.strip().partition("=")
        try:
            shares[code.strip()] = float(number)
        except ValueError:
            raise InputError(
                f"'{word}' is no share", field="share", fix="write code=number, like is=0.02"
            ) from None
    return shares
