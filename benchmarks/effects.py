"""The paper's three effects on the bundled model, as the README's table: one seed, twelve runs.

    python -m benchmarks.effects > docs/effects.md

Each run is an ordinary run of the lab, in the home that `MTLAB_HOME` names; what has finished there
already is not run again. Claims need several seeds: this is a look, not a claim.
"""

from __future__ import annotations

import sys

from mtlab import Lab, Run, RunSpec

TESTED = ("en-de", "de-en", "en-fr", "fr-en", "de-fr", "fr-de", "en-is")
SIX = ("en-de", "de-en", "en-fr", "fr-en", "de-fr", "fr-de")
SIZES = (16, 32, 512)
SEGMENTS = 64
SIZE = 256  # of the runs that compare noise


def specs() -> dict[str, RunSpec]:
    """The experiments by the name their row has."""
    rows = {f"{size} pairs, six directions": _spec(size=size, train=SIX) for size in SIZES}
    for size in (32, SIZE):
        for direction in ("en-de", "de-en"):
            rows[f"{size} pairs, {direction} only"] = _spec(size=size, train=[direction])
    for direction in ("en-de", "en-is"):
        for side in ("source", "target"):
            rows[f"{SIZE} pairs, {direction} only, word noise on the {side}"] = _spec(
                size=SIZE, train=[direction], noise={"kind": "word", "side": side}
            )
    rows[f"{SIZE} pairs, en-is only"] = _spec(size=SIZE, train=["en-is"])
    return rows


def _spec(**fields: object) -> RunSpec:
    return RunSpec(
        base="nano", test=TESTED, test_limit=SEGMENTS, metrics=("bleu",), probe_size=0, **fields
    )


def main() -> int:
    """Run what is missing and print the table; returns an exit status."""
    lab = Lab()
    done = {}
    for name, spec in specs().items():
        print(name, file=sys.stderr, flush=True)
        run = _finished(lab, name) or lab.launch(spec.with_changes(name=name))
        if run.wait().state != "finished":
            print(f"{run.id} did not finish; see {run.folder}", file=sys.stderr)
            return 1
        done[name] = run
    lab.close()
    _print(done)
    return 0


def _finished(lab: Lab, name: str) -> Run | None:
    same = (r for r in lab.runs() if r.spec.name == name and r.status().state == "finished")
    return next(same, None)


def _print(done: dict[str, Run]) -> None:
    print("| trained on | " + " | ".join(TESTED) + " |")
    print("|---|" + "---:|" * len(TESTED))
    first = next(iter(done.values()))
    _row("nothing (the untuned base)", first.base_scores())
    for name, run in done.items():
        _row(name, run.scores())
    bleu = first.scores()[TESTED[0]]["bleu"]
    print(
        f"\nBLEU, in brackets the share of segments in another language than was asked for, where "
        f"it is 5% or more; {bleu['n']} segments a direction, seed 0, `{bleu['signature']}`."
    )


def _row(name: str, scores: dict[str, dict[str, dict[str, float]]]) -> None:
    cells = []
    for direction in TESTED:
        share = scores[direction]["failures"].get("off-target", 0.0)
        value = f"{scores[direction]['bleu']['value']:.1f}"
        cells.append(f"{value} ({share:.0%})" if share >= 0.05 else value)
    print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
