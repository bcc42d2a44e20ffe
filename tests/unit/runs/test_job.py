"""The job's process, without a model: whether it starts over with half the batch."""

import os

import pytest

from mtlab.halving import halved
from mtlab.runs import job, provenance
from mtlab.runs.reporting import Reporter


class Began(Exception):
    """In place of the process that starts over."""


@pytest.fixture
def reporter(store, spec):
    record = store.create(spec)
    status = store.status(record.id).with_changes(state="running", token="mtlab-x", phase="train")
    made = Reporter(record.folder, status)
    yield made
    made._done.set()


@pytest.fixture
def began(monkeypatch):
    commands = []

    def execv(program, command):
        commands.append(command)
        raise Began

    monkeypatch.setattr(os, "execv", execv)
    return commands


def test_it_starts_over_as_itself_and_says_so(store, spec, reporter, began):
    with pytest.raises(Began):
        job._begin_again_lighter(reporter.folder, reporter, spec)
    run = reporter.status.id
    assert began[0][-3:] == [str(reporter.folder), "--token", "mtlab-x"]
    assert store.written_status(run).halved == ("training",)
    assert store.written_status(run).state == "running"
    assert (
        "once more with half the batch (8 pairs a batch, 16 a step" in store.events(run)[0]["text"]
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"halved": ("training",)},
        {"halved": ("decoding",)},
        {"phase": "load"},
        {"phase": "score"},
        {"phase": None},
    ],
)
def test_once_and_only_where_it_helps(spec, reporter, began, changes):
    reporter._status = reporter.status.with_changes(**changes)
    job._begin_again_lighter(reporter.folder, reporter, spec)
    assert began == []


def test_a_batch_of_one_is_the_end_of_it(spec, reporter, began):
    one = spec.with_changes(training__batch_size=1, training__accumulation=16)
    job._begin_again_lighter(reporter.folder, reporter, one)
    assert began == []


def test_what_was_used_is_halved_and_not_what_was_allowed(lab, store, spec, reporter, began):
    reporter._status = reporter.status.with_changes(phase="decode")
    provenance.record(reporter.folder, token_budget=8192)
    with pytest.raises(Began):
        job._begin_again_lighter(reporter.folder, reporter, spec)
    run = lab.run(reporter.status.id)
    assert "half the batch (4096 tokens a batch)" in store.events(run.id)[0]["text"]
    assert run.spec.decoding.token_budget > 8192
    assert run.spec_as_used().decoding.token_budget == 4096
    assert halved(run.spec_as_used()).decoding.token_budget == 2048, "what the page's button does"


def test_what_cannot_be_halved_any_more_is_not_tried_again(spec, reporter, began):
    reporter._status = reporter.status.with_changes(phase="decode")
    provenance.record(reporter.folder, token_budget=64)
    job._begin_again_lighter(reporter.folder, reporter, spec)
    assert began == []
