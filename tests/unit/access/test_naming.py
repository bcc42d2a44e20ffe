"""What a spec from the network may name, and what the page opens of it."""

import pytest

from mtlab import InputError, RunSpec, corpora
from mtlab.access import Gate, GuardedLab, Person
from mtlab.access.naming import check_names, confined
from mtlab.presets import resolve_base
from mtlab.settings import Settings


@pytest.fixture
def place(tmp_path):
    """A root that was opened, a folder that was not, and ways that seem to lead from one to it."""
    opened, closed = tmp_path / "opened", tmp_path / "closed"
    for folder in (opened, closed):
        (folder / "model").mkdir(parents=True)
        (folder / "model" / "config.json").write_text("{}")
        for name in ("mine.tsv", "words.txt", "out.de-en.txt"):
            (folder / name).write_text("de\ten\nJa.\tYes.\nNein.\tNo.\n")
    (opened / "link.tsv").symlink_to(closed / "mine.tsv")
    (opened / "link").symlink_to(closed / "model")
    return opened


@pytest.fixture
def settings(place, tmp_path):
    home = {"MTLAB_HOME": str(tmp_path / "home"), "MTLAB_ROOTS": str(place)}
    return confined(Settings.from_environment(home))


def spec(**changes):
    return RunSpec(**{"train": ("de-en",), "size": 2, **changes})


def noise(**changes):
    return spec(noise={"kind": changes.pop("kind", "word"), **changes})


OPENED = (
    lambda at: spec(corpus=f"{at}/mine.tsv"),
    lambda at: spec(test_corpus=f"{at}/mine.tsv:de-en"),
    lambda at: spec(corpus=f"{at}/mine.tsv,{at}/words.txt:de-en"),
    lambda at: spec(base=f"{at}/model"),
    lambda at: spec(base=f"outputs:{at}/out.{{direction}}.txt", training={"method": "none"}),
    lambda at: noise(dictionary=f"{at}/words.txt:de-en"),
    lambda at: noise(dictionary=f"{at}/{{source}}-{{target}}.txt"),
    lambda at: noise(kind="jargon", terms=f"{at}/words.txt"),
    lambda at: noise(kind="sentence", translator=f"base:{at}/model"),
)
CLOSED = (
    *((lambda at, make=make: make(f"{at}/../closed")) for make in OPENED),
    *((lambda at, make=make: make(str(at.parent / "closed"))) for make in OPENED),
    lambda at: spec(corpus=f"{at}/link.tsv"),
    lambda at: spec(base=f"{at}/link"),
    lambda at: spec(corpus=f"{at}/mine.tsv,/etc/hostname:de-en"),
    lambda at: spec(corpus="~/mine.tsv"),
    lambda at: spec(corpus="mine.tsv"),
    lambda at: spec(base="assets/nano"),
    lambda at: spec(base="~"),
    lambda at: spec(base="x" * 5000 + "/y"),
    lambda at: spec(base="run:../../closed/model"),
    lambda at: spec(comet_model=f"{at}/model"),
    lambda at: spec(revision="../../x"),
    lambda at: spec(corpus="hub:../x"),
    lambda at: noise(kind="jargon", terms="a\x00b"),
)


@pytest.mark.parametrize("number", range(len(OPENED)))
def test_what_lies_below_a_root_may_be_named(place, settings, number):
    check_names(OPENED[number](place), settings)


@pytest.mark.parametrize("number", range(len(CLOSED)))
def test_nothing_else_of_this_machine_may(place, settings, number):
    with pytest.raises(InputError, match="over the network|no revision|is not the name of a data"):
        check_names(CLOSED[number](place), settings)


def test_the_page_does_not_even_tell_what_is_there(place, settings):
    """The form asks for the corpus and the base before anything is launched."""
    closed = place.parent / "closed"
    for name in (closed / "mine.tsv", closed / "absent.tsv", place / "link.tsv", "/etc/passwd"):
        with pytest.raises(InputError, match="that file of this machine cannot be named"):
            corpora.open_corpus(str(name), settings)
    assert corpora.open_corpus(str(place / "mine.tsv"), settings).train_directions()
    said = set()
    for name in ("model", "absent"):
        with pytest.raises(InputError) as caught:
            resolve_base(str(closed / name), settings)
        said.add(str(caught.value).replace(f"/{name}", "/NAME"))
    assert len(said) == 1
    assert resolve_base(str(place / "model"), settings).path


def test_the_lab_over_the_network_looks_at_every_spec(place, settings, home, monkeypatch):
    class Root:
        kind, how = "file", "sign in"

        def who(self, request):
            return Person("root", may_launch=True, is_admin=True)

    lab = GuardedLab(home, Gate(Root(), lambda: None))
    monkeypatch.setattr(lab.supervisor, "start", lambda: None)
    from mtlab.experiments import Experiment, grid_of

    bad = spec(corpus="/etc/passwd")
    sweep = Experiment(
        "x", {"train": ["de-en"], "size": 2}, {"corpus": ["everyday", "/etc/passwd"]}
    )
    for ask in (lab.launch, lab.check, lab.preview, lab.noise):
        with pytest.raises(InputError, match="over the network"):
            ask(bad)
    for ask in (lab.enqueue, lab.sweep):
        with pytest.raises(InputError, match="over the network"):
            ask(sweep)
        with pytest.raises(InputError, match="over the network"):
            ask(grid_of(bad, {}, (0,)))
    assert lab.runs() == []
    lab.close()


def test_the_machines_own_user_is_free(place, home):
    assert resolve_base(str(place.parent / "closed" / "model"), home).path
    assert corpora.open_corpus(str(place / "link.tsv"), home).train_directions()


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [
        ("nano", True), ("NANO", True), ("qwen2.5-0.5b", True), ("Qwen/Qwen2.5-0.5B", True),
        ("qwen/other", True), ("llama-2-7b", False), ("meta-llama/Llama-2-7b-hf", False),
        ("01-ai/Yi-6B", False), ("nanox", False), ("run:20260101-000000-abcd", True),
    ],
)  # fmt: skip
def test_models_may_be_held_to_a_list(tmp_path, name, is_allowed):
    env = {"MTLAB_HOME": str(tmp_path), "MTLAB_MODELS": "nano, qwen2.5-*, Qwen/*"}
    settings = confined(Settings.from_environment(env))
    for asked in (spec(base=name), noise(kind="sentence", translator=name)):
        if is_allowed:
            check_names(asked, settings)
        else:
            with pytest.raises(InputError, match="not among the models of this lab|be named over"):
                check_names(asked, settings)
