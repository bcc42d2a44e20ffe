"""COMET through the real package, the real worker process and tiny real checkpoints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mtlab.errors import InputError, NotAvailable
from mtlab.scoring.comet import CometScorer, _Worker, comet_status
from mtlab.scoring.comet_env import find_env
from mtlab.scoring.values import Score, Unavailable
from mtlab.settings import Settings
from tests.comet_checkpoints import TinyComet

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def scorer(comet_settings: Settings, tiny_comet: TinyComet) -> Iterator[CometScorer]:
    with CometScorer(comet_settings, str(tiny_comet.regression)) as scorer:
        yield scorer


def comet_workers() -> set[int]:
    """The pids of this process's own, other children aside."""
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if any("comet_program" in word for word in child.cmdline()):
                found.add(child.pid)
    return found


def scores_of(
    scorer: CometScorer, tiny: TinyComet, systems: dict[str, list[str]] | None = None
) -> dict[str, Score]:
    answers = scorer.score(tiny.sources, tiny.references, systems or tiny.systems)
    scores = {}
    for name, answer in answers.items():
        assert isinstance(answer, Score), answer
        scores[name] = answer
    return scores


def test_scores_are_those_of_predict(scorer: CometScorer, tiny_comet: TinyComet) -> None:
    scores = scores_of(scorer, tiny_comet)
    for name, expected in tiny_comet.predicted(tiny_comet.regression).items():
        assert scores[name].segments == pytest.approx(expected, abs=TOLERANCE)
        assert scores[name].value == pytest.approx(sum(expected) / len(expected), abs=TOLERANCE)
        assert scores[name].n == len(expected)


def test_a_copy_of_the_reference_is_better_than_nonsense(
    scorer: CometScorer, tiny_comet: TinyComet
) -> None:
    scores = scores_of(scorer, tiny_comet)
    copy, half = scores["copy of the reference"], scores["every other word"]
    assert copy.value > half.value > scores["nonsense"].value
    assert copy.low is not None and half.high is not None and copy.low > half.high


def test_the_score_says_how_it_was_made(scorer: CometScorer, tiny_comet: TinyComet) -> None:
    score = scores_of(scorer, tiny_comet)["every other word"]
    assert score.low is not None and score.high is not None
    assert score.low < score.value < score.high
    assert score.signature.startswith("model:regression|revision:sha256-")
    assert "|comet:2.2.7|precision:fp32|n:17|bs:1000|seed:12345" in score.signature
    assert set(score.to_json()) == {"value", "low", "high", "n", "signature", "seed"}


def test_a_system_scores_the_same_alone_and_in_company(
    scorer: CometScorer, tiny_comet: TinyComet
) -> None:
    together = scores_of(scorer, tiny_comet)
    for name, lines in tiny_comet.systems.items():
        alone = scores_of(scorer, tiny_comet, {name: lines})[name]
        assert alone.segments == pytest.approx(together[name].segments, abs=TOLERANCE)


def test_each_text_is_encoded_once(scorer: CometScorer, tiny_comet: TinyComet) -> None:
    scores_of(scorer, tiny_comet)
    n = len(tiny_comet.sources)
    new = {"one": ["A new sentence."] * n, "two": ["Another one.", "A new sentence."] * n}
    new["two"] = new["two"][:n]
    arguments = tiny_comet.sources, tiny_comet.references, new
    assert scorer._answer(*arguments)["encoded"] == 2
    assert scorer._answer(*arguments)["encoded"] == 0


@pytest.mark.parametrize("kind", ["regression", "unified"])
def test_killed_while_it_scores_the_next_worker_goes_on_to_the_very_same(
    scorer: CometScorer, tiny_comet: TinyComet, tmp_path: Path, kind: str
) -> None:
    """What a worker has computed is found by the next one, of this run or another."""
    words = [text for text in tiny_comet.sources for _ in range(3)]
    lines = [f"{text} {' '.join(words[: 2 * n])} {n}" for n, text in enumerate(words)]
    systems = {"one": [text[1:] for text in lines], "two": [text[:-9] for text in lines]}
    arguments = (lines, [text.upper() for text in lines], systems)
    model = str(getattr(tiny_comet, kind))
    told: list[float] = []

    def kill(share: float, text: str) -> None:
        if text == "scoring with COMET" and share and not told:
            told.append(share)
            os.kill(killed._workers[0].pid, signal.SIGKILL)

    settings = replace(scorer.settings, home=tmp_path)
    with CometScorer(settings, model, on_progress=kill) as killed:
        with pytest.raises(NotAvailable, match="signal 9|worker"):
            killed._answer(*arguments)
        killed._end()
        rest = killed._answer(*arguments)
        again = killed._answer(*arguments)
    if kind == "regression":
        whole = scorer._answer(*arguments)
    else:
        with CometScorer(scorer.settings, model) as other:
            whole = other._answer(*arguments)
    assert 0 < rest["encoded"] < whole["encoded"] and again["encoded"] == 0
    assert again["segments"] == rest["segments"] == whole["segments"], "to the last bit"


