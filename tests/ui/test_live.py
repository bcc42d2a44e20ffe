"""Live answers and votes as the page shows them, without a browser and without a model."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from mtlab import RunSpec
from mtlab.decoding import Hypothesis
from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.results.showing import begin
from mtlab.results.votes import Votes, summed
from mtlab.spec import Direction
from mtlab.ui import build
from mtlab.ui.answers import cards, marked, plain, votes_html
from mtlab.ui.choosing import newest_finished, offered, system_choices
from mtlab.ui.live import stopped, watch

DE_EN = Direction.parse("de-en")
HOSTILE = "<img src=x onerror=alert(1)> {{x}} ${y}"
SOURCE = "Wir haben den letzten Bus knapp verpasst."
ANSWERS = {
    "one": "We only just missed the last bus.",
    "two": SOURCE,
    "broken": InputError("it is gone", field="model", fix="choose another"),
}


class FakeLab:
    """Writes its answers word by word."""

    def stream(self, model, source, direction):
        answer = ANSWERS[model]
        if isinstance(answer, InputError):
            raise answer
        return self._drafts(answer.split())

    def _drafts(self, words):
        for count in range(1, len(words)):
            yield Hypothesis(" ".join(words[:count]), False, count)
        yield Hypothesis(" ".join(words), True, len(words))


def showing_of(*systems, reference=""):
    named = [(f"the {system} system", system) for system in systems]
    return begin(SOURCE, DE_EN, named, reference=reference)


def seen(showing):
    return list(watch(FakeLab(), showing))


@pytest.fixture
def every_draft(monkeypatch):
    monkeypatch.setattr("mtlab.ui.live.DRAFT_SECONDS", 0)


def test_systems_answer_one_after_another_and_are_watched(every_draft):
    steps = seen(showing_of("one", "two"))
    stages = [tuple(answer.stage for answer in step.answers) for step in steps]
    assert list(dict.fromkeys(stages)) == [
        ("waiting", "waiting"), ("loading", "waiting"), ("decoding", "waiting"),
        ("done", "waiting"), ("done", "loading"), ("done", "decoding"), ("done", "done"),
    ]  # fmt: skip
    texts = list(dict.fromkeys(step.answers[0].text for step in steps))
    assert texts == ["", *(" ".join(ANSWERS["one"].split()[:n]) for n in range(1, 8))]
    last = steps[-1]
    assert last.is_over and last.answers[0].tokens == 7 and last.answers[0].seconds > 0
    assert last.answers[1].remarks.failures[:1] == ("copy",)


def test_drafts_are_shown_at_the_pace_of_reading():
    assert len(seen(showing_of("one"))) <= 5


def test_a_system_that_fails_leaves_the_others_alone():
    last = seen(showing_of("broken", "one"))[-1]
    assert [answer.stage for answer in last.answers] == ["failed", "done"]
    html = cards(last, plain)
    assert "model: it is gone: choose another." in html and "missed the last bus" in html


def test_what_is_stopped_stays_as_far_as_it_came(every_draft):
    halfway = seen(showing_of("one", "two"))[5]
    assert halfway.answers[0].stage == "decoding"
    halted = stopped(halfway)
    assert halted.is_over and halted.answers[0].text == halfway.answers[0].text != ""
    assert cards(halted, plain).count("stopped") == 2


def test_a_card_tells_language_length_failures_and_speed():
    html = cards(
        seen(showing_of("one", "two", reference="We just missed the last bus."))[-1], plain
    )
    for said in ("English", "length 0.76 × source", "chrF 8", "done in 0.0 s", "tokens/s"):
        assert said in html
    for said in ('class="badge"', "copy", "off-target: German", "sentence chrF: nrefs:1|"):
        assert said in html
    assert 'aria-busy="false"' in html


def test_before_a_vote_nothing_tells_which_system_is_which(every_draft):
    *_, last = steps = seen(showing_of("one", "two", "broken").blinded())
    for step in steps:
        html = cards(step, plain)
        assert "system" not in html and "tokens/s" not in html and "badge" not in html
        assert "it is gone" not in html
    assert last.can_be_voted_on
    after, _ = last.vote(last.choices[0], None)
    html = cards(after, plain)
    assert html.count("your choice") == 1 and "the one system" in html and "tokens/s" in html


def test_differences_are_marked_against_the_reference_or_another_answer():
    done = seen(showing_of("one", "two"))[-1]
    other = replace(done.answers[1], text="We only just missed the first bus.")
    html = cards(done.with_answer(1, other), marked)
    assert html.count("<mark>") == 2
    assert "<mark>last</mark>" in html and "<mark>first</mark>" in html
    assert "in the first, that the second does not have" in html
    referred = replace(done, reference="We just missed the last bus.")
    assert "<mark>only</mark>" in cards(referred, marked)
    alone = seen(showing_of("one"))[-1]
    assert "<mark>" not in cards(alone, marked) and "need a second system" in cards(alone, marked)


def test_hostile_text_and_names_are_shown_and_never_run():
    showing = begin(SOURCE, DE_EN, [(HOSTILE, "one"), (HOSTILE, "two")], reference=HOSTILE)
    last = seen(showing)[-1]
    last = last.with_answer(0, replace(last.answers[0], text=HOSTILE))
    failed = last.with_answer(1, replace(last.answers[1], stage="failed", problem=HOSTILE))
    _, vote = last.blinded().vote("A", None)
    shown = [cards(last, plain), cards(last, marked), cards(failed, plain)]
    shown.append(votes_html(summed([vote]), 1))
    for html in shown:
        assert "<img" not in html and "{{" not in html and "${" not in html
        assert "&lt;img" in html


def test_votes_are_a_sentence_and_a_table():
    assert "No votes yet" in votes_html([], 0)
    last = seen(showing_of("one", "two"))[-1].blinded(lambda answers: None)
    cast = [last.vote("A", None)[1]] * 7 + [last.vote("tie", None)[1]]
    html = votes_html(summed(cast), len(cast))
    assert "the one system was preferred to the two system in 7 of 7 decided votes" in html
    assert "59% to 100%" in html and "p = 0.016" in html and "8 votes, kept in votes.jsonl" in html


@pytest.fixture
def lab(home, monkeypatch):
    made = Lab(home)
    monkeypatch.setattr(made.supervisor, "start", lambda: None)
    yield made
    made.close()


def test_only_what_can_translate_is_offered_and_nothing_else_is_taken(lab, tmp_path, tiny_model):
    spec = RunSpec(size=8, train=("de-en",), metrics=("bleu",))
    none = {"training": {"method": "none"}, "test": ("de-en",), "train": ()}
    runs = {
        "saved": spec,
        "stopped": spec,
        "nothing saved": spec,
        "failed": spec,
        "few-shot": spec.with_changes(training__method="few-shot", test=("de-en",)),
        "of another base": spec.with_changes(base=str(tiny_model)),
        "a base as it is": spec.with_changes(**{"training__method": "none", **none}),
    }
    states = {"failed": "failed", "stopped": "stopped"}
    made = {}
    for name, one in runs.items():
        made[name] = lab.store.create(one.with_changes(name=name))
        state = states.get(name, "finished")
        status = lab.store.status(made[name].id).with_changes(state=state)
        lab.store.write_status(made[name].id, status)
        if name in ("saved", "stopped", "failed", "of another base"):
            (made[name].folder / "adapter").mkdir()
    choices = system_choices(lab)
    assert choices[0] == ("nano, untuned", "base:nano")
    assert choices[1] == (f"{tiny_model.name}, untuned", f"base:{tiny_model}")
    offered_runs = {model for _, model in choices[2:]}
    wanted = ("saved", "stopped", "few-shot", "of another base", "a base as it is")
    assert offered_runs == {made[name].id for name in wanted}
    assert newest_finished(lab) in offered_runs
    picked = [made["saved"].id, "base:nano", made["saved"].id]
    assert [model for _, model in offered(lab, picked)] == picked[:2]
    for model in (made["failed"].id, str(tmp_path), f"base:{tmp_path}", "latest", "nano", None, 3):
        with pytest.raises(InputError, match="is not a system of this lab"):
            offered(lab, [model])


def test_handlers_take_no_system_and_no_vote_that_was_not_offered(lab):
    handlers = {fn.name: fn.fn for fn in build(lab).fns.values()}
    guest = SimpleNamespace(session_hash="guest", client=SimpleNamespace(host="10.0.0.1"))
    for model in ("/etc", "base:/etc", "20260101-000000-abcd"):
        stream = handlers["answer"]("Ja.", "", ("", ""), "de", "en", [model], False, False, guest)
        with pytest.raises(gr.Error, match="is not a system of this lab"):
            next(stream)
    with pytest.raises(gr.Error, match="translates a language into itself"):
        next(
            handlers["answer"]("Ja.", "", ("", ""), "de", "de", ["base:nano"], False, False, guest)
        )
    with pytest.raises(gr.Error, match="vote: nothing was shown"):
        handlers["vote"](None, False, "all", guest)
    assert not Votes(lab.settings.home).path.exists()
