"""The HTTP API's functions, called as Gradio calls them; `tests/e2e/test_api.py` uses HTTP."""

from types import SimpleNamespace

import gradio as gr
import pytest

from mtlab.lab import Lab
from mtlab.settings import Settings
from mtlab.ui import api as api_module
from mtlab.ui import build, serving

GUEST = SimpleNamespace(session_hash="guest", client=SimpleNamespace(host="10.0.0.1"))


@pytest.fixture
def lab(home, monkeypatch):
    made = Lab(home)
    monkeypatch.setattr(made.supervisor, "start", lambda: None)
    yield made
    made.close()


@pytest.fixture
def api(lab):
    return endpoints(lab)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A lab in which nothing is ever launched, and its endpoints."""
    home = tmp_path_factory.mktemp("empty") / "home"
    lab = Lab(Settings.from_environment({"MTLAB_HOME": str(home)}))
    return SimpleNamespace(lab=lab, api=endpoints(lab))


def endpoints(lab):
    """The endpoints as functions by their names."""
    page = build(lab)
    found = {fn.api_name: fn.fn for fn in page.fns.values() if fn.api_visibility == "public"}
    assert set(found) == {"launch", "status", "results", "translate", "score"}
    return SimpleNamespace(**found)


def test_a_run_is_launched_and_asked_after(api, lab):
    run = api.launch({"size": 8, "train": ["de-en"], "test_limit": 4, "metrics": ["bleu"]})
    (launched,) = lab.runs()
    assert launched.id == run and launched.spec.size == 8 and launched.spec.test_limit == 4
    assert api.status(run) == {
        "id": run, "state": "queued", "phase": None, "progress": 0.0,
        "sentence": f"{run} is queued.", "error": None,
    }  # fmt: skip
    assert api.results(run) == launched.summary()
    status = launched.status()
    running = status.with_changes(
        state="running", phase="train", progress=0.5, detail="step 6 of 12", pid=1
    )
    assert (
        api_module._standing(running)["sentence"] == f"{run} is running: train, 50% (step 6 of 12)."
    )
    error = {"what": "the disk is full", "why": None, "fix": "free some"}
    failed = api_module._standing(status.with_changes(state="failed", error=error))
    assert failed["sentence"] == f"{run} is failed: the disk is full: free some."


def test_a_text_is_translated_by_what_is_offered_alone(api, tiny_model):
    answer = api.translate(GUEST, " Ja. ", "de-en", "nano")
    assert answer["system"] == "base:nano" and answer["direction"] == "de-en"
    assert isinstance(answer["hypothesis"], str) and answer["tokens"] > 0
    assert set(answer) == {
        "hypothesis", "failures", "language", "length_ratio", "ended", "tokens", "system",
        "direction",
    }  # fmt: skip
    assert answer == api.translate(GUEST, "Ja.", "de-en", "base:nano")
    for name in (str(tiny_model), f"base:{tiny_model}", "qwen2.5-0.5b", "20260101-000000-abcd"):
        with pytest.raises(gr.Error, match="is not a system of this lab"):
            api.translate(GUEST, "Ja.", "de-en", name)


def test_systems_are_scored_as_the_lab_scores_them(api, lab):
    asked = {
        "direction": "de-en",
        "sources": ["Das Haus ist rot.", "Ich lese."],
        "references": ["The house is red.", "I am reading."],
    }
    lines = {"one": ["The house is red.", "I am reading."], "two": ["Das Haus ist rot.", ""]}
    found = api.score(GUEST, hypotheses=lines, metrics=["chrf"], **asked)
    assert found == lab.score(systems=lines, metrics=("chrf",), **asked)
    assert set(api.score(GUEST, hypotheses=lines, **asked)["systems"][0]["scores"]) == {
        "bleu",
        "chrf",
    }


SCORED = {"direction": "de-en", "sources": ["a"], "hypotheses": {"x": ["a"]}, "references": ["a"]}


@pytest.mark.parametrize(
    ("endpoint", "arguments", "says"),
    [
        ("launch", {"spec": "size: 8"}, "spec: a spec is an object"),
        ("launch", {"spec": {"train": ["de-en"], "sise": 8}}, "sise: there is no such field"),
        ("launch", {"spec": {"train": [{"x": 1}]}}, "train: .* is not a direction"),
        ("launch", {"spec": {"size": 8}}, "train: nothing is given"),
        ("launch", {"spec": {"train": ["de-en"], "template": "x" * 100_001}}, "spec is too long"),
        ("launch", {"spec": {"train": ["de-en"], "corpus": "/etc/passwd"}}, "corpus: a file or"),
        ("launch", {"spec": {"train": ["de-en"], "base": "/models"}}, "base: a file or folder"),
        ("status", {"run": "../../etc"}, "run: there is no run"),
        ("status", {"run": 7}, "run: nothing is typed"),
        ("results", {"run": "20260101-000000-abcd"}, "run: there is no run"),
        ("translate", {"text": "", "direction": "de-en"}, "text: nothing is typed"),
        ("translate", {"text": "x" * 1001, "direction": "de-en"}, "1,001 characters are too many"),
        ("translate", {"text": ["x"], "direction": "de-en"}, "text: nothing is typed"),
        ("translate", {"text": "Ja.", "direction": "de-xx"}, "not a language this lab knows"),
        ("translate", {"text": "Ja.", "direction": None}, "direction: nothing is typed"),
        ("translate", {"text": "Ja.", "direction": "de-en"}, "system: no run has finished yet"),
        ("score", {**SCORED, "sources": "a"}, "sources: that is no list of texts"),
        ("score", {**SCORED, "sources": ["a"] * 10_001}, "10,001 segments are too many"),
        ("score", {**SCORED, "sources": ["a", "b"]}, "2 source lines for 1 references"),
        ("score", {**SCORED, "references": [1]}, "references: that is no list of texts"),
        ("score", {**SCORED, "references": ["\ud800"]}, "references: it holds halves"),
        ("score", {**SCORED, "references": ["x" * 2_000_000]}, "bytes of text are too many"),
        ("score", {**SCORED, "hypotheses": ["a"]}, "hypotheses: these are not systems"),
        ("score", {**SCORED, "hypotheses": {}}, "hypotheses: these are not systems"),
        ("score", {**SCORED, "hypotheses": {str(n): ["a"] for n in range(9)}}, "not systems"),
        ("score", {**SCORED, "hypotheses": {"x": "a"}}, "x: that is no list of texts"),
        ("score", {**SCORED, "metrics": ["bleu", "ter"]}, "metrics: that is no list of metrics"),
        ("score", {**SCORED, "metrics": "bleu"}, "metrics: that is no list of metrics"),
        ("score", {**SCORED, "metrics": [["bleu"]]}, "metrics: that is no list of metrics"),
    ],
)
def test_what_cannot_be_done_is_one_clear_sentence(empty, endpoint, arguments, says):
    if endpoint in ("translate", "score"):
        guest = SimpleNamespace(session_hash=says, client=SimpleNamespace(host=says))
        arguments = {"request": guest, **arguments}
    with pytest.raises(gr.Error, match=says) as caught:
        getattr(empty.api, endpoint)(**arguments)
    assert "&#" not in caught.value.message and "Something went wrong" not in caught.value.message
    assert caught.value.message.count("\n") == 0
    assert empty.lab.runs() == []


def test_translations_are_paced(api, lab, monkeypatch):
    answer = SimpleNamespace(text="Yes.", ended=True, tokens=2, note=None)
    monkeypatch.setattr(lab, "translate", lambda *_: [answer])
    for _ in range(20):
        api.translate(GUEST, "Ja.", "de-en", "nano")
    with pytest.raises(gr.Error, match="faster than this lab answers"):
        api.translate(GUEST, "Ja.", "de-en", "nano")


def test_scoring_is_paced(api):
    asked = {"hypotheses": {"x": ["a"]}, "metrics": ["chrf"]}
    for _ in range(10):
        api.score(GUEST, **{**SCORED, **asked})
    with pytest.raises(gr.Error, match="faster than this lab answers"):
        api.score(GUEST, **{**SCORED, **asked})


def test_mcp_is_offered_where_it_is_asked_for_and_can_be_had(monkeypatch, capsys):
    asked, not_asked = SimpleNamespace(mcp=True), SimpleNamespace(mcp=False)
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: object())
    assert serving._offers_mcp(asked) is True and serving._offers_mcp(not_asked) is False
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: None)
    assert serving._offers_mcp(not_asked) is False and capsys.readouterr().err == ""
    assert serving._offers_mcp(asked) is False
    assert "pip install 'mcp>=1.21,<2'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "space", "variables", "guarded", "warns"),
    [
        ("127.0.0.1", None, {}, False, False),
        ("localhost", None, {}, False, False),
        ("0.0.0.0", None, {}, True, True),
        ("192.168.1.2", None, {}, True, True),
        ("0.0.0.0", "owner/lab", {}, True, False),
        ("127.0.0.1", None, {"MTLAB_AUTH_FILE": "people.txt"}, True, False),
        ("0.0.0.0", None, {"MTLAB_AUTH_FILE": "people.txt"}, True, False),
    ],
)
def test_who_is_asked_hangs_on_where_it_is_served(
    tmp_path, monkeypatch, capsys, host, space, variables, guarded, warns
):
    from mtlab.access import GuardedLab

    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.txt").write_text("")
    labs, launching = [], {}
    monkeypatch.setattr(Lab, "supervise", lambda self: None)
    page = SimpleNamespace(launch=lambda **options: launching.update(options))
    monkeypatch.setattr(serving, "build", lambda lab: labs.append(lab) or page)
    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home"), **variables})
    serving.serve(settings, serving.Place(host, 7860, space))
    (lab,) = labs
    assert isinstance(lab, GuardedLab) is guarded
    assert (lab.settings.confined is not None) is guarded
    said = capsys.readouterr().err
    assert ("WARNING: this lab listens on" in said and host in said) is warns
    assert launching["share"] is False and launching["allowed_paths"] == []
    assert launching["server_name"] == host and launching["strict_cors"] is True
    lab.close()


def test_an_auth_file_that_cannot_be_used_keeps_the_lab_closed(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MTLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(serving, "build", lambda lab: pytest.fail("it was served"))
    assert serving.main(["--auth-file", str(tmp_path / "absent.txt")]) == 1
    assert "write it with 'mtlab auth add NAME'" in capsys.readouterr().err
    monkeypatch.setenv("PORT", "many")
    assert serving.main([]) == 2
    assert "PORT: 'many' is no port: give 1 to 65535" in capsys.readouterr().err