def test_several_workers_share_what_there_is_to_encode(
    scorer: CometScorer, tiny_comet: TinyComet, tmp_path: Path
) -> None:
    """As on several GPUs, a worker each: what they have encoded, the first does not encode."""
    sources = [f"{text} {number}" for number in range(5) for text in tiny_comet.sources]
    systems = {
        name: [f"{line}." for line in lines] * 5 for name, lines in tiny_comet.systems.items()
    }
    arguments = (sources, [text.upper() for text in sources], systems)
    settings = replace(scorer.settings, home=tmp_path)
    model = str(tiny_comet.regression)
    with CometScorer(settings, model, devices=[{"OMP_NUM_THREADS": "1"}] * 2) as several:
        shared = several._answer(*arguments)
        assert len(several._workers) == 2
    alone = scorer._answer(*arguments)
    assert shared["encoded"] == 0 and alone["encoded"] > 0
    for name in systems:
        assert shared["segments"][name] == pytest.approx(alone["segments"][name], abs=TOLERANCE)


def test_an_unusable_store_changes_no_score(
    comet_settings: Settings, tiny_comet: TinyComet, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "comet.db").write_bytes(b"no database" * 1000)
    settings = replace(comet_settings, home=tmp_path)
    with CometScorer(settings, str(tiny_comet.regression)) as scorer:
        scores = scores_of(scorer, tiny_comet)
    for name, expected in tiny_comet.predicted(tiny_comet.regression).items():
        assert scores[name].segments == pytest.approx(expected, abs=TOLERANCE)


def test_other_model_types_go_through_predict(
    comet_settings: Settings, tiny_comet: TinyComet
) -> None:
    expected = tiny_comet.predicted(tiny_comet.unified)
    seen: list[float] = []
    with CometScorer(
        comet_settings, str(tiny_comet.unified), on_progress=lambda share, text: seen.append(share)
    ) as scorer:
        scores = scores_of(scorer, tiny_comet)
        long = scorer.score(["Wort " * 600], ["word " * 600], {"long": ["word " * 600]})["long"]
    for name, score in scores.items():
        assert score.segments == pytest.approx(expected[name], abs=TOLERANCE)
    assert seen[-1] == 1.0
    assert isinstance(long, Score)
    assert long.low is None and long.high is None
    assert any("one segment" in note for note in long.notes)
    assert any("cut by COMET: 1" in note for note in long.notes)


def test_several_threads_take_turns(scorer: CometScorer, tiny_comet: TinyComet) -> None:
    expected = scores_of(scorer, tiny_comet)
    found: dict[str, Score] = {}

    def score(name: str) -> None:
        system = {name: tiny_comet.systems[name]}
        found.update(scores_of(scorer, tiny_comet, system))

    threads = [threading.Thread(target=score, args=(name,)) for name in tiny_comet.systems]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


@pytest.mark.parametrize(
    ("sources", "references", "hypotheses", "says"),
    [
        ([], [], [], "no references"),
        (["Ja."], ["Yes."], ["Yes.", "No."], "2 hypothesis lines of system 'a' for 1 references"),
        (["Ja.", "Nein."], ["Yes."], ["Yes."], "2 source lines for 1 references"),
        (["Ja.", " "], ["Yes.", "No."], ["Yes.", "No."], "1 of 2 source lines are empty"),
        (["Ja.", "Nein."], ["", "No."], ["Yes.", "No."], "1 of 2 reference lines are empty"),
        (["Ja.", "Nein."], ["Yes.", None], ["Yes.", "No."], "1 of 2 reference lines are missing"),
    ],
)
def test_bad_input_is_refused_before_anything_starts(
    comet_settings: Settings,
    sources: list[str],
    references: list[str],
    hypotheses: list[str],
    says: str,
) -> None:
    scorer = CometScorer(comet_settings, "no such model")
    with pytest.raises(InputError, match=says):
        scorer.score(sources, references, {"a": hypotheses})
    assert not scorer._workers


