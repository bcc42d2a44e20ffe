"""The demonstration's sentences, by how its run stands."""

import pytest

from mtlab.lab import Lab
from mtlab.runs.status import PHASES
from mtlab.ui.walk import DEMONSTRATION, GROUP, walk_html

TABS = ("launch", "runs", "compare", "translate")


@pytest.fixture
def run(home):
    lab = Lab(home)
    record = lab.store.create(DEMONSTRATION)
    yield lab.run(record.id)
    lab.close()


def told(run, **changes):
    return walk_html(run, run.status().with_changes(**changes), TABS)


def test_every_phase_has_its_own_sentence(run):
    sentences = {told(run, state="running", phase=phase) for phase in PHASES}
    assert len(sentences) == len(PHASES)
    assert all("starts" not in sentence for sentence in sentences)


def test_one_step_is_the_present_one(run):
    for phase, step in (("base", "Before"), ("train", "Training"), ("decode", "After")):
        html = told(run, state="running", phase=phase)
        assert html.count("aria-current") == 1
        assert f"<li aria-current=step>{step}</li>" in html


def test_it_leads_on_when_it_is_done_and_not_before(run):
    before = told(run, state="running", phase="train")
    assert before.count('data-click="go"') == 1 and 'data-value="runs"' in before
    done = told(run, state="finished")
    assert [f'data-value="{tab}"' in done for tab in ("compare", "translate", "launch")] == [
        True
    ] * 3
    assert 'data-value="results"' not in done, "there is no such tab here"


def test_a_failure_says_what_to_do(run):
    error = {"what": "the <disk> is full", "why": None, "fix": "free some space"}
    html = told(run, state="failed", error=error)
    assert "The demonstration has failed: the &lt;disk&gt; is full: free some space." in html
    assert "The demonstration was stopped." in told(run, state="stopped")


def test_it_waits_for_its_turn(run):
    assert "waits for its turn" in told(run)


def test_it_is_known_by_its_group():
    assert DEMONSTRATION.group == GROUP and DEMONSTRATION.size == 32
