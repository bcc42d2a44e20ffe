"""Models kept for translating live: shared, bounded, given up, and always the right one."""

import shutil
import weakref
from itertools import zip_longest

import pytest

from mtlab import RunSpec
from mtlab.decoding import translate
from mtlab.models import SharedBase, load_run
from mtlab.presets import resolve_base
from mtlab.prompts import Template
from mtlab.runs.resident import Resident
from mtlab.spec import Direction
from mtlab.weights import folder_parameters

DE_EN = Direction.parse("de-en")
SHORT = {"beams": 2, "max_new_tokens": 10}
SOURCES = ["Wir haben den letzten Bus knapp verpasst.", "Wo hast du den Schlüssel hingelegt?"]


def save_adapter(base, folder, seed, settings, **config):
    """What LoRA would have saved, with random weights in place of learnt ones."""
    import torch
    from peft import LoraConfig, get_peft_model

    from mtlab.models import load, quiet

    loaded = load(resolve_base(str(base), settings), precision="fp32", settings=settings)
    torch.manual_seed(seed)
    lora = LoraConfig(
        **{"r": 4, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **config},
        init_lora_weights=False,
    )
    with quiet():
        get_peft_model(loaded.model, lora).save_pretrained(str(folder))


@pytest.fixture
def tuned(lab):
    """Make a run that has finished, with an adapter or a model of its own."""

    def make(base, method, seed=0, precision="fp32", **config):
        training = {"method": method, "precision": precision}
        spec = RunSpec(base=str(base), size=2, train=("de-en",), training=training, decoding=SHORT)
        run = lab.launch(spec)
        if method == "lora":
            save_adapter(base, run.folder / "adapter", seed, lab.settings, **config)
        else:
            shutil.copytree(base, run.folder / "model")
        lab.store.write_status(run.id, run.status().with_changes(state="finished"))
        return lab.store.get(run.id)

    return make


@pytest.fixture
def taken_as_it_is(lab):
    """A run of the untuned base, decoded as the tuned ones are."""

    def make(base, precision="fp32"):
        training = {"method": "none", "precision": precision}
        spec = RunSpec(base=base, test=("de-en",), training=training, decoding=SHORT)
        return lab.store.get(lab.launch(spec).id)

    return make


def alone(record, settings):
    loaded = load_run(record.folder, record.spec, settings)
    return translate(loaded, SOURCES, DE_EN, record.spec.decoding, Template())


def models(resident):
    return list(resident._shelf.values())


def test_runs_of_one_base_share_its_weights_and_answer_as_if_alone(lab, tuned, taken_as_it_is):
    one, two = tuned("nano", "lora", 1), tuned("nano", "lora", 2, target_modules=["q_proj"])
    as_it_is = taken_as_it_is("nano")
    resident = Resident(lab.settings)
    untuned = resident.translate(as_it_is, SOURCES, DE_EN)
    expected = {run.id: alone(run, lab.settings) for run in (one, two)}
    for run in (one, two, one):
        assert resident.translate(run, SOURCES, DE_EN) == expected[run.id]
    (kept,) = models(resident)
    weights = 4 * 6_720_768
    assert weights < kept.bytes < 1.1 * weights, "one copy of the base, and two small adapters"
    assert resident.translate(as_it_is, SOURCES, DE_EN) == untuned
    answers = [untuned, *expected.values()]
    assert all(answers.count(answer) == 1 for answer in answers)


def test_in_its_own_number_format_too_a_run_answers_as_if_alone(lab, tuned, taken_as_it_is):
    runs = [tuned("nano", "lora", seed, precision="auto") for seed in (1, 2)]
    expected = [Resident(lab.settings).translate(run, SOURCES, DE_EN) for run in runs]
    as_it_is = taken_as_it_is("nano", precision="auto")
    untuned = Resident(lab.settings).translate(as_it_is, SOURCES, DE_EN)
    resident = Resident(lab.settings)
    found = [resident.translate(run, SOURCES, DE_EN) for run in (*runs, *runs)]
    assert found == expected * 2
    assert resident.translate(as_it_is, SOURCES, DE_EN) == untuned
    assert resident.kept().names == ("nano (bundled, 6.7 M) with 2 adapters",)


def test_two_readers_of_one_base_take_turns(lab, tuned, tiny_model):
    runs = [tuned(tiny_model, "lora", seed) for seed in (1, 2)]
    resident = Resident(lab.settings)
    expected = [resident.translate(run, SOURCES[:1], DE_EN)[0] for run in runs]
    assert expected[0] != expected[1]
    abandoned = resident.stream(runs[0], SOURCES[1], DE_EN)
    next(abandoned)
    streams = [resident.stream(run, SOURCES[0], DE_EN) for run in runs]
    drafts = [draft for pair in zip_longest(*streams) for draft in enumerate(pair)]
    answers = {number: draft for number, draft in drafts if draft is not None}
    assert [answers[0], answers[1]] == expected


