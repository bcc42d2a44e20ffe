"""The flags of every verb. Those of `run` come from the spec itself (`mtlab.commands.FLAGS`)."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn, get_origin

from mtlab import pretraining
from mtlab.cli import auth, bench, deploy, report, share, sweep, verbs
from mtlab.commands import FLAGS, field_of
from mtlab.errors import InputError
from mtlab.fields import choices_of, explained, explanation, types_of
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.runs.moving import WHERE


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
        _add_spec_flag(run, flag, path, explained(path))

    run.add_argument(
        "--dry-run", action="store_true", help="say what it would do and take, and launch nothing"
    )
    run.add_argument("--device", metavar="X", help="where, such as cuda:1 or cuda:0,cuda:1")

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
        "--metric", default="bleu", help="of plots and findings: bleu, chrf, comet, gated-comet"
    )
    written.add_argument("--title", default="")

    text = "a run's base and adapter as one model, which transformers alone loads"
    share.add_merge_arguments(_verb(commands, "merge", share.merge, text))
    text = "a run to the model hub, with a card that says what it is worth"
    share.add_push_arguments(_verb(commands, "push", share.push, text))

    noise = _verb(commands, "noise", verbs.noise, "show what a kind of noise does")
    noise.add_argument(
        "file", nargs="?", metavar="FILE", help="source TAB target a line; - is stdin"
    )
    noise.add_argument("--kind", default="word", help=", ".join(NOISE_KINDS))
    noise.add_argument("--side", default="target", help="source, target or both")
    noise.add_argument("--noise-ratio", default="1.0")
    for flag, path in FLAGS:
        if path in ("noise.translator", "noise.dictionary", "noise.terms", "noise.language"):
            noise.add_argument(flag, metavar="X", help=explained(path))
    noise.add_argument("--direction", required=True, help="such as de-en")
    noise.add_argument("--corpus", default="everyday", help="where pairs and words come from")
    noise.add_argument("--size", default="8", help="pairs shown when no file is given")
    noise.add_argument("--seed", default="0")

    pretrain = _verb(commands, "pretrain", verbs.pretrain, "make a small base model like nano")
    pretraining.add_arguments(pretrain)

    people = commands.add_parser("auth", help="who may launch in the browser: add, remove, list")
    actions = people.add_subparsers(title="actions", required=True, metavar="ACTION")
    auth.add_arguments(actions, _verb)

    deploy.add_arguments(_verb(commands, "deploy", deploy.deploy, "put the lab on a Space"))

    text = "how fast this lab is beside what else there is, on this machine"
    bench.add_arguments(_verb(commands, "bench", bench.bench, text))

    _verb(commands, "doctor", verbs.doctor, "what this machine can do")
    return parser


def _add_sweep(commands: Any) -> None:
    verb = _verb(commands, "sweep", sweep.sweep, "make a grid of runs, as far as it is not there")
    verb.allow_abbrev = False  # or --seed would be taken for --seeds
    verb.add_argument(
        "experiment", nargs="?", metavar="PRESET|FILE.yaml", help="such as paper/size; see --list"
    )
    verb.add_argument(
        "--list", action="store_true", help="ready-made sweeps, and those of this home"
    )
    verb.add_argument(
        "--seeds", metavar="N", help="so many, 0 to N-1, or a list 0,1,5; 3 for a preset"
    )
    verb.add_argument("--sizes", nargs="+", metavar="X", help="training pairs; all for every one")
    verb.add_argument("--dry-run", action="store_true", help="say what would be run")
    verb.add_argument("--limit", metavar="N", help="launch so many runs at most")
    verb.add_argument(
        "--executor", default="local", metavar="X", help="local, or ray for a Ray cluster"
    )
    verb.add_argument(
        "--address", metavar="X", help="of the cluster: ray://HOST:10001, HOST:6379 or auto"
    )
    verb.add_argument("--gpus", metavar="N", help="of the cluster for each run; 1 where it has any")
    for flag, path in FLAGS:
        if path not in sweep.NOT_FLAGS:
            _add_spec_flag(verb, flag, path, explanation(path))  # a sweep has defaults of its own


def _add_runs(commands: Any) -> None:
    runs = commands.add_parser("runs", help="list, queue, move, show, stop, resume, delete, ...")
    actions = runs.add_subparsers(title="actions", required=True, metavar="ACTION")
    _verb(actions, "list", verbs.runs_list, "every run of this home")
    _verb(actions, "queue", verbs.runs_queue, "the runs that wait, the next one first")
    move = _verb(actions, "move", verbs.runs_move, "move a run that waits within the queue")
    move.add_argument("id", help="the run's id, or the beginning of it")
    move.add_argument("where", help=", ".join(WHERE))
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
        if name == "resume":
            text = "how many devices share its work from now on; as before when not given"
            action.add_argument("--devices", metavar="N", help=text)
    export = _verb(actions, "export", verbs.runs_export, "a zip of the run's folder")
    export.add_argument("id", help="the run's id, or the beginning of it")
    export.add_argument("-o", "--output", metavar="FILE.zip", help="default: ID.zip")
    _verb(actions, "rebuild", verbs.runs_rebuild, "make lab.db again from the run folders")


def _verb(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(verb=function)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


def _add_spec_flag(parser: argparse.ArgumentParser, flag: str, path: str, text: str) -> None:
    """A flag for one field of the spec; values stay text, the spec validates them."""
    text = text.replace("%", "%%")
    if bool in types_of(path):
        parser.add_argument(
            flag,
            action=argparse.BooleanOptionalAction,
            dest=path,
            default=argparse.SUPPRESS,
            help=text,
        )
        return
    repeatable = any(get_origin(part) is tuple for part in types_of(path))
    action: Any = _Strategy if path == "strategy" else "append" if repeatable else "store"
    parser.add_argument(
        flag,
        action=action,
        dest=path,
        default=argparse.SUPPRESS,
        metavar="|".join(choices_of(path)) or "X",
        help=f"{text}; repeatable" if repeatable else text,
    )


class _Strategy(argparse.Action):
    """`--strategy` says how devices share a training; the words for how an answer is searched,
    which it once took alone, still mean that.
    """

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        searches = values in choices_of("decoding.strategy")
        setattr(namespace, "decoding.strategy" if searches else "strategy", values)
