"""`mtlab sweep`: the plan, a line per run as it ends, and a table of means over seeds."""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mtlab.cli import printing
from mtlab.commands import FLAGS
from mtlab.errors import InputError
from mtlab.executors import LOCAL
from mtlab.experiments import PRESETS, Choices, Experiment, preset
from mtlab.experiments.experiment import to_seeds
from mtlab.lab import Lab
from mtlab.plans import plan_of
from mtlab.results.labels import METRICS, digits
from mtlab.settings import Settings
from mtlab.spec import Direction

if TYPE_CHECKING:
    import pandas

    from mtlab.sweeps import Standing, Sweep

NOT_FLAGS = ("name", "size", "seed")
"""Fields of a spec that a sweep decides; `--sizes` and `--seeds` stand for two of them."""

_INTERRUPTED = 130
_MOST_LINES = 12


def sweep(args: argparse.Namespace) -> int:
    """Make the runs of an experiment that are not there yet, and show what all of them give."""
    if args.list:
        return _list(args)
    lab = Lab()
    experiment = _experiment(args, lab.settings)
    limit = _whole(args.limit, "--limit") if args.limit is not None else None
    if limit is not None and args.executor != LOCAL:
        raise InputError("a cluster is given all runs at once", field="--limit", fix="leave it out")
    gpus = _whole(args.gpus, "--gpus", least=0) if args.gpus is not None else None
    made = lab.sweep(experiment, executor=args.executor, address=args.address, gpus=gpus)
    before = made.standings()
    _plan(made, before, len(before) if args.dry_run else _MOST_LINES)
    if args.dry_run:
        return printing.finish(args, {**_summary(experiment, before), "dry_run": True})
    signal.signal(signal.SIGINT, lambda *_: _stop(made))
    standings = made.run(on_end=_Teller(len(before)), limit=limit)
    lab.close()
    rows = _means(lab, standings, experiment.name)
    printing.finish(args, {**_summary(experiment, standings), "means": rows})
    if made.is_stopping:
        return _INTERRUPTED
    return 1 if _failed(standings) else 0


def _list(args: argparse.Namespace) -> int:
    """The ready-made sweeps, and those of this home with how many of their runs are done."""
    rows = [{"sweep": one.name, "what": one.title, "shows": one.shows} for one in PRESETS.values()]
    printing.table(rows)
    here = Lab().sweeps()
    if here:
        print("\nin this home")
        printing.table(
            [
                {"sweep": one.name, "what": one.title, "done": f"{one.done} of {one.total} runs"}
                for one in here
            ]
        )
    return printing.finish(args, {"sweeps": rows, "here": [one.to_json() for one in here]})


def _experiment(args: argparse.Namespace, settings: Settings) -> Experiment:
    """The preset or the file, with what the flags change of it."""
    if not args.experiment:
        raise InputError(
            "no sweep is named", field="PRESET", fix="see 'mtlab sweep --list', or name a YAML file"
        )
    flags = {path: getattr(args, path) for _, path in FLAGS if hasattr(args, path)}
    sizes = [_size(one) for text in args.sizes or () for one in text.split(",")]
    seeds = _seeds(args.seeds) if args.seeds is not None else None
    group = flags.pop("group", None)
    if re.search(r"\.(ya?ml|json)$", args.experiment):
        experiment = Experiment.from_yaml(args.experiment)
        if sizes:
            experiment = _with_sizes(experiment, sizes)
        if seeds:
            experiment = replace(experiment, seeds=seeds)
    else:
        train = flags.pop("train", ())
        choices = Choices(
            base=flags.pop("base", None),
            corpus=flags.pop("corpus", Choices.corpus),
            train=tuple(str(Direction.parse(one, field="train")) for one in train),
            sizes=tuple(sizes),
            seeds=seeds or Choices.seeds,
        )
        experiment = preset(args.experiment, choices, settings)
    if flags:
        experiment = experiment.with_fields(flags)
    return replace(experiment, name=group) if group else experiment


def _with_sizes(experiment: Experiment, sizes: Sequence[int | str]) -> Experiment:
    if any("size" in variation for variation in experiment.variations):
        raise InputError(
            f"the variations of '{experiment.name}' set the size", field="--sizes", fix="edit them"
        )
    return replace(experiment, axes={**experiment.axes, "size": sizes})


def _size(text: str) -> int | str:
    return text if text == "all" else _whole(text, "--sizes")


def _seeds(text: str) -> tuple[int, ...]:
    if "," in text:
        return to_seeds([_whole(one, "--seeds", least=0) for one in text.split(",") if one])
    return to_seeds(_whole(text, "--seeds"))


def _whole(text: str, field: str, least: int = 1) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        fix = f"give a whole number from {least} on"
        raise InputError(f"'{text}' cannot be used", field=field, fix=fix)
    return value