def test_few_adapters_are_kept_and_the_rest_is_read_again(lab, tuned, tiny_model):
    from mtlab.models import Adapter, load

    runs = [tuned(tiny_model, "lora", seed) for seed in range(3)]
    base = load(
        resolve_base(str(tiny_model), lab.settings), precision="fp32", settings=lab.settings
    )
    shared = SharedBase(base, most=2)

    def answer(run):
        loaded = shared.switched(None if run is None else Adapter.at(run.folder / "adapter"))
        return translate(loaded, SOURCES, DE_EN, runs[0].spec.decoding, Template())

    first = [answer(run) for run in (None, *runs)]
    assert shared.adapters == 2
    size = shared.bytes
    assert [answer(run) for run in (None, *runs)] == first
    assert shared.adapters == 2 and shared.bytes == size


def test_a_run_that_learnt_more_is_read_anew(lab, tuned, tiny_model):
    run = tuned(tiny_model, "lora", 1)
    resident = Resident(lab.settings)
    before = resident.translate(run, SOURCES, DE_EN)
    shutil.rmtree(run.folder / "adapter")
    save_adapter(tiny_model, run.folder / "adapter", 5, lab.settings)
    after = resident.translate(run, SOURCES, DE_EN)
    assert after != before and after == Resident(lab.settings).translate(run, SOURCES, DE_EN)
    assert "1 adapter)" not in resident.kept().names[0] and len(models(resident)) == 1
    assert resident.kept().names[0].endswith("with 1 adapter")


@pytest.fixture
def bounded(lab, tiny_model):
    """A resident with room for so many tiny models."""
    size = 4 * folder_parameters(tiny_model)

    def make(count):
        resident = Resident(lab.settings)
        resident._bound = int(size * (count + 0.5))
        return resident

    return make


def test_whole_models_stay_within_the_bound_and_the_least_used_goes_first(
    bounded, tuned, tiny_model
):
    runs = [tuned(tiny_model, "full") for _ in range(3)]
    resident = bounded(2)
    for run in (runs[0], runs[1], runs[0], runs[2]):
        resident.translate(run, SOURCES[:1], DE_EN)
    kept = resident.kept()
    assert kept.names == (runs[0].name, runs[2].name)
    assert 0 < kept.bytes <= kept.bound
    nothing = bounded(0)
    for run in runs[:2]:
        assert len(nothing.translate(run, SOURCES[:1], DE_EN)) == 1
    assert nothing.kept().names == (runs[1].name,), "the one in use is kept in any case"


def test_memory_is_given_back_at_once_and_people_are_told_for_whom(lab, tuned, tiny_model):
    resident = Resident(lab.settings)
    assert resident.kept().sentence().startswith("No model is in memory")
    resident.release(for_run="20260101-000000-abcd")
    assert resident.kept().given_up_for is None, "there was nothing to give up"
    run = tuned(tiny_model, "full")
    expected = resident.translate(run, SOURCES[:1], DE_EN)[0]
    assert resident.kept().sentence().startswith(f"In memory: {run.name} (0 of 2,048 MB")

    reading = resident.stream(run, SOURCES[0], DE_EN)
    next(reading)
    resident.release(for_run="20260101-000000-abcd")
    assert resident.kept().names == () and resident.kept().bytes == 0
    assert resident.kept().sentence() == (
        "The models were given up for run 20260101-000000-abcd; the next translation loads them "
        "again."
    )
    *_, answer = reading
    assert answer == expected, "what was being read is read to its end"
    assert resident.kept().names == ()
    assert resident.translate(run, SOURCES[:1], DE_EN) == [expected]
    assert resident.kept().given_up_for is None


def test_what_is_released_while_it_loads_is_not_kept(lab, tuned, tiny_model, monkeypatch):
    from mtlab import models as models_module

    run = tuned(tiny_model, "full")
    resident = Resident(lab.settings)

    def slow(*args, **options):
        resident.release()
        return load_run(*args, **options)

    monkeypatch.setattr(models_module, "load_run", slow)
    assert len(resident.translate(run, SOURCES[:1], DE_EN)) == 1
    assert resident.kept().names == ()


def test_a_released_model_is_really_gone(lab, tuned, tiny_model):
    run = tuned(tiny_model, "lora", 1)
    resident = Resident(lab.settings)
    resident.translate(run, SOURCES[:1], DE_EN)
    weights = weakref.ref(next(models(resident)[0]._model._loaded.model.parameters()))
    reading = resident.stream(run, SOURCES[0], DE_EN)
    next(reading)
    resident.release()
    assert weights() is not None
    reading.close()
    assert weights() is None