def test_a_killed_worker_is_replaced_by_one_that_gives_the_same_scores(
    scorer: CometScorer, tiny_comet: TinyComet
) -> None:
    before = scores_of(scorer, tiny_comet)
    killed = scorer._workers[0].pid
    os.kill(killed, signal.SIGKILL)
    assert scores_of(scorer, tiny_comet) == before
    assert scorer._workers[0].pid != killed


def test_a_silent_worker_is_given_up(comet_settings: Settings, tiny_comet: TinyComet) -> None:
    """Loading takes seconds, so half a second of patience is not enough."""
    others = comet_workers()
    scorer = CometScorer(comet_settings, str(tiny_comet.regression), load_timeout=0.5)
    answer = scorer.score(tiny_comet.sources, tiny_comet.references, tiny_comet.systems)["nothing"]
    assert isinstance(answer, Unavailable)
    assert "no sign of life" in answer.why
    assert comet_workers() == others


def test_the_worker_ends_with_its_parent(comet_settings: Settings, tiny_comet: TinyComet) -> None:
    """A parent that is killed outright leaves no worker behind."""
    program = (
        "import sys, time\n"
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from mtlab.scoring.comet import _Worker\n"
        "from mtlab.settings import Settings\n"
        "worker = _Worker(Path(sys.argv[1]), Settings.from_environment(), {})\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    python = find_env(comet_settings)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(python)], stdout=subprocess.PIPE, encoding="utf-8"
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.is_running()
        parent.kill()
    deadline = time.monotonic() + 10
    while worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the worker outlived its parent"
        time.sleep(0.05)


def test_without_the_checkpoint_and_offline_it_says_why_and_what_to_do(
    comet_settings: Settings, tmp_path: Path
) -> None:
    unbuilt = replace(comet_settings, comet_python=None, comet_env=tmp_path / "env")
    with CometScorer(unbuilt, "Unbabel/no-such-comet") as scorer:
        answer = scorer.score(["Ja."], ["Yes."], {"system": ["Yes."]})["system"]
        again = scorer.score(["Nein."], ["No."], {"system": ["No."]})["system"]
    assert isinstance(answer, Unavailable)
    assert "'Unbabel/no-such-comet' is not on this machine" in answer.why
    assert "HF_HUB_OFFLINE" in answer.fix and again == answer
    assert not unbuilt.comet_env.exists(), "nothing is built for a checkpoint that cannot be had"


def test_a_worker_says_why_it_cannot_load_and_goes_on_listening(
    comet_settings: Settings, tiny_comet: TinyComet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a checkpoint it cannot fetch, unbabel-comet itself says only "not supported"."""
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    broken = tmp_path / "broken"
    (broken / "checkpoints").mkdir(parents=True)
    (broken / "checkpoints" / "model.ckpt").write_bytes(b"not a checkpoint")
    (broken / "hparams.yaml").write_text("class_identifier: regression_metric\n")
    python = find_env(comet_settings)
    assert python is not None
    worker = _Worker(python, comet_settings, {})
    asking = {"command": "load", "offline": True, "store": str(tmp_path / "store.db")}
    for model, why, fix in [
        (str(broken), "checkpoint of '.*broken' cannot be loaded", "another checkpoint"),
        ("Unbabel/wmt22-comet-da", "'Unbabel/wmt22-comet-da' cannot be had.*hub", "network"),
    ]:
        worker.send(model=model, **asking)
        with pytest.raises(NotAvailable, match=why) as refused:
            worker.receive("loaded", 120, lambda share, text: None, "loading")
        assert fix in str(refused.value.fix)
    worker.send(model=str(tiny_comet.regression), **asking)
    assert worker.receive("loaded", 120, lambda share, text: None, "loading")["precision"] == "fp32"
    worker.end()


def test_status_without_loading_anything(
    comet_settings: Settings, tiny_comet: TinyComet, tmp_path: Path
) -> None:
    checkpoint = str(tiny_comet.regression)
    assert comet_status(comet_settings, checkpoint) is None
    (tmp_path / "something else").touch()
    for settings, model, says in [
        (comet_settings, "Nobody/no-such-comet", "hub cannot be reached"),
        (comet_settings, str(tmp_path), "no COMET checkpoint"),
        (replace(comet_settings, comet_python=tmp_path / "python"), checkpoint, "is no program"),
        (replace(comet_settings, comet_python=None, comet_env=tmp_path), checkpoint, "else lies"),
    ]:
        problem = comet_status(settings, model)
        assert problem is not None and says in problem.why and problem.fix
