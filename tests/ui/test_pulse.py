"""What open pages ask of the app stays bounded, and they are told of news and of nothing else."""

from types import SimpleNamespace

import gradio as gr
import pytest

from mtlab import Lab
from mtlab.ui.pulse import MOST_A_SECOND, PACES, Crowd, Pulse
from mtlab.ui.runs_tab import build_runs_tab
from mtlab.ui.wires import Wires
from tests.written_runs import written_home


@pytest.mark.parametrize("pages", [1, 7, 20, 50, 90])
def test_the_more_pages_ask_the_less_often_each_does(pages):
    now = [0.0]
    crowd = Crowd(lambda: now[0])
    paces = [crowd.pace(str(page)) for page in range(pages)]
    assert paces[0] == PACES[0] and paces == sorted(paces)
    assert pages / paces[-1] <= MOST_A_SECOND
    now[0] = 3600.0
    assert crowd.pace("one more") == PACES[0], "the others are gone"


def asking(pulse, page):
    """What one visitor's timer asks."""
    (ask,) = [fn.fn for fn in page.fns.values() if (pulse.timer._id, "tick") in fn.targets]
    return lambda *values: ask(SimpleNamespace(session_hash="me"), *values)


def test_news_are_told_once_and_of_each_part():
    words = {"one": "a", "other": "x"}
    with gr.Blocks() as page:
        parts = {name: lambda name=name: words[name] for name in words}
        pulse = Pulse(parts, [])
    ask = asking(pulse, page)
    assert ask(PACES[0], "", "") == [gr.skip(), "a", "x"]
    assert ask(PACES[0], "a", "x") == [gr.skip()] * 3
    words["one"] = "b"
    timer, *news = ask(24.0, "a", "x")
    assert timer.value == PACES[0] and news == ["b", gr.skip()]


def test_whatever_a_run_writes_is_news_to_who_looks_at_it(tmp_path, monkeypatch):
    monkeypatch.setattr("mtlab.results.overview.GLANCE_SECONDS", 0.0)
    with written_home(tmp_path / "home") as home, gr.Blocks() as page:
        run = home.run(state="running", steps=2)
        other = home.run(bleu={"de-en": 12.0})
        pulse = build_runs_tab(Lab(home.settings), Wires.made()).pulse
        ask = asking(pulse, page)

        def news(opened):
            return ask(PACES[0], "", "", opened)[2]

        for name in ("events.jsonl", "job.log", "provenance.json", "scores.json", "stop.json"):
            mine, others = news(run), news(other)
            with open(home.folder(run) / name, "a") as file:
                file.write("\n")
            assert news(run) != mine and news(run) == news(run), name
            if name != "scores.json":
                assert news(other) == others, name
        assert news("no such run") == "none"
        runs = ask(PACES[0], "", "", run)[1]
        home.change(run, progress=0.5)
        assert ask(PACES[0], "", "", run)[1] != runs, "the matrix shows it"
