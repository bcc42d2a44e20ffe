"""docs/noise.md shows what the code does now, or must be written again."""

import pytest

from benchmarks.noise import PAGE, SEED, marked
from mtlab.noise import preview
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.spec import Noise, RunSpec

ROWS = PAGE.read_text(encoding="utf-8").splitlines()


def shown(kind, home, **options):
    spec = RunSpec(train="de-en", size=1, seed=SEED)
    (pair,) = preview(Noise(kind=kind, **options), spec, home)
    return marked(pair.to_json())


@pytest.mark.parametrize("kind", [kind for kind in NOISE_KINDS if kind != "sentence"])
def test_the_example_of_a_kind_is_what_it_does(kind, home):
    assert f"| `{kind}` | {NOISE_KINDS[kind]} | {shown(kind, home)} |" in ROWS


def test_the_third_language_and_the_kind_that_needs_a_run(home):
    french = shown("wrong-language", home, language="fr")
    assert any("`--noise-language fr`" in row and french in row for row in ROWS)
    assert any(row.startswith("| `sentence` `--translator latest` |") for row in ROWS)
