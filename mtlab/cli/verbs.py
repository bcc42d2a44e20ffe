"""What each verb does: read the flags, call the lab, print."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from mtlab.cli import printing
from mtlab.commands import FLAGS, command_for
from mtlab.errors import InputError
from mtlab.lab import Lab, Run
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec, put
from mtlab.yaml_files import read_yaml_mapping


def run(args: argparse.Namespace) -> int:
    """Launch a run and wait for it; or say what it would do and take."""
    if args.dry_run:
        return _foretell(args)
    return _follow(Lab().launch(_spec_from(args), device=args.device), args)


def runs_list(args: argparse.Namespace) -> int:
    """List the runs of this home."""
    rows = [printing.run_row(run) for run in Lab().runs()]
    printing.table(rows, empty="no runs yet: start one with 'mtlab run --train de-en'")
    return printing.finish(args, {"runs": rows})


def runs_queue(args: argparse.Namespace) -> int:
    """List the runs that wait, the next one first."""
    rows = [printing.queue_row(run) for run in Lab().queue()]
    printing.table(rows, empty="no run waits")
    return printing.finish(args, {"queue": rows})


def runs_move(args: argparse.Namespace) -> int:
    """Move a run within the queue."""
    run = Lab().run(args.id)
    run.move(args.where)
    return runs_queue(args)


def runs_show(args: argparse.Namespace) -> int:
    """Show one run."""
    run = Lab().run(args.id)
    summary = run.summary()
    printing.summary(summary)
    print(f"\n{command_for(run.spec)}")
    return printing.finish(args, summary)


def runs_stop(args: argparse.Namespace) -> int:
    """Stop a run and wait until its process is gone."""
    run = Lab().run(args.id)
    run.stop(keep=not args.discard)
    status = run.wait()
    print(f"{run.id} {status.state}")
    return printing.finish(args, {"id": run.id, "state": status.state})


def runs_resume(args: argparse.Namespace) -> int:
    """Queue a run again and wait for it."""
    run = Lab().run(args.id)
    run.resume(devices=args.devices)  # text; the spec reads it
    return _follow(run, args)


def runs_delete(args: argparse.Namespace) -> int:
    """Delete a run."""
    run = Lab().run(args.id)
    run.delete()
    print(f"{run.id} deleted")
    return printing.finish(args, {"id": run.id, "deleted": True})


def runs_export(args: argparse.Namespace) -> int:
    """Write a run's folder as a zip."""
    run = Lab().run(args.id)
    output = Path(args.output or f"{run.id}.zip")
    try:
        name = str(output).removesuffix(".zip")
        output = Path(shutil.make_archive(name, "zip", run.folder))
    except OSError as error:
        raise InputError(
            f"'{output}' cannot be written",
            field="output",
            why=error.strerror,
            fix="choose another",
        ) from None
    print(output)
    return printing.finish(args, {"id": run.id, "file": str(output)})


def runs_rebuild(args: argparse.Namespace) -> int:
    """Make the index again from the run folders."""
    count = Lab().store.index.rebuild()
    print(f"{count} runs found")
    return printing.finish(args, {"runs": count})


def translate(args: argparse.Namespace) -> int:
    """Translate lines."""
    direction = Direction.parse(args.direction)
    sources = _lines(args.file, "FILE")
    hypotheses = Lab().translate(args.model, sources, direction)
    for hypothesis in hypotheses:
        print(" ".join(hypothesis.text.splitlines()))
    for number, hypothesis in enumerate(hypotheses, start=1):
        if hypothesis.note:
            print(f"mtlab: line {number} is not translated: {hypothesis.note}", file=sys.stderr)
    return printing.finish(
        args,
        {
            "model": args.model,
            "direction": str(direction),
            "hypotheses": [hypothesis.text for hypothesis in hypotheses],
            "ended": [hypothesis.ended for hypothesis in hypotheses],
            "notes": [hypothesis.note for hypothesis in hypotheses],
        },
    )