def _plan(sweep: Sweep, standings: Sequence[Standing], lines: int) -> None:
    experiment = sweep.experiment
    plan = plan_of(sweep)
    title = f" ({experiment.title})" if experiment.title else ""
    print(f"{experiment.name}{title}: {plan.total} runs, {plan.done} done, {plan.left} to do")
    if experiment.shows:
        print(f"shows {experiment.shows}")
    for one in standings[:lines]:
        print(f"  {_words(one)}: {one.state}")
    if len(standings) > lines:
        print(f"  ... and {len(standings) - lines} more")
    if plan.left:
        print(plan.forecast)
        if sweep.cluster is not None:
            print(sweep.cluster.sentence)
            print("Ctrl-C leaves what runs to the cluster, and the same command goes on later")
            return
        print("each run starts when the one before has ended, as long as this command lives;")
        print("Ctrl-C stops and keeps the run at hand, and the same command goes on later")


def _stop(sweep: Sweep) -> None:
    if sweep.cluster is None:
        _say("stopping; what was learnt is kept, and the same command goes on ...")
    else:
        _say("leaving; what runs goes on there, and the same command or the app finds it again ...")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sweep.stop()


class _Teller:
    """Prints a line for every run as it ends."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def __call__(self, standing: Standing) -> None:
        self._count += 1
        how = "was there" if standing.was_there else standing.state
        error = f": {standing.error}" if standing.error else ""
        place = f"{self._count}/{self._total}"
        _say(f"{place}  {standing.run or '-'}  {_words(standing)}  {how}{error}")


def _words(standing: Standing) -> str:
    """A run in few words: what a person tells it by."""
    spec = standing.spec
    base = spec.base.replace("run:@", "going on from ")
    parts = [spec.name, spec.amount, base, " ".join(map(str, spec.drawn))]
    if spec.noise.active:
        side = "both sides" if spec.noise.side == "both" else f"the {spec.noise.side}"
        ratio = "" if spec.noise.ratio == 1 else f" in {spec.noise.ratio:.0%} of pairs"
        parts.append(f"{spec.noise.kind} noise on {side}{ratio}")
    if spec.reverse:
        parts.append(f"{spec.reverse:.0%} reversed")
    return ", ".join([*(part for part in parts if part), f"seed {spec.seed}"])


def _failed(standings: Sequence[Standing]) -> list[Standing]:
    return [one for one in standings if one.state in ("failed", "stopped", "interrupted")]


def _summary(experiment: Experiment, standings: Sequence[Standing]) -> dict[str, Any]:
    return {
        "sweep": experiment.name,
        "states": dict(Counter(one.state for one in standings)),
        "runs": [one.to_json() for one in standings],
        "failed": [one.run or _words(one) for one in _failed(standings)],
    }


def _means(lab: Lab, standings: Sequence[Standing], name: str) -> list[dict[str, Any]]:
    """Print the mean scores over seeds; gives every row of them for JSON."""
    from mtlab.results import over_seeds, runs_frame

    done = [lab.store.get(one.run) for one in standings if one.run and one.state == "finished"]
    for one in _failed(standings):
        _say(f"{one.run or '-'} {one.state}: {_words(one)}")
    if not done:
        return []
    # Where a group was made by several sweeps, this one's runs alone are looked at.
    means = over_seeds(runs_frame(done).assign(group=name))
    for metric in means["metric"].unique():
        print(f"\n{METRICS[metric]}, mean over seeds")
        printing.table(_pivot(means[means["metric"] == metric]))
    command = shlex.join(["mtlab", "report", "--group", name, "-o", "report.html"])
    _say(f"\nas a page: {command}")
    rows = means.astype(object).where(means.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _pivot(means: pandas.DataFrame) -> list[dict[str, Any]]:
    """A row per experiment: what varies, the mean in each direction, how many seeds."""
    from mtlab.results.table import OF_THE_SPEC

    varied = [key for key in OF_THE_SPEC if means[key].nunique(dropna=False) > 1]
    for hidden in ("recipe", "steps", "learning_rate"):  # they follow from the rest, mostly
        if len(varied) > 1 and hidden in varied:
            varied.remove(hidden)
    directions = list(means["direction"].unique())
    form = f".{digits(means['metric'].iloc[0])}f"
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for record in means.to_dict("records"):
        base = record["system"] == "base"
        if base and record["cycle"] > 1:
            continue  # its base is a run with a row of its own
        place = tuple(record[key] for key in (("base",) if base else OF_THE_SPEC))
        shown = {key: "" if base and key != "base" else record[key] for key in varied}
        row = rows.setdefault(
            place,
            {"system": "untuned" if base else "run", **shown, **dict.fromkeys(directions, "")},
        )
        row[record["direction"]] = f"{record['mean']:{form}}"
        row["seeds"] = record["seeds"]
    return sorted(rows.values(), key=lambda row: row["system"] == "run")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
