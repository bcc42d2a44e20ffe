"""The estimate of memory against what real runs came to (VmHWM of their process, in MB)."""

from dataclasses import replace

import pytest

from mtlab.models import formats, memory
from mtlab.models.facts import Shape
from mtlab.models.fits import lighter, verdict
from mtlab.models.memory import (
    NOTHING,
    Held,
    Spread,
    Translating,
    estimate,
    settled,
    spread_need,
)
from mtlab.spec import Training

NANO = Shape(6_720_768, 4_672_768, 6, 256, 672, 256, 8000)
SMALL = Shape(27_073_024, 18_684_416, 6, 512, 1344, 512, 16384)
MIDDLE = Shape(97_536_768, 84_953_856, 12, 768, 2048, 768, 16384)

# Runs on two CPU cores that have bf16, with torch 2.13: shape, method, batch; tokens and places of
# logits of the fullest pass, shapes of a batch; prompts, sentences, rows and answers of the fullest
# batch that the untuned base translates, and of that of the run's own model; and the peak.
MEASURED = (
    (NANO, "full", 16, (1456, 368, 3), (2800, 40, 4, 82), (2800, 40, 4, 12), 980),
    (NANO, "full", 16, (1408, 336, 14), (6800, 100, 4, 73), (14000, 200, 4, 13), 1346),
    (NANO, "full", 32, (2752, 736, 13), (1584, 24, 4, 64), (5040, 72, 4, 15), 1451),
    (NANO, "full", 8, (824, 304, 17), (5440, 80, 4, 69), (5440, 80, 4, 21), 1135),
    (NANO, "lora", 16, (1424, 368, 7), (4080, 60, 4, 64), (8640, 120, 4, 14), 1149),
    (NANO, "lora", 16, (1408, 336, 20), (0, 0, 1, 0), (7000, 100, 4, 12), 1248),
    (NANO, "lora", 4, (364, 92, 65), (2112, 32, 4, 72), (4480, 64, 4, 13), 1305),
    (NANO, "full", 16, (1344, 368, 7), (3400, 50, 1, 37), (3400, 50, 1, 15), 995),
    (NANO, "few-shot", None, (0, 0, 0), (4200, 60, 4, 83), (6000, 60, 4, 12), 631),
    (NANO, "few-shot", None, (0, 0, 0), (1980, 30, 4, 56), (6660, 30, 4, 5), 614),
    (SMALL, "lora", 16, (1456, 368, 6), (2240, 32, 4, 40), (2240, 32, 4, 1), 1595),
    (SMALL, "full", 16, (1440, 384, 10), (1584, 24, 4, 40), (1584, 24, 4, 1), 1803),
    (SMALL, "full", 4, (376, 92, 23), (828, 12, 4, 40), (1656, 24, 4, 1), 1559),
    (MIDDLE, "lora", 8, (744, 192, 9), (792, 12, 4, 40), (792, 12, 4, 1), 1931),
    (MIDDLE, "full", 8, (704, 176, 11), (552, 8, 4, 40), (1104, 16, 4, 1), 3225),
    (MIDDLE, "full", 4, (340, 76, 7), (1380, 20, 4, 40), (1380, 20, 4, 1), 3032),
    (MIDDLE, "lora", 4, (336, 92, 25), (1584, 24, 4, 40), (1584, 24, 4, 1), 1700),
)