def score(args: argparse.Namespace) -> int:
    """Score files of hypotheses."""
    systems = {name: _segments(name, "--hyp") for name in args.hyp}
    if len(systems) != len(args.hyp):
        raise InputError("the same file is given twice", field="--hyp", fix="give each file once")
    result = Lab().score(
        direction=Direction.parse(args.direction, field="--direction"),
        sources=_segments(args.src, "--src"),
        references=_segments(args.ref, "--ref"),
        systems=systems,
        metrics=tuple(args.metric or ("bleu", "chrf", "comet")),
        comet_model=args.comet_model,
    )
    rows = [
        {
            "system": system["name"],
            **printing.score_cells(system["scores"]),
            "failed": printing.failed_cell(system),
        }
        for system in result["systems"]
    ]
    printing.table(rows)
    printing.signatures(result["systems"][0]["scores"])
    printing.comparisons(result["comparisons"])
    return printing.finish(args, result)


def noise(args: argparse.Namespace) -> int:
    """Show clean and noisy pairs, side by side."""
    direction = Direction.parse(args.direction)
    noise = {
        "kind": args.kind,
        "side": args.side,
        "ratio": args.noise_ratio,
        "translator": args.translator,
        "dictionary": args.dictionary,
        "terms": args.terms,
        "language": args.noise_language,
    }
    spec = RunSpec(
        corpus=args.corpus, size=args.size, train=(direction,), seed=args.seed, noise=noise
    )
    pairs = Lab().noise(spec, _pair_lines(args.file) if args.file else None)
    for pair in pairs:
        printing.noisy_pair(pair)
    return printing.finish(args, {"pairs": [pair.to_json() for pair in pairs]})


def pretrain(args: argparse.Namespace) -> int:
    """Make a base model."""
    from mtlab.pretraining import run_from_arguments

    def emit(kind: str, **data: Any) -> None:
        printing.event({"kind": kind, **data})

    return printing.finish(args, run_from_arguments(args, emit))


def doctor(args: argparse.Namespace) -> int:
    """Say what this machine can do."""
    from mtlab.doctor import examine

    checks = examine(Settings.from_environment())
    printing.table([check.row() for check in checks])
    return printing.finish(args, {"checks": [check.to_json() for check in checks]})


def _foretell(args: argparse.Namespace) -> int:
    preview = Lab().preview(_spec_from(args), n=1)
    told, memory = preview.told, preview.memory
    print(preview.command)
    print(preview.forecast)
    print(memory.sentence)
    print("nothing launched")
    data = {
        "dry_run": True,
        "command": preview.command,
        "forecast": None if told is None else told.to_json(),
        "memory": {"fits": memory.fits, "sentence": memory.sentence},
    }
    return printing.finish(args, data)


def _follow(run: Run, args: argparse.Namespace) -> int:
    """Print a run's events until it ends. The first Ctrl-C asks it to stop and keep."""
    print(f"run {run.id} in {run.folder}", file=sys.stderr)
    try:
        status = run.wait(on_event=printing.event)
    except KeyboardInterrupt:
        print("stopping; what it learnt is kept ...", file=sys.stderr)
        run.stop(keep=True)
        status = run.wait(on_event=printing.event)
    summary = run.summary()
    printing.summary(summary)
    printing.finish(args, summary)
    return 0 if status.state == "finished" else 1


def _spec_from(args: argparse.Namespace) -> RunSpec:
    data = read_yaml_mapping(args.spec) if args.spec else {}
    for _, path in FLAGS:
        if hasattr(args, path):
            put(data, path, getattr(args, path))
    return RunSpec.from_json(data)


def _lines(name: str, field: str) -> list[str]:
    """The lines of a UTF-8 file, or of standard input for `-`; split at line feeds alone."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"'{name}' cannot be read", field=field, why=error.strerror, fix="check the path"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"'{name}' is not UTF-8 (byte {error.start})", field=field, fix="save it as UTF-8"
        ) from None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.rstrip("\r") for line in lines]


def _segments(name: str, field: str) -> list[str]:
    """The lines of a file without the spaces around them, as comet-score reads them; to BLEU and
    chrF it is all the same.
    """
    return [line.strip() for line in _lines(name, field)]


def _pair_lines(name: str) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(_lines(name, "FILE"), 1):
        cells = line.split("\t")
        if len(cells) != 2:
            raise InputError(
                f"line {number} has {len(cells)} columns",
                field="FILE",
                fix="write source TAB target",
            )
        pairs.append((cells[0], cells[1]))
    return pairs
