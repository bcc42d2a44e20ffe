"""The flags of every verb. Those of `run` come from the spec itself (`mtlab.commands.FLAGS`)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NoReturn, get_args, get_origin

from mtlab import pretraining
from mtlab.cli import report, sweep, verbs
from mtlab.commands import FLAGS, field_of
from mtlab.errors import InputError
from mtlab.noise_kinds import NOISE_KINDS


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as the rest of mtlab does, in one sentence and with exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message, fix=f"see '{self.prog} --help'")


def build_parser() -> argparse.ArgumentParser:
    """The parser of `mtlab`; `args.verb` is the function to call."""
    parser = _Parser(prog="mtlab", description="The lab where a language model learns to translate")
    commands = parser.add_subparsers(title="verbs", required=True, metavar="VERB")

    run = _verb(commands, "run", verbs.run, "fine-tune, translate and score, and wait for it")
    run.add_argument("spec", nargs="?", metavar="SPEC.yaml", help="a spec; flags override it")
    for flag, path in FLAGS:
        _add_spec_flag(run, flag, path)

    _add_sweep(commands)
    _add_runs(commands)

    translate = _verb(commands, "translate", verbs.translate, "one line in, one line out")
    translate.add_argument("file", nargs="?", default="-", metavar="FILE", help="- is stdin")
    translate.add_argument("--model", default="latest", help="a run's id, latest, or a base model")
    translate.add_argument("--direction", required=True, help="such as de-en")

    score = _verb(commands, "score", verbs.score, "score hypotheses against references")
    score.add_argument("--src", required=True, metavar="FILE", help="sources, one a line")
    score.add_argument("--ref", required=True, metavar="FILE", help="references, one a line")
    score.add_argument("--hyp", required=True, action="append", metavar="FILE", help="repeatable")
    score.add_argument("--direction", required=True, help="such as de-en")
    score.add_argument("--metric", action="append", help="bleu, chrf, comet; repeatable")
    score.add_argument("--comet-model", default=field_of("comet_model").default)

    written = _verb(commands, "report", report.report, "runs as a page, a table or a bundle")
    written.add_argument("id", nargs="*", metavar="ID", help="a run's id, or latest")
    written.add_argument(
        "--group", action="append", default=[], help="every run of a sweep; repeatable"
    )
    written.add_argument(
        "-o", "--output", default="report.html", metavar="FILE",
        help="FILE.html, .csv, .json, .tex, or .zip for a bundle that reruns it",
    )  # fmt: skip
    written.add_argument(
        "--metric", default="bleu", help="of plots and findings: bleu, chrf, comet"
    )
    written.add_argument("--title", default="")

    noise = _verb(commands, "noise", verbs.noise, "show what a kind of noise does")
    noise.add_argument(
        "file", nargs="?", metavar="FILE", help="source TAB target a line; - is stdin"
    )
    noise.add_argument("--kind", default="word", help=", ".join(NOISE_KINDS))
    noise.add_argument("--side", default="target", help="source, target or both")
    noise.add_argument("--noise-ratio", default="1.0")
    for flag, path in FLAGS:
        if path in ("noise.translator", "noise.dictionary", "noise.terms", "noise.language"):
            noise.add_argument(flag, metavar="X", help=field_of(path).description)
    noise.add_argument("--direction", required=True, help="such as de-en")
    noise.add_argument("--corpus", default="everyday", help="where pairs and words come from")
    noise.add_argument("--size", default="8", help="pairs shown when no file is given")
    noise.add_argument("--seed", default="0")

    pretrain = _verb(commands, "pretrain", verbs.pretrain, "make a small base model like nano")
    pretraining.add_arguments(pretrain)

    _verb(commands, "doctor", verbs.doctor, "what this machine can do")
    return parser


def _add_sweep(commands: Any) -> None:
    verb = _verb(commands, "sweep", sweep.sweep, "make a grid of runs, as far as it is not there")
    verb.allow_abbrev = False  # or --seed would be taken for --seeds
    verb.add_argument(
        "experiment", nargs="?", metavar="PRESET|FILE.yaml", help="such as paper/size; see --list"
    )
    verb.add_argument("--list", action="store_true", help="the ready-made sweeps")
    verb.add_argument(
        "--seeds", metavar="N", help="so many, 0 to N-1, or a list 0,1,5; 3 for a preset"
    )
    verb.add_argument("--sizes", nargs="+", metavar="X", help="training pairs; all for every one")
    verb.add_argument("--dry-run", action="store_true", help="say what would be run")
    verb.add_argument("--limit", metavar="N", help="launch so many runs at most")
    for flag, path in FLAGS:
        if path not in sweep.NOT_FLAGS:
            _add_spec_flag(verb, flag, path)


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser("runs", help="list, show, stop, resume, delete, export, rebuild")
    actions = runs.add_subparsers(title="actions", required=True, metavar="ACTION")
    _verb(actions, "list", verbs.runs_list, "every run of this home")
    for name, function, text in (
        ("show", verbs.runs_show, "state, scores and the command of one run"),
        ("stop", verbs.runs_stop, "stop a run; what it learnt is kept"),
        ("resume", verbs.runs_resume, "go on with a run and wait for it"),
        ("delete", verbs.runs_delete, "delete a run and its folder"),
    ):
        action = _verb(actions, name, function, text)
        action.add_argument("id", help="the run's id, or the beginning of it")
        if name == "stop":
            action.add_argument("--discard", action="store_true", help="keep nothing of it")
    export = _verb(actions, "export", verbs.runs_export, "a zip of the run's folder")
    export.add_argument("id", help="the run's id, or the beginning of it")
    export.add_argument("-o", "--output", metavar="FILE.zip", help="default: ID.zip")
    _verb(actions, "rebuild", verbs.runs_rebuild, "make lab.db again from the run folders")


def _verb(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=function)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


def _add_spec_flag(parser: argparse.ArgumentParser, flag: str, path: str) -> None:
    """A flag for one field of the spec; values stay text, the spec validates them."""
    field = field_of(path)
    text = (field.description or "").replace("%", "%%")
    if bool in _parts(field.annotation):
        parser.add_argument(
            flag,
            action=argparse.BooleanOptionalAction,
            dest=path,
            default=argparse.SUPPRESS,
            help=text,
        )
        return
    repeatable = any(get_origin(part) is tuple for part in _parts(field.annotation))
    choices = [part for part in _parts(field.annotation) if isinstance(part, str)]
    parser.add_argument(
        flag,
        action="append" if repeatable else "store",
        dest=path,
        default=argparse.SUPPRESS,
        metavar="|".join(choices) or "X",
        help=f"{text}; repeatable" if repeatable else text,
    )


def _parts(annotation: Any) -> Iterator[Any]:
    """A type and everything inside it: `tuple[Literal["a"], ...] | None` gives tuple, "a", None."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
