"""Finished runs as they would lie in a home, written in milliseconds: no model, real scores."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs.files import write_json, write_lines
from mtlab.runs.store import RunRecord, RunStore
from mtlab.scoring.failures import FAILURES
from mtlab.scoring.failures.verdicts import Verdict
from mtlab.scoring.gating import gate
from mtlab.scoring.lexical import lexical_scores
from mtlab.scoring.values import Score
from mtlab.spec import RunSpec
from tests.written_systems import OFF_TARGET, damaged, sentences

COMET_SIGNATURE = "Unbabel/wmt22-comet-da|synthetic"


def finished_run(
    store: RunStore,
    harm: Mapping[str, float],
    *,
    off_target: Mapping[str, float] | None = None,
    comet: bool = False,
    segments: int = 24,
    **fields: Any,
) -> RunRecord:
    """Write a finished run.

    Args:
        store: of the home it is to lie in.
        harm: per test direction the share of words that are wrong.
        off_target: per test direction the share of segments in another language.
        comet: whether it has COMET scores, made up from the harm.
        segments: of each direction.
        **fields: of its spec; trained on de-en and tested on the directions of `harm` unless said.
    """
    spec = RunSpec(**{"train": ("de-en",), "test": tuple(harm), **fields})
    record = store.create(complete(spec, BASES[spec.base]))
    (record.folder / "translations").mkdir()
    scores: dict[str, Any] = {"scores": {}, "base": {}}
    for number, (direction, share) in enumerate(harm.items()):
        draw = random.Random(f"{spec.seed} {number} {share}")
        references = sentences(segments, number)
        lost = round(segments * (off_target or {}).get(direction, 0.0))
        own = [OFF_TARGET] * lost + damaged(references, share, draw)[lost:]
        base = damaged(references, 0.95, random.Random(number))
        flags = [["off-target"] if index < lost else [] for index in range(segments)]
        comets = [[round(0.9 - part / 2, 4)] * segments for part in (share, 0.95)]
        rows = [
            {
                "index": index,
                "source": f"source {index}",
                "reference": references[index],
                "hypothesis": own[index],
                "base": base[index],
                "failures": flags[index],
                "base_failures": [],
                "scores": {"comet": comets[0][index]} if comet else {},
                "base_scores": {"comet": comets[1][index]} if comet else {},
            }
            for index in range(segments)
        ]
        write_lines(record.folder / "translations" / f"{direction}.jsonl", rows)
        target = direction.partition("-")[2]
        for part, lines, failed, scored in (
            ("scores", own, lost, comets[0]),
            ("base", base, 0, comets[1]),
        ):
            scores[part][direction] = _scores(references, lines, target, failed, scored, comet)
    write_json(record.folder / "scores.json", scores)
    status = store.status(record.id)
    ended = status.with_changes(state="finished", progress=1.0, ended=status.created)
    store.write_status(record.id, ended, durable=False)
    store.index.mend(record.id)
    return record


def _scores(
    references: list[str],
    lines: list[str],
    target: str,
    failed: int,
    comets: list[float],
    comet: bool,
) -> dict[str, Any]:
    verdicts = [
        Verdict(names=("off-target",) if index < failed else ()) for index in range(len(lines))
    ]
    found: dict[str, Any] = {
        metric: gate(lexical_scores(metric, references, {"s": lines}, target)["s"], verdicts)
        for metric in ("bleu", "chrf")
    }
    if comet:
        mean = sum(comets) / len(comets)
        score = Score(
            "comet", mean, mean - 0.01, mean + 0.01, len(lines), COMET_SIGNATURE, 12345,
            segments=tuple(comets),
        )  # fmt: skip
        found["comet"] = gate(score, verdicts)
    shares = {name: 0.0 for name in FAILURES} | {"off-target": failed / len(lines)}
    return {
        **{metric: score.to_json() for metric, score in found.items()},
        "failures": shares,
        "stacked": shares,
        "languages": {},
    }


BOTH = ("de-en", "en-de")


def small_home(store: RunStore) -> list[RunRecord]:
    """Every plot's runs, few of each: two sizes, two sets of directions, two sides of noise.

    Two seeds of everything; tested on both directions, with COMET. Trained into English alone, all
    of en-de is in another language.
    """
    made = []
    for seed in (0, 1):
        for size, harm in ((16, 0.5), (256, 0.2)):
            for train in (BOTH, ("de-en",)):
                misled = {"en-de": 1.0} if train == ("de-en",) else {}
                made.append(_small(store, harm, misled, train=train, size=size, seed=seed))
        for side, harm in (("source", 0.3), ("target", 0.7)):
            noise = {"kind": "word", "side": side}
            made.append(
                _small(store, harm, {}, train=BOTH, size=256, seed=seed, noise=noise, group="noise")
            )
    return made


def _small(store: RunStore, harm: float, misled: Mapping[str, float], **fields: Any) -> RunRecord:
    group = fields.pop("group", "sizes")
    share = {direction: harm for direction in BOTH}
    return finished_run(
        store, share, off_target=misled, comet=True, segments=16, group=group, **fields
    )
