"""Another process that shares a run's work: it translates, and its death is told."""

from __future__ import annotations

import queue
from types import SimpleNamespace

import pytest

from mtlab.decoding import answer_parcel, translate
from mtlab.errors import MtlabError, NotAvailable, RunFailed
from mtlab.models import load
from mtlab.presets import Base
from mtlab.prompts import Template
from mtlab.runs import crew as crew_module
from mtlab.runs.crew import Crew, MateLost, _Mate, share_of_threads
from mtlab.runs.mate import Trouble
from mtlab.spec import Decoding, Direction, RunSpec


def test_it_translates_and_its_death_is_told(tmp_path, tiny_model, home, monkeypatch):
    monkeypatch.setattr(crew_module, "_STUCK", 0.1)
    stuck: queue.Queue[MtlabError] = queue.Queue()
    spec = RunSpec(base=str(tiny_model), train=["de-en"], devices=2, training={"precision": "fp32"})
    loaded = load(Base("t", "t", path=tiny_model), precision="fp32", device="cpu", settings=home)
    decoding = Decoding(beams=2, max_new_tokens=8, token_budget=64)
    asked = ["Das Haus ist rot.", "Ich lese ein Buch."]
    expected = translate(loaded, asked, Direction.parse("de-en"), decoding, Template())
    crew = Crew(tmp_path, spec, home, stuck.put)
    try:
        hands = crew.hands("base")
        seen = []

        def one_by_one(parcels, own, poll):
            """Each batch alone: the other process takes the first, and there is no second."""
            for number, parcel in enumerate(parcels):
                [(_, answers)] = hands([parcel], lambda _: pytest.fail("not here"), poll)
                assert answers == answer_parcel(loaded, parcel, lambda: None)
                seen.append(number)
                yield number, answers

        direction = Direction.parse("de-en")
        found = translate(loaded, asked, direction, decoding, Template(), hands=one_by_one)
        assert found == expected and seen == [0, 1]
        with pytest.raises(MateLost), crew.working():
            crew._mates[0].process.kill()
            raise RuntimeError("connection closed by peer")
        assert isinstance(stuck.get(timeout=60), MateLost), "the job may wait for it for ever"
    finally:
        crew.close()


def test_what_is_said_of_its_end():
    def told(trouble, code):
        mate = _Mate.__new__(_Mate)
        mate.rank, mate.trouble, mate.process = 1, trouble, SimpleNamespace(returncode=code)
        return mate

    lost = told(None, -9).loss(2)
    assert isinstance(lost, MateLost) and lost.sentence() == (
        "process 2 of the 2 that shared the work ended (it was killed, most often because the "
        "machine's memory ran out): resume it."
    )
    memory = told(Trouble("OutOfMemoryError: CUDA out of memory", None, None, True, False), 1)
    assert isinstance(memory.loss(2), NotAvailable)
    assert "memory ran out in process 2 of the 2" in memory.loss(2).sentence()
    other = told(Trouble("RuntimeError: closed by peer", None, None, False, False), 1)
    assert isinstance(other.loss(2), RunFailed) and not isinstance(other.loss(2), MateLost)
    killed = told(None, -9)
    assert min([other, killed, memory], key=_Mate.blame) is memory
    assert min([other, killed], key=_Mate.blame) is killed


def test_threads_are_divided(home):
    from dataclasses import replace

    spec = RunSpec(train=["de-en"], devices=3)
    assert share_of_threads(replace(home, threads=8), spec).threads == 2
    assert share_of_threads(replace(home, threads=2), spec).threads == 1
    assert share_of_threads(home, RunSpec(train=["de-en"])) == home
