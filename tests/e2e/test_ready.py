"""A real job that stood ready: the run is what it would have been, under its own identity."""

from dataclasses import replace
from pathlib import Path

import pytest

from mtlab import Lab, RunSpec
from mtlab.corpora import open_corpus
from mtlab.runs.identity import carries, find_by_token
from mtlab.runs.status import Status
from mtlab.spec import Direction
from tests.real_runs import until


@pytest.fixture
def lab(home):
    made = Lab(replace(home, spare_minutes=10))
    yield made
    made.close()


def test_a_run_begins_in_the_process_that_stood_ready(lab, tmp_path: Path) -> None:
    test = open_corpus("everyday", lab.settings).test(Direction.parse("de-en"))
    outputs = tmp_path / "theirs.txt"
    outputs.write_text("".join(f"{pair.target}\n" for pair in test), encoding="utf-8")
    spec = RunSpec(
        base=f"outputs:{outputs}", test=("de-en",), training={"method": "none"}, metrics=("bleu",)
    )
    lab.expect(lab.preview(spec).spec)
    lab.supervisor.tick()
    token = lab.supervisor._ready.token_for("cpu")
    until(lambda: find_by_token(str(token)))
    standing = find_by_token(str(token))
    assert standing is not None and standing.is_alive()
    run = lab.launch(spec)
    seen: list[Status] = []
    while not (status := run.wait(timeout=0.05)).is_over:
        seen += [status] if status.pid is not None else []
    assert status.state == "finished", status.sentence
    assert {one.pid for one in seen} == {standing.pid}
    assert {(one.token, one.started) for one in seen} == {(token, standing.started)}
    assert run.scores()["de-en"]["bleu"]["value"] == pytest.approx(100)
    assert "--- attempt 1" in run.log_tail()
    until(lambda: find_by_token(str(token)) is None and not carries(standing.pid, str(token)))
