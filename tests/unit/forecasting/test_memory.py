"""The estimate of memory against what real runs came to (VmHWM of their process, in MB)."""

from dataclasses import replace

import pytest

from mtlab.models import memory
from mtlab.models.facts import Shape
from mtlab.models.memory import (
    Held,
    Spread,
    estimate,
    lighter,
    settled,
    spread_need,
    verdict,
)
from mtlab.spec import Training

NANO = Shape(6_720_768, 4_672_768, 6, 256, 672, 256, 8000)
SMALL = Shape(27_662_848, 19_274_240, 6, 512, 1408, 512, 16384)
MIDDLE = Shape(97_536_768, 84_953_856, 12, 768, 2048, 768, 16384)

# Runs on two CPU cores with torch 2.13: shape, method, batch, tokens and places of logits of the
# fullest pass, shapes of a batch, and the peak; some of them the constants were not fitted to.
MEASURED = (
    (NANO, "full", 16, 1456, 368, 8, 1031),
    (NANO, "full", 4, 348, 80, 26, 976),
    (NANO, "full", 32, 2912, 736, 6, 1166),
    (NANO, "full", 8, 744, 224, 36, 1014),
    (NANO, "lora", 32, 2976, 896, 6, 1426),
    (NANO, "lora", 8, 744, 224, 13, 1115),
    (NANO, "lora", 8, 744, 224, 43, 1659),
    (NANO, "lora", 16, 1504, 384, 17, 1281),
    (SMALL, "full", 16, 1456, 368, 8, 1676),
    (SMALL, "full", 4, 364, 92, 21, 1426),
    (SMALL, "lora", 16, 1456, 368, 8, 1612),
    (MIDDLE, "full", 2, 162, 38, 8, 2651),
    (MIDDLE, "lora", 16, 1408, 320, 4, 2444),
    (MIDDLE, "lora", 2, 162, 38, 8, 1125),
)


@pytest.mark.parametrize(
    ("shape", "method", "batch", "tokens", "targets", "shapes", "peak"), MEASURED
)
def test_it_is_about_what_real_runs_came_to(shape, method, batch, tokens, targets, shapes, peak):
    held = Held(tokens, targets, shapes, prompts=800, sentences=8, rows=4, answers=20)
    need = estimate(shape, Training(method=method, batch_size=batch), 0, "main memory", held)
    assert need.total / 1e6 == pytest.approx(peak, rel=0.12)


FULL = Training(method="full", batch_size=8, max_length=512, gradient_checkpointing=False)
OPEN = FULL.model_copy(update={"gradient_checkpointing": None})


@pytest.mark.parametrize(
    ("training", "gib", "said"),
    [
        (FULL, 2.9, "batch size 4 fits"),
        (FULL, 2.0, "LoRA with batch size 1 fits"),
        (FULL.model_copy(update={"method": "lora"}), 1.5, "batch size 1 fits"),
        (FULL, 1.1, "a base as small as nano fits"),
        (FULL, 0.1, "choose a smaller base model, or a machine with more memory"),
    ],
)
def test_what_would_fit_is_found(training, gib, said):
    available = int(gib * 2**30)
    need = estimate(MIDDLE, training, available, "main memory")
    fit = verdict(need, MIDDLE, training)
    assert fit.fits is False and fit.sentence.startswith("Does not fit: about ")
    assert fit.sentence.endswith(f"; {said}."), fit.sentence


def test_what_is_said_to_fit_does_fit():
    held = replace(Held.usual(FULL), prompts=1000.0, sentences=10.0)
    for gib in (1.6, 2.0, 2.5, 2.8):
        available = int(gib * 2**30)
        said = lighter(MIDDLE, FULL, available, "main memory", held)
        changes = {"batch_size": int(said.split()[-2])} if "batch size" in said else {}
        if "LoRA" in said:
            changes["method"] = "lora"
        if "checkpointing" in said:
            changes["gradient_checkpointing"] = True
        changed = FULL.model_copy(update=changes)
        there = held.cut(8, changed, 1)
        assert estimate(MIDDLE, changed, available, "main memory", there).total <= available, said
        assert estimate(MIDDLE, FULL, available, "main memory", held).total > available


def test_what_is_said_to_fit_is_of_all_processes():
    alone = estimate(MIDDLE, FULL, 0, "main memory").total
    four = Spread(4)
    for available, said in (
        (int(3.1 * alone), "3 devices fit"),
        (int(1.1 * alone), "1 device fits"),
    ):
        need = spread_need(MIDDLE, FULL, available, "main memory", four)
        sentence = verdict(need, MIDDLE, FULL, spread=four).sentence
        assert sentence.endswith(f"; {said}."), sentence
    said = lighter(MIDDLE, FULL, int(0.9 * alone), "main memory", None, four)
    assert said != lighter(MIDDLE, FULL, int(0.9 * alone), "main memory"), "four take more"


def test_a_budget_too_large_is_said():
    training = Training(method="none")
    held = Held(0, 0, 0, prompts=100_000, sentences=1000, rows=8, answers=256)
    need = estimate(NANO, training, 4 * 2**30, "main memory", held)
    sentence = verdict(need, NANO, training, held).sentence
    assert sentence.endswith("it fits with an eighth of the token budget."), sentence


def test_a_gpu_holds_no_python():
    training = Training(method="lora", batch_size=8)
    there, here = (estimate(MIDDLE, training, 0, where) for where in ("GPU", "main memory"))
    assert there.total < here.total - 1e8
    assert memory._GPU == there.process


def test_weights_of_16_bits_and_their_masters_count_on_a_gpu():
    parameters = MIDDLE.parameters
    need = estimate(MIDDLE, FULL, 0, "GPU")
    # Two bytes each, beside which stand a master, a gradient and two moments of four.
    assert (need.weights, need.training) == (2 * parameters, 16 * parameters)
    wide = estimate(MIDDLE, FULL.model_copy(update={"precision": "fp32"}), 0, "GPU")
    assert (wide.weights, wide.training) == (4 * parameters, 12 * parameters)
    here = estimate(MIDDLE, FULL, 0, "main memory")
    assert (here.weights, here.training) == (4 * parameters, 12 * parameters), "a CPU has none"


def test_activations_are_computed_again_where_memory_asks_for_it():
    kept = estimate(MIDDLE, FULL, 0, "GPU").total
    roomy, tight = round(1.2 * kept), round(1.02 * kept)

    def again(training, available, **more):
        return settled(training, MIDDLE, available, "GPU", **more).gradient_checkpointing

    assert again(OPEN, roomy) is False and again(OPEN, tight) is True
    assert again(FULL, tight) is False, "what the spec says is done"
    assert again(OPEN, roomy, spread=Spread(2)) is True, "several processes do alike"
    assert settled(Training(method="none"), MIDDLE, 0, "GPU").gradient_checkpointing is None
    for available, training in ((roomy, FULL), (tight, settled(OPEN, MIDDLE, tight, "GPU"))):
        need = spread_need(MIDDLE, OPEN, available, "GPU", Spread())
        assert need.total == estimate(MIDDLE, training, available, "GPU").total
