"""Killed at 20 random moments and resumed, a run ends with what it would have ended with anyway."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field, replace

import pytest

from mtlab.runs.files import read_json
from mtlab.runs.status import PHASES
from tests.warm_jobs import WarmJobs, new_run

KILLS = {
    "trained": ("prepare", "load", *["base"] * 3, *["train"] * 5, *["decode"] * 3, "score"),
    "few-shot": ("load", *["base"] * 2, *["decode"] * 4, "score"),
}
assert sum(map(len, KILLS.values())) >= 20


@dataclass
class Ended:
    """What a run ended with, byte for byte where it is a file."""

    translations: dict[str, bytes]
    scores: dict
    pairs: bytes
    weights: bytes | None
    seconds: dict[str, float] = field(compare=False)


def ended(folder):
    adapter = folder / "adapter" / "adapter_model.safetensors"
    left = [
        path.name
        for pattern in ("checkpoint-*", "partial", "*.part", "*.old", ".*.tmp", "*/.*.tmp")
        for path in folder.glob(pattern)
        if not path.name.startswith(".status.json")  # others write it, too: it goes with time
    ]
    assert left == [], "nothing is left that only resuming needs"
    return Ended(
        {path.name: path.read_bytes() for path in (folder / "translations").iterdir()},
        read_json(folder / "scores.json"),
        (folder / "train.jsonl").read_bytes(),
        adapter.read_bytes() if adapter.exists() else None,
        read_json(folder / "status.json")["seconds"],
    )


@pytest.fixture(scope="module")
def jobs():
    with WarmJobs() as jobs:
        yield jobs


@pytest.mark.parametrize("kind", KILLS)
def test_killed_at_random_moments_it_ends_the_same(kind, jobs, spec, home, tmp_path):
    asked = spec(
        test=("de-en", "en-de", "en-fr"),
        test_limit=12,
        probe_size=4 if kind == "trained" else 0,
        training={"steps": 16, "checkpoint_steps": 3} if kind == "trained" else {},
        decoding={"beams": 2, "max_new_tokens": 16, "token_budget": 600},
    )
    if kind == "few-shot":
        asked = asked.with_changes(training={"method": "few-shot"}, size=1)
    homes = (replace(home, home=tmp_path / f"home-{number}") for number in range(20))

    def begun():
        place = next(homes)
        return place, new_run(place, asked)

    place, run = begun()
    assert jobs.begin(place, run).wait() == 0, (run.folder / "job.log").read_text()
    expected = ended(run.folder)
    assert len(expected.translations) == 3 and set(expected.scores["scores"]) == {
        "de-en", "en-de", "en-fr",
    }  # fmt: skip

    moments = random.Random(5)
    plan = [(phase, moments.random()) for phase in KILLS[kind]]
    hit = []
    pace = 1.0
    while plan:
        # One run after the other, each with an empty home, should one end before its last kill.
        place, run = begun()
        while plan:
            phase, share = plan[0]
            attempt = jobs.begin(place, run)
            attempt.until(phase, PHASES)
            time.sleep(share * pace * expected.seconds[phase])
            if not attempt.kill():
                pace *= 0.8  # the machine is faster now than when the whole run was measured
                break
            hit.append((plan.pop(0)[0], attempt.status.phase))
        else:
            assert jobs.begin(place, run).wait() == 0, (run.folder / "job.log").read_text()
        assert attempt.status.ending == "finished", (run.folder / "job.log").read_text()
        assert ended(run.folder) == expected
    assert len(hit) == len(KILLS[kind]), hit
