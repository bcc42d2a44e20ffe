"""Systems by id and by name."""

import pytest

from mtlab.errors import InputError
from mtlab.results.systems import (
    System,
    system_names,
    system_of,
    untuned_bases,
    untuned_beside,
)


def test_a_run_and_its_base_are_two_systems(make_run):
    run = make_run({"de-en": 0.2})
    own, base = (system_of(one, {run.id: run}) for one in (run.id, f"base:{run.id}"))
    assert (own.untuned, base.untuned) == (False, True)
    assert [own.id, base.id] == [run.id, f"base:{run.id}"]


def test_a_system_that_is_not_there_is_one_sentence(make_run):
    run = make_run({"de-en": 0.2}, score_base=False)
    with pytest.raises(InputError, match="there is no finished run 'gone'"):
        system_of("base:gone", {run.id: run})
    with pytest.raises(InputError, match=r"untuned base of run run-1 was not scored.*score_base"):
        system_of("base:run-1", {run.id: run})


def test_runs_that_ask_the_same_of_a_base_share_it(make_run):
    runs = [make_run({"de-en": 0.2}, size=size) for size in (16, 32)]
    runs.append(make_run({"de-en": 0.2}, size=64, decoding={"beams": 1}))
    runs.append(make_run({"de-en": 0.2}, score_base=False))
    bases = untuned_bases(runs)
    assert [one.id for one in bases] == ["base:run-1", "base:run-3"]
    assert untuned_beside(runs[1], bases).id == "base:run-1"
    assert untuned_beside(runs[2], bases).id == "base:run-3"


def test_names_say_what_systems_differ_in(make_run):
    def names(*runs, base=False):
        found = [System((run,)) for run in runs]
        return system_names([System((runs[0],), untuned=True), *found] if base else found)

    small, large = make_run({"de-en": 0.2}, size=16), make_run({"de-en": 0.2}, size=2048)
    assert names(small, large, base=True) == ["nano untuned", "16 pairs", "2,048 pairs"]
    noisy = make_run({"de-en": 0.2}, size=16, noise={"kind": "word", "side": "both", "ratio": 0.5})
    assert names(small, noisy) == ["16 pairs, clean", "16 pairs, word noise on both sides, 50%"]
    other = make_run({"de-en": 0.2}, size=16, train=("en-de",))
    assert names(small, other) == ["16 pairs, de-en only", "16 pairs, en-de only"]
    seed = make_run({"de-en": 0.2}, size=16, seed=3)
    assert names(small, seed) == ["16 pairs, seed 0", "16 pairs, seed 3"]
    again = make_run({"de-en": 0.2}, size=16)
    assert names(small, again) == ["16 pairs, run-1", f"16 pairs, {again.id}"]
    named = make_run({"de-en": 0.2}, name="=mine")
    assert names(named, large) == ["=mine", "2,048 pairs"]
    sly = make_run({"de-en": 0.2}, name="nano untuned")
    assert names(sly, base=True) == [f"nano untuned, base:{sly.id}", f"nano untuned, {sly.id}"]
    shown = make_run({"de-en": 0.2}, train=(), size=3, training={"method": "few-shot"})
    assert names(shown) == ["nano, 3 examples shown"]
