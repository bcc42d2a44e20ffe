"""What the form says before anything runs, without a browser."""

import pytest

from mtlab.lab import Lab
from mtlab.ui.form import BLANK
from mtlab.ui.launch.outlook import outlook
from mtlab.ui.launch.preview import facts_html, pairs_html, problems_html


@pytest.fixture
def lab(home):
    opened = Lab(home)
    yield opened
    opened.close()


def test_the_untouched_form(lab):
    seen = outlook(lab, BLANK)
    assert seen.problems == {} and seen.seeds == (0,)
    assert seen.command == "mtlab run --base nano --size 32 --train de-en --train en-de"
    assert seen.yaml == "train:\n- de-en\n- en-de\n"
    notes = seen.notes()
    hints = {"method": "Here: full", "test": "As trained: de-en, en-de"}
    assert notes["problems"] == {} and notes["hints"] == hints
    # What the empty fields come to for this base and this size.
    assert notes["defaults"]["learning_rate"] == "0.0003"
    assert notes["defaults"]["steps"] == "10"
    assert notes["defaults"]["max_new_tokens"] == "128"
    larger = outlook(lab, {**BLANK, "size": "1024"}).notes()
    assert larger["defaults"]["steps"] == "48"
    facts = facts_html(seen)
    assert 'class="fits"' in facts and "a rough guess" in facts
    assert "8 of 32 training pairs: 16 de-en, 16 en-de" in pairs_html(seen)
    assert problems_html(seen) == ""


def test_several_seeds_are_a_sweep(lab):
    seen = outlook(lab, {**BLANK, "seed": "3 seeds", "name": "mine"})
    assert seen.notes()["hints"]["seed"] == "3 seeds: 0, 1, 2"
    assert seen.command == "mtlab sweep sweep.yaml"
    assert [spec.seed for spec in seen.experiment.specs()] == [0, 1, 2]
    assert "3 runs, about " in facts_html(seen)
    assert "seeds:\n- 0\n- 1\n- 2" in seen.yaml


def test_all_says_how_many_that_is(lab):
    seen = outlook(lab, {**BLANK, "size": "All", "train": ["de-en"]})
    assert seen.notes()["hints"]["size"] == f"{seen.spec.size:,} pairs"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"learning_rate": "7"}, "learning_rate", "7 is out of range: give more than 0"),
        ({"train": []}, "train", "no training direction is chosen: choose at least one."),
        ({"base": "no such <b>model</b>"}, "base", "there is no base model 'no such <b>model</b>'"),
        ({"size": "5000000"}, "size", "5,000,000"),
        ({"train": ["cs-en"]}, "train", "cs-en"),
        ({"test": ["de-ja"]}, "test", "de-ja"),
        ({"corpus": "nowhere.tsv"}, "corpus", "nowhere.tsv"),
        ({"noise_kind": "sentence"}, "translator", "no run has finished yet"),
        ({"noise_kind": "word", "dictionary_path": "/no/such.txt"}, "dictionary_path", "such.txt"),
        ({"noise_kind": "wrong-language", "language": "zz"}, "language", "zz"),
        ({"seed": "often"}, "seed", "'often' cannot be used: give 0, or 0, 1, 2, or 3 seeds."),
    ],
)
def test_what_is_wrong_is_said_of_its_field_and_nothing_is_shown(lab, changes, field, says):
    seen = outlook(lab, {**BLANK, **changes})
    assert list(seen.problems) == [field]
    assert says in seen.notes()["problems"][field]
    assert (seen.command, seen.yaml, pairs_html(seen), facts_html(seen)) == ("", "", "", "")
    assert problems_html(seen).count('class="notice problem"') == 1
    assert "<b>" not in problems_html(seen)


def test_a_model_that_is_too_large_is_said_of_the_base(lab):
    seen = outlook(lab, {**BLANK, "base": "llama-2-7b", "method": "full"})
    assert "Does not fit: at least 100.4 GiB" in seen.notes()["problems"]["base"]
    assert 'class="too-large"' in facts_html(seen)
    assert "training pairs" in pairs_html(seen)


def test_a_model_that_is_not_here_is_not_asked_for(lab):
    seen = outlook(lab, {**BLANK, "base": "owner/name"})
    assert seen.problems == {} and 'class="unknown"' in facts_html(seen)


def test_a_fault_of_ours_is_told_and_never_raised(lab, monkeypatch, caplog):
    monkeypatch.setattr(lab, "preview", lambda spec: 1 / 0)
    seen = outlook(lab, BLANK)
    assert "the preview failed inside the lab" in problems_html(seen)
    assert "ZeroDivisionError" in caplog.text