# The same on a processor without it.
MEASURED_IN_FP32 = (
    (NANO, "full", 16, (1456, 368, 6), (4480, 64, 4, 81), (4480, 64, 4, 12), 930),
    (NANO, "full", 16, (1536, 432, 18), (8704, 128, 4, 56), (8704, 128, 4, 14), 960),
    (NANO, "full", 32, (2912, 896, 19), (2720, 40, 4, 55), (2720, 40, 4, 16), 1274),
    (NANO, "full", 8, (824, 304, 17), (5440, 80, 4, 66), (5440, 80, 4, 21), 819),
    (NANO, "full", 16, (1408, 336, 14), (7000, 100, 4, 83), (14000, 200, 4, 13), 1186),
    (NANO, "lora", 16, (1456, 368, 12), (3360, 48, 4, 79), (6720, 96, 4, 13), 1021),
    (NANO, "lora", 16, (1488, 448, 14), (6528, 96, 4, 57), (6528, 96, 4, 15), 1017),
    (NANO, "lora", 16, (1456, 368, 12), (5600, 80, 4, 85), (11520, 160, 4, 12), 1054),
    (NANO, "few-shot", None, (0, 0, 0), (0, 0, 1, 0), (2976, 48, 4, 14), 560),
    (NANO, "few-shot", None, (0, 0, 0), (6912, 96, 4, 57), (14880, 96, 4, 11), 777),
    (MIDDLE, "lora", 8, (728, 184, 8), (1104, 16, 4, 48), (1104, 16, 4, 2), 2262),
    (MIDDLE, "lora", 4, (376, 84, 50), (0, 0, 1, 0), (1104, 16, 4, 1), 1650),
    (MIDDLE, "full", 8, (728, 184, 6), (0, 0, 1, 0), (1104, 16, 4, 1), 3020),
    (MIDDLE, "full", 4, (376, 84, 23), (1104, 16, 4, 48), (1104, 16, 4, 1), 2681),
    (MIDDLE, "few-shot", None, (0, 0, 0), (0, 0, 1, 0), (992, 16, 4, 48), 1151),
    (MIDDLE, "few-shot", None, (0, 0, 0), (0, 0, 1, 0), (1957, 20, 4, 48), 1218),
)
RUNS = [("bf16", *run) for run in MEASURED] + [("fp32", *run) for run in MEASURED_IN_FP32]


@pytest.mark.parametrize(
    ("precision", "shape", "method", "batch", "held", "base", "own", "peak"), RUNS
)
def test_it_is_about_what_real_runs_came_to(precision, shape, method, batch, held, base, own, peak):
    there = Held(*held, base=Translating(*base), own=Translating(*own))
    training = Training(method=method, batch_size=batch, precision=precision)
    need = estimate(shape, training, 0, "main memory", there)
    assert need.total / 1e6 == pytest.approx(peak, rel=0.1)


def test_auto_is_what_the_machine_has(monkeypatch):
    def asked(has_bf16, precision):
        monkeypatch.setattr(formats, "processor_has_bf16", lambda: has_bf16)
        training = Training(method="lora", batch_size=8, precision=precision)
        return estimate(MIDDLE, training, 0, "main memory")

    for has_bf16, meant in ((True, "bf16"), (False, "fp32")):
        assert asked(has_bf16, "auto") == asked(not has_bf16, meant)
    assert asked(True, "fp32").weights == 2 * asked(True, "bf16").weights


FULL = Training(
    method="full", precision="bf16", batch_size=8, max_length=512, gradient_checkpointing=False
)
OPEN = FULL.model_copy(update={"gradient_checkpointing": None})


@pytest.mark.parametrize(
    ("training", "gib", "said"),
    [
        (FULL, 3.4, "batch size 4 fits"),
        (FULL, 2.2, "LoRA with batch size 1 fits"),
        (FULL.model_copy(update={"method": "lora"}), 1.7, "batch size 1 fits"),
        (FULL, 1.25, "a base as small as nano fits"),
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
    few = Translating(1000.0, 10.0, 4, 128)
    held = replace(Held.usual(FULL), base=few, own=few)
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
    training = Training(method="none", precision="bf16")
    held = Held(0, 0, 0, base=NOTHING, own=Translating(100_000, 1000, 8, 256))
    need = estimate(NANO, training, 4 * 2**30, "main memory", held)
    sentence = verdict(need, NANO, training, held).sentence
    assert sentence.endswith("it fits with an eighth of the token budget."), sentence


def test_a_gpu_holds_no_python():
    training = Training(method="lora", precision="bf16", batch_size=8)
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
