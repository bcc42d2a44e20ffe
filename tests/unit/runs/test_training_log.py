"""What a person follows of a run's events."""

from mtlab.runs.events import Event
from mtlab.runs.training_log import thinned, training_log


def events(*rows):
    return [Event(seq, 0.0, kind, data) for seq, (kind, data) in enumerate(rows, 1)]


def sample(step, said, source="a"):
    return "sample", {"step": step, "direction": "de-en", "source": source, "hypothesis": said}


def test_events_are_sorted_by_what_they_tell():
    log = training_log(
        events(
            ("phase", {"phase": "train"}),
            ("step", {"step": 1, "loss": 3.0}),
            ("step", {"step": 2, "loss": 2.0}),
            ("probe", {"step": 2, "chrf": 20.0}),
            sample(2, "x"),
            sample(2, "y", source="b"),
            ("note", {"text": "COMET is not available"}),
            ("note", {"text": "COMET is not available"}),
        )
    )
    assert [row["loss"] for row in log.steps] == [3.0, 2.0]
    assert [row["step"] for row in log.probes] == [2]
    assert [one["hypothesis"] for one in log.samples[2]] == ["x", "y"]
    assert log.notes == ("COMET is not available",)


def test_of_steps_told_again_after_a_resumption_the_last_telling_counts():
    log = training_log(
        events(
            ("step", {"step": 1, "loss": 3.0}),
            ("step", {"step": 2, "loss": 9.0}),
            sample(2, "old"),
            ("step", {"step": 2, "loss": 2.0}),
            sample(2, "new"),
        )
    )
    assert [(row["step"], row["loss"]) for row in log.steps] == [(1, 3.0), (2, 2.0)]
    assert [one["hypothesis"] for one in log.samples[2]] == ["new"]


def test_an_event_without_its_step_is_passed_over():
    log = training_log(events(("step", {"loss": 1.0}), ("sample", {"step": "x"})))
    assert log.steps == () and log.samples == {}


def test_thinning_keeps_the_ends_and_even_distances():
    rows = list(range(1000))
    assert thinned(rows, 3) == [0, 500, 999]
    assert thinned(rows[:3], 3) == [0, 1, 2]
    assert len(set(thinned(rows, 400))) == 400
