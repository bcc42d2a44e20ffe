"""Everything measured of several systems in one call."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mtlab.errors import InputError
from mtlab.scoring import Score, Unavailable, score_systems
from mtlab.scoring.comet import CometScorer
from mtlab.settings import Settings
from mtlab.spec import Direction
from tests.comet_checkpoints import TinyComet

WAY = Direction.parse("de-en")


def test_each_metric_and_the_failures_of_each_system(
    comet_settings: Settings, tiny_comet: TinyComet
) -> None:
    arguments = tiny_comet.sources, tiny_comet.references, tiny_comet.systems
    model = str(tiny_comet.regression)
    with CometScorer(comet_settings, model) as comet:
        scored = score_systems(
            WAY, *arguments, settings=comet_settings, comet=comet,
            ended={"every other word": [False] * len(tiny_comet.sources)},
        )  # fmt: skip
        alone = score_systems(WAY, *arguments, ("comet",), comet_settings, model, comet=comet)
    assert list(scored) == list(tiny_comet.systems)
    copy, half, nothing = (
        scored[name] for name in ("copy of the reference", "every other word", "nothing")
    )
    for metric in ("bleu", "chrf", "comet"):
        best, worse = copy.scores[metric], half.scores[metric]
        assert isinstance(best, Score) and isinstance(worse, Score)
        assert best.value > worse.value
        assert best.segments is not None and len(best.segments) == best.n == len(tiny_comet.sources)
        data = json.loads(json.dumps(copy.to_json()))
        assert data[metric]["signature"] == best.signature
    assert set(copy.failures.values()) == {0.0}
    assert half.failures["truncated"] == 1.0
    assert nothing.failures["empty"] == 1.0
    assert nothing.flags == (("empty",),) * len(tiny_comet.sources)
    assert list(alone["nothing"].scores) == ["comet"]
    assert alone["nothing"].scores["comet"] == nothing.scores["comet"]


def test_what_comet_lacks_leaves_the_rest_whole(comet_settings: Settings) -> None:
    scored = score_systems(
        WAY, ["Das Haus ist alt."], ["The house is old."], {"a": ["The house is old."]},
        ("bleu", "comet"), comet_settings, "Unbabel/no-such-comet",
    )["a"]  # fmt: skip
    bleu, comet = scored.scores["bleu"], scored.scores["comet"]
    assert isinstance(bleu, Score) and bleu.value == pytest.approx(100)
    assert isinstance(comet, Unavailable) and comet.fix
    assert scored.to_json()["comet"] == {"available": False, "why": comet.why, "fix": comet.fix}


@pytest.mark.parametrize(
    ("metrics", "ended", "says"),
    [
        (("bleu", "rouge"), {}, "'rouge' is not a metric"),
        (("bleu",), {"a": [True, True]}, "2 end marks of system 'a' for 1 segments"),
    ],
)
def test_bad_input(metrics: tuple[str, ...], ended: dict[str, list[bool]], says: str) -> None:
    with pytest.raises(InputError, match=says):
        score_systems(WAY, ["Ja."], ["Yes."], {"a": ["Yes."]}, metrics, ended=ended)


def test_no_torch_in_this_process() -> None:
    program = (
        "import sys\n"
        "from mtlab.scoring import score_systems\n"
        "from mtlab.spec import Direction\n"
        "score_systems(Direction.parse('de-en'), ['Ja.'], ['Yes.'], {'a': ['Yes.']}, ('bleu',))\n"
        "import mtlab.scoring.comet\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
