"""How the command line shows things: tables, scores, events."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mtlab.results.labels import METRICS, digits

if TYPE_CHECKING:
    from mtlab.lab import Run
    from mtlab.noise import NoisyPair


def finish(args: argparse.Namespace, data: Mapping[str, Any]) -> int:
    """Print the JSON that was asked for, as the last line, and answer exit status 0."""
    if args.json:
        print(json.dumps(data, ensure_ascii=False))
    return 0


def table(rows: Sequence[Mapping[str, Any]], *, empty: str = "nothing to show") -> None:
    """Rows as aligned columns, what a row lacks left empty; numbers to the right."""
    if not rows:
        print(empty)
        return
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[str(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(column), *(len(row[i]) for row in cells)) for i, column in enumerate(columns)]
    print(
        "  ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip()
    )
    for row, source in zip(cells, rows, strict=True):
        print(
            "  ".join(
                cell.rjust(width)
                if isinstance(source.get(column), int | float)
                else cell.ljust(width)
                for cell, width, column in zip(row, widths, columns, strict=True)
            ).rstrip()
        )


def run_row(run: Run) -> dict[str, Any]:
    """A run as one row of `mtlab runs list`."""
    status, spec = run.status(), run.spec
    noise = f"{spec.noise.kind} {spec.noise.side}" if spec.noise.active else "none"
    return {
        "id": run.id,
        "state": status.state,
        "progress": f"{status.progress:.0%}",
        "base": spec.base,
        "size": spec.size,
        "train": spec.learns_from,
        "noise": noise,
        "seed": spec.seed,
        "group": spec.group or "",
        "name": spec.name or "",
    }


def queue_row(run: Run) -> dict[str, Any]:
    """A run as one row of `mtlab runs queue`."""
    row = run_row(run)
    row = {
        key: row[key] for key in ("id", "base", "size", "train", "noise", "seed", "group", "name")
    }
    return {**row, "waits for": " ".join(run.status().needs)}


def score_cells(scores: Mapping[str, Any]) -> dict[str, str]:
    """Each metric of one system as `value [low, high]`, or `n/a`, and COMET gated beside it."""
    cells = {}
    for metric, score in scores.items():
        name = METRICS[metric]
        cells[name] = _cell(metric, score)
        if metric == "comet" and score.get("gated"):
            cells[f"{name} gated"] = _cell(metric, score["gated"])
    return cells


def failed_cell(system: Mapping[str, Any]) -> str:
    """How many segments fail, and how: each once, under the failure that tells the most.

    Of a run from before there was such a count, the share of each failure, which may overlap.
    """
    parts = system.get("stacked")
    if parts is None:
        shares = {name: share for name, share in system.get("failures", {}).items() if share}
        return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    said = []
    for name, share in parts.items():
        if not share:
            continue
        text = f"{name} {share:.0%}"
        if name == "off-target":
            text += f" (in {', '.join(system.get('languages') or {})})"
        said.append(text)
    return f"{sum(parts.values()):.0%}" + (f": {', '.join(said)}" if said else "")


def _cell(metric: str, score: Mapping[str, Any]) -> str:
    if score.get("available") is False:
        return "n/a"
    form = f".{digits(metric)}f"
    value = f"{score['value']:{form}}"
    if score.get("low") is None:
        return value
    return f"{value} [{score['low']:{form}}, {score['high']:{form}}]"


def signatures(scores: Mapping[str, Any]) -> None:
    """What reproduces each score, and why a metric has none."""
    for metric, score in scores.items():
        name = METRICS[metric]
        if score.get("available") is False:
            fix = f"; {score['fix']}" if score.get("fix") else ""
            print(f"{name}: not available: {score['why']}{fix}")
        else:
            drawn = "no interval"
            if score.get("low") is not None:
                drawn = f"95% interval, seed {score['seed']}"
            print(f"{name}: {score['signature']}, n {score['n']}, {drawn}")
            if metric == "comet" and score.get("gated"):
                print("COMET gated: failed segments count zero; BLEU and chrF are as they fall")


def comparisons(rows: Sequence[Mapping[str, Any]]) -> None:
    """Each system against the first: the difference, its interval, p, what it means to people."""
    if not rows:
        return
    first = rows[0]
    print(f"\nagainst {first['baseline']}")
    table([_comparison_row(row) for row in rows])
    if first["compared"] > 1:
        print(f"p: corrected for {first['compared']} comparisons (Holm)")
    print("people: share of system pairs in which they agree with a difference of this size")
    for text in dict.fromkeys(note for row in rows for note in (row["signature"], *row["notes"])):
        print(text)


def _comparison_row(row: Mapping[str, Any]) -> dict[str, str]:
    form = f"+.{digits(row['metric'])}f"
    interval = ""
    if row["low"] is not None:
        interval = f"{row['low']:{form}} to {row['high']:{form}}"
    accuracy = row["meaning"].get("accuracy")
    return {
        "system": row["system"],
        "metric": METRICS[row["metric"]],
        "difference": f"{row['difference']:{form}}",
        "95% interval": interval,
        "p": "" if row["p_corrected"] is None else f"{row['p_corrected']:.4f}",
        "verdict": row["verdict"],
        "people": _people(accuracy),
    }


def _people(accuracy: float | None) -> str:
    """How often people agree with a difference of this size; under half the time says nothing."""
    from mtlab.scoring.agreement import COIN_TOSS

    if accuracy is None:
        return "n/a"
    return "coin toss" if accuracy <= COIN_TOSS else f"{accuracy:.0%}"


def summary(data: Mapping[str, Any]) -> None:
    """A run's state, its seconds per phase and its scores beside the base model's."""
    print(f"\n{data['id']}: {data['state']}")
    error = data.get("error")
    if error:
        print(f"{error['what']}" + (f": {error['fix']}" if error.get("fix") else ""))
    if data.get("seconds"):
        phases = ", ".join(f"{phase} {value:.1f} s" for phase, value in data["seconds"].items())
        print(f"{phases}; {sum(data['seconds'].values()):.1f} s in all")
    rows: list[dict[str, Any]] = []
    last: Mapping[str, Any] = {}
    for direction, scores in (data.get("scores") or {}).items():
        own = data.get("system") or "fine-tuned"
        systems = [("base", (data.get("base") or {}).get(direction)), (own, scores)]
        for system, values in systems:
            if not values:
                continue
            last = {name: value for name, value in values.items() if name in METRICS}
            rows.append(
                {
                    "direction": direction,
                    "system": system,
                    **score_cells(last),
                    "failed": failed_cell(values),
                }
            )
    if rows:
        table(rows)
        signatures(last)


def event(event: Any) -> None:
    """One line of progress on standard error for an event worth a person's attention."""
    data = event if isinstance(event, Mapping) else event.to_json()
    kind = data.get("kind")
    if kind == "phase":
        text = f"{data['phase']} ..."
    elif kind == "step":
        text = "  ".join(
            part
            for part in (
                f"step {data['step']}/{data['steps']}"
                if data.get("steps")
                else f"step {data['step']}",
                f"loss {data['loss']:.3f}",
                f"{data['tokens_per_second']:.0f} tok/s" if data.get("tokens_per_second") else "",
            )
            if part
        )
    elif kind == "note":
        text = str(data.get("text", ""))
    elif kind == "probe":
        text = "  ".join(
            f"{name} {data[name]:.1f}" for name in ("bleu", "chrf") if data.get(name) is not None
        )
        text = f"probe at step {data.get('step')}: {text}"
    elif kind == "saved":
        loss = data.get("held_out_loss")
        text = f"saved at {data['tokens']:,} tokens" + (
            f", held-out loss {loss:.3f}" if loss is not None else ""
        )
    elif kind == "error":
        text = str(data.get("what", ""))
    else:
        return
    print(text, file=sys.stderr, flush=True)


def noisy_pair(pair: NoisyPair) -> None:
    """A pair before and after noise; what changed is in brackets."""
    from mtlab.noise import diff

    for side in ("source", "target"):
        clean, noisy = getattr(pair.clean, side), getattr(pair.noisy, side)
        print(f"{side:>7}  {clean}")
        if side in pair.touched:
            words = diff(clean, noisy)
            marked = " ".join(f"[{word}]" if new else word for word, new in words)
            gone = "" if any(new for _, new in words) else " [...]"
            print(f"{'noisy':>7}  {marked}{gone}")
    print()
