"""Systems that are not trained: what is refused, and what each translates with."""

import json
import shutil
import sys
from importlib.metadata import version

import pytest

from mtlab import RunSpec
from mtlab.corpora import draw_for, open_corpus
from mtlab.decoding import budget
from mtlab.errors import InputError
from mtlab.models import Spread
from mtlab.runs import pipeline, scores, systems
from mtlab.runs.files import read_json, read_lines
from mtlab.runs.partial import Partial
from mtlab.runs.pipeline import Stopped
from mtlab.runs.reporting import Reporter
from mtlab.runs.settling import can_resume
from mtlab.runs.untrained import Untrained
from mtlab.spec import Direction
from tests.tiny_translation_models import m2m, opus

DE_EN, EN_DE = Direction.parse("de-en"), Direction.parse("en-de")
CHAT = (
    "{% for message in messages %}<user>{{ message['content'] }}</user>{% endfor %}"
    "{% if add_generation_prompt %}<model>{% endif %}"
)


class Killed(BaseException):
    """The end of the process, where a test wants it."""


@pytest.fixture
def chat_model(tiny_model, tmp_path):
    """The tiny model with a chat template."""
    folder = shutil.copytree(tiny_model, tmp_path / "chat")
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": CHAT}))
    return folder


@pytest.fixture
def done(lab):
    """Launch a run and do all of it in this process; it stops when `stop` says so."""

    def do(stop=lambda: False, **spec):
        asked = {"test": ("de-en",), "test_limit": 3, "metrics": ("bleu",), **spec}
        asked["decoding"] = {"beams": 1, "max_new_tokens": 8, **spec.get("decoding", {})}
        run = lab.launch(RunSpec(**asked))
        again(run, stop)
        return run

    def again(run, stop=lambda: False):
        reporter = Reporter(run.folder, run.status())
        try:
            Untrained(run.folder, run.spec, lab.settings, reporter, stop).run()
            reporter.end("finished")
        except (Stopped, Killed):
            reporter.end("interrupted")

    do.again = again
    return do


def rows_of(run, direction="de-en"):
    return read_lines(run.folder / "translations" / f"{direction}.jsonl")


def provenance(run):
    return read_json(run.folder / "provenance.json")


def none(base, **changes):
    return {"base": str(base), "training": {"method": "none"}, **changes}


def few_shot(size=2, **changes):
    return {"training": {"method": "few-shot"}, "size": size, **changes}


@pytest.fixture
def outputs(tmp_path, home):
    """Writes a file of outputs for de-en, of so many lines."""
    references = [pair.target for pair in open_corpus("everyday", home).test(DE_EN)]

    def write(lines, name="ours.txt"):
        path = tmp_path / name
        path.write_text("".join(f" {line}\r\n" for line in references[:lines]), encoding="utf-8")
        return path

    write.all = len(references)
    write.references = references
    return write


def test_few_shot_shows_the_beginning_of_each_directions_draw(home):
    spec = RunSpec(test=("de-en", "en-fr"), seed=4, **few_shot(3))
    shown = draw_for(spec, home).by_direction()
    assert {str(direction): len(pairs) for direction, pairs in shown.items()} == {
        "de-en": 3,
        "en-fr": 3,
    }
    alone = draw_for(RunSpec(train=("de-en",), test=("de-en", "en-fr"), seed=4, size=3), home)
    assert shown[DE_EN] == list(alone.pairs), "the first pairs a run of this seed would train on"
    more = draw_for(spec.with_changes(size=5), home).by_direction()
    assert more[DE_EN][:3] == shown[DE_EN]
    assert draw_for(spec.with_changes(seed=5), home).by_direction()[DE_EN] != shown[DE_EN]


def test_a_few_shot_run_keeps_what_it_showed_and_translates_with_it(lab, done, tiny_model):
    run = done(base=str(tiny_model), **few_shot(1))
    (shown,) = read_lines(run.folder / "train.jsonl")
    pool = open_corpus("everyday", lab.settings).pool(DE_EN)
    assert (shown["source"], shown["target"]) in {(pair.source, pair.target) for pair in pool}
    assert run.status().ending == "finished" and set(run.scores()) == {"de-en"}
    assert set(run.base_scores()) == {"de-en"}, "the untuned base, asked without examples"
    assert provenance(run)["digests"]["pairs"] and "training" not in provenance(run)
    assert not (run.folder / "model").exists() and not (run.folder / "adapter").exists()
    row = rows_of(run)[0]
    (answer,) = run.translate([row["source"]], "de-en")
    assert answer.text == row["hypothesis"] != row["base"]
    *_, streamed = lab.stream(run.id, row["source"], "de-en")
    assert streamed == answer
    with pytest.raises(InputError, match="shows no examples for en-de: choose one of de-en"):
        run.translate(["The house is red."], "en-de")


def test_examples_that_leave_no_room_end_the_run_with_a_sentence(done, tiny_model):
    with pytest.raises(InputError, match="no source of de-en fits .* after 32 examples: show few"):
        done(base=str(tiny_model), score_base=False, **few_shot(32))


def test_a_base_as_it_is_gives_what_is_scored_beside_a_run(done, tiny_model):
    run = done(**none(tiny_model, train=("de-en",), size=7))
    assert run.spec.train == () and run.spec.size == 0 and not run.spec.score_base
    assert run.base_scores() == {} and read_lines(run.folder / "train.jsonl") == []
    other = done(base=str(tiny_model), **few_shot(1))
    assert [row["hypothesis"] for row in rows_of(run)] == [row["base"] for row in rows_of(other)]
    assert provenance(other)["base_from_cache"] == ["de-en"]
    (answer,) = run.translate([rows_of(run)[0]["source"]], "de-en")
    assert answer.text == rows_of(run)[0]["hypothesis"]


def test_an_instructed_model_is_asked_with_its_chat_template(done, chat_model, tiny_model):
    run = done(**none(chat_model, template="chat"))
    plain = done(**none(tiny_model))
    assert [row["hypothesis"] for row in rows_of(run)] != [
        row["hypothesis"] for row in rows_of(plain)
    ]
    assert len(run.translate(["Das Haus ist rot."], "de-en")) == 1


def test_a_translation_model_translates_every_direction(lab, done, tmp_path):
    model = m2m(tmp_path / "m2m")
    run = done(**none(model, test=("de-en", "en-de")))
    assert set(run.scores()) == {"de-en", "en-de"} and len(rows_of(run, "en-de")) == 3
    found = provenance(run)["base"]["models"]
    assert set(found) == {"de-en", "en-de"} and all(one["digest"] for one in found.values())
    row = rows_of(run)[0]
    assert run.translate([row["source"]], "de-en")[0].text == row["hypothesis"]
    (streamed,) = lab.stream(run.id, row["source"], "de-en")
    assert streamed.text == row["hypothesis"]


def test_a_model_for_each_direction_is_named_by_its_languages(done, tmp_path):
    for source, target in (("de", "en"), ("en", "de")):
        opus(tmp_path / f"opus-mt-{source}-{target}", source, target)
    run = done(**none(tmp_path / "opus-mt-{source}-{target}", test=("de-en", "en-de")))
    names = [one["name"] for one in provenance(run)["base"]["models"].values()]
    assert [name.rpartition("/")[2] for name in names] == ["opus-mt-de-en", "opus-mt-en-de"]


def test_a_stopped_run_translates_no_direction_twice(done, home, tmp_path, monkeypatch):
    model = m2m(tmp_path / "m2m")
    asked = []
    stop = lambda: any(home.runs.glob("*/translations/de-en.jsonl"))  # noqa: E731
    run = done(stop=stop, **none(model, test=("de-en", "en-de")))
    assert run.status().ending == "interrupted" and run.scores() == {}
    assert not (run.folder / "translations" / "en-de.jsonl").exists()
    first = [row["hypothesis"] for row in rows_of(run)]
    from mtlab.runs.systems import TranslationModels

    translate = TranslationModels.translate

    def watched(self, sources, direction, **options):
        asked.append(str(direction))
        return translate(self, sources, direction, **options)

    monkeypatch.setattr(TranslationModels, "translate", watched)
    done.again(run)
    assert asked == ["en-de"] and [row["hypothesis"] for row in rows_of(run)] == first
    assert run.status().ending == "finished" and set(run.scores()) == {"de-en", "en-de"}
    assert set(provenance(run)["base"]["models"]) == {"de-en", "en-de"}


@pytest.mark.parametrize("kind", ["none", "few-shot", "translation model"])
def test_killed_after_every_batch_it_translates_none_twice(
    kind, lab, done, tiny_model, tmp_path, monkeypatch
):
    asked = {
        "none": lambda: none(tiny_model),
        "few-shot": lambda: {"base": str(tiny_model), **few_shot(1)},
        "translation model": lambda: none(m2m(tmp_path / "m2m")),
    }[kind]()
    tokens = 400 if kind == "few-shot" else 200  # prompts with an example are longer
    asked |= {"test": ("de-en", "en-de"), "test_limit": 4, "decoding": {"token_budget": tokens}}
    whole = done(**asked)
    shutil.rmtree(lab.settings.cache / "base", ignore_errors=True)
    made = []
    add = Partial.add

    def add_and_die(self, answers):
        made.extend((self._path.name, place) for place in answers)
        add(self, answers)
        raise Killed

    monkeypatch.setattr(Partial, "add", add_and_die)
    run = done(**asked)
    attempts = 1
    while run.status().ending == "interrupted":
        assert can_resume(run.folder)
        done.again(run)
        attempts += 1
    assert attempts >= 4 and len(made) == len(set(made)) >= 8
    for direction in ("de-en", "en-de"):
        assert rows_of(run, direction) == rows_of(whole, direction) != []
    assert run.scores() == whole.scores() and run.base_scores() == whole.base_scores()
    assert any("segments were translated before" in event.get("text", "") for event in run.events())
    assert not (run.folder / "partial").exists()


def test_directions_of_a_stream_share_batches_and_are_written_once_all_are_there(
    lab, done, tiny_model, monkeypatch
):
    asked = {"base": str(tiny_model), "test": ("de-en", "en-de"), "score_base": False}
    asked |= few_shot(1, test_limit=8, decoding={"token_budget": 400})
    whole = done(**asked)
    details, batches, writes = [], [], []
    progress, add, write = Reporter.progress, Partial.add, pipeline.write_lines

    def told(self, share, detail=""):
        details.append(detail)
        progress(self, share, detail)

    def kept(self, answers):
        batches.append({place // 8 for place in answers})
        add(self, answers)

    def write_one_and_die(path, rows):
        if len(writes) == 1:
            writes.append("died")
            raise Killed
        writes.append(path.name)
        write(path, rows)

    monkeypatch.setattr(Reporter, "progress", told)
    monkeypatch.setattr(Partial, "add", kept)
    monkeypatch.setattr(pipeline, "write_lines", write_one_and_die)
    run = done(**asked)
    assert run.status().ending == "interrupted" and {0, 1} in batches
    assert rows_of(run) and not rows_of(run, "en-de")
    assert "de-en and 1 more 16/16" in details
    there = list(batches)
    done.again(run)
    assert batches == there, "nothing is translated twice"
    assert writes == ["de-en.jsonl", "died", "en-de.jsonl"]
    for direction in ("de-en", "en-de"):
        assert rows_of(run, direction) == rows_of(whole, direction) != []
    assert run.scores() == whole.scores()


@pytest.mark.parametrize(
    ("metrics", "again"), [(("bleu", "chrf"), ["en-de"]), (("bleu", "comet"), ["de-en", "en-de"])]
)
def test_killed_while_it_scores_only_what_is_missing_is_scored_again(
    metrics, again, done, tiny_model, monkeypatch
):
    asked = none(tiny_model, test=("de-en", "en-de"), metrics=metrics)
    whole = done(**asked)
    score, asked_for = scores.score_direction, []

    def score_or_die(direction, *rest):
        asked_for.append(str(direction))
        if len(asked_for) == 2:
            raise Killed
        return score(direction, *rest)

    monkeypatch.setattr(scores, "score_direction", score_or_die)
    run = done(**asked)
    assert run.status().ending == "interrupted" and set(run.scores()) == {"de-en"}
    done.again(run)
    assert asked_for == ["de-en", "en-de", *again], "what was not available is tried again"
    assert run.scores() == whole.scores() and set(run.scores()) == {"de-en", "en-de"}
    assert [rows_of(run, name) for name in whole.scores()] == [
        rows_of(whole, name) for name in whole.scores()
    ]


def test_somebodys_outputs_are_scored_like_any_run(lab, done, outputs):
    path = outputs(outputs.all)
    run = done(**none(f"outputs:{path}"))
    assert [row["hypothesis"] for row in rows_of(run)] == outputs.references[:3]
    assert run.scores()["de-en"]["bleu"]["value"] == pytest.approx(100)
    assert provenance(run)["base"]["files"]["de-en"]["sha256"]
    limited = done(**none(f"outputs:{outputs(3, 'three.txt')}"))
    assert [row["hypothesis"] for row in rows_of(limited)] == outputs.references[:3]
    with pytest.raises(InputError, match="is a file of outputs and translates nothing new"):
        run.translate(["Das Haus ist rot."], "de-en")


def test_a_relative_file_of_outputs_is_found_from_the_runs_folder(lab, outputs, monkeypatch):
    monkeypatch.chdir(outputs(outputs.all, "ours.de-en.txt").parent)
    run = lab.launch(RunSpec(test=("de-en",), **none("outputs:ours.{direction}.txt")))
    assert run.spec.base == f"outputs:{outputs(1).parent}/ours.{{direction}}.txt"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (few_shot(33), "size: 33 examples cannot be shown: give 1 to 32"),
        (few_shot(0), "size: 0 examples cannot be shown"),
        (few_shot(template="chat"), "template: the method few-shot has a prompt of its own"),
        (few_shot(noise={"kind": "word"}), "noise.kind: nothing is trained with the method few-sh"),
        (few_shot(reverse=0.5), "reverse: nothing is trained"),
        (few_shot(base="outputs:x"), "training.method: 'outputs:x' is a file of translations"),
        (none("nano", test=None), "test: no test direction is given"),
        ({"base": "outputs:x"}, "training.method: .* choose the method none"),
        ({"base": "opus-mt-{source}-{target}"}, "training.method: .* is a model a direction"),
        ({"training": {"method": "none", "steps": 3}}, "training.steps: nothing is trained"),
        ({"test": ("de-en",)}, "train: nothing is given"),
        (none("outputs:missing.txt"), "base: '.*missing.txt' cannot be read"),
        (none("outputs:x", test=("de-en", "en-de")), "base: '.*x' is one file, and 2 directions"),
        (none("outputs:x", template="{source}"), "template: .* is asked without a prompt"),
        (none("nano", template="chat"), "template: the tokenizer of 'nano' has no chat template"),
    ],
)
def test_what_cannot_be_had_is_said_before_anything_is_written(lab, spec, says):
    with pytest.raises(InputError, match=says):
        lab.launch(RunSpec(**{"test": ("de-en",), **spec}))
    assert lab.runs() == []


def test_outputs_of_another_length_or_encoding_are_refused(lab, outputs):
    asked = none(f"outputs:{outputs(5)}", test=("de-en",))
    says = f"has 5 lines, and the test set of de-en has {outputs.all} segments: give one line"
    with pytest.raises(InputError, match=says):
        lab.launch(RunSpec(**asked))
    with pytest.raises(InputError, match=f"{outputs.all} segments, 3 of which are tested"):
        lab.launch(RunSpec(**asked, test_limit=3))
    outputs(5).write_bytes("für\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not UTF-8 .byte 1.: save it as UTF-8"):
        lab.launch(RunSpec(**asked))
    assert lab.runs() == []


def test_a_translation_model_is_neither_prompted_nor_asked_for_what_it_does_not_know(lab, tmp_path):
    model = opus(tmp_path / "opus-mt-de-en")
    with pytest.raises(InputError, match="base: .* is a MarianMTModel and no causal"):
        lab.launch(RunSpec(base=str(model), test=("de-en",), **few_shot(2)))
    with pytest.raises(InputError, match="base: '.*opus-mt-de-en' translates de-en, and en-de is"):
        lab.launch(RunSpec(test=("en-de",), **none(model)))


def test_a_corpus_without_pairs_to_show_is_said(lab, tmp_path):
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"Satz {n}\tsentence {n}\n" for n in range(40)), encoding="utf-8")
    spec = RunSpec(corpus=f"{pairs}:de-en", test_corpus="everyday", test=("en-fr",), **few_shot(2))
    with pytest.raises(InputError, match="test: .* has no training pairs to show for en-fr"):
        lab.launch(spec)


def test_the_preview_shows_the_examples_and_the_prompt(lab):
    preview = lab.preview(RunSpec(test=("de-en", "en-de"), **few_shot(2)))
    assert preview.counts == {"de-en": 2, "en-de": 2} and len(preview.examples) == 4
    first = preview.examples[0]
    source = open_corpus("everyday", lab.settings).test(DE_EN)[0].source
    assert first.prompt.endswith(f"\n\nGerman: {source}\nEnglish:")
    assert f"English: {first.pair.clean.target}\n" in first.prompt
    nothing = lab.preview(RunSpec(test=("de-en",), **none("nano")))
    assert nothing.examples == () and nothing.counts == {}
    assert "--method none" in nothing.command and "--train" not in nothing.command


def test_a_run_that_trained_nothing_is_no_base_and_no_translator(lab, done, tiny_model):
    run = done(**none(tiny_model))
    with pytest.raises(InputError, match="base: the run '.*' trained nothing to go on from"):
        lab.launch(RunSpec(base=f"run:{run.id}", train=("de-en",)))
    noise = {"kind": "sentence", "translator": run.id}
    with pytest.raises(InputError, match="noise.translator: the run '.*' trained no model"):
        lab.launch(RunSpec(train=("de-en",), size=4, noise=noise))


def told(run):
    return [event["text"] for event in run.events() if event.kind == "note"]


def killed_after_a_batch(monkeypatch):
    """Kills the process when its first batch is kept; gives the list of all that are."""
    add, adds = Partial.add, []

    def add_and_die(self, answers):
        add(self, answers)
        adds.append(answers)
        if len(adds) == 1:
            raise Killed

    monkeypatch.setattr(Partial, "add", add_and_die)
    return adds


@pytest.mark.parametrize("killed", [False, True])
def test_a_run_by_ctranslate2_says_so(killed, lab, done, tiny_model, monkeypatch):
    """Also where it is killed after its first batch and goes on."""
    asked = none(tiny_model, test_limit=8)
    asked["training"] = {"method": "none", "precision": "fp32"}
    decoding = {"strategy": "greedy", "token_budget": 64}
    own = done(**asked, decoding=decoding)
    adds = killed_after_a_batch(monkeypatch) if killed else []
    run = done(**asked, decoding={**decoding, "backend": "ctranslate2"})
    if killed:
        assert run.status().ending == "interrupted"
        done.again(run)
        assert len(adds) == 8, "no batch twice"
    assert run.status().ending == "finished" and rows_of(run) == rows_of(own)
    backend = {"name": "ctranslate2", "version": version("ctranslate2"), "precision": "fp32"}
    assert provenance(run)["decoding_backend"] == backend
    assert provenance(own)["decoding_backend"]["name"] == "transformers"
    assert any(text.startswith("ctranslate2 was tried on") for text in told(run))
    kept = (lab.settings.cache / "base").glob("*.json")
    assert sum("hypotheses" in read_json(path) for path in kept) == 2, "each has its own"
    assert len(list((lab.settings.cache / "converted").iterdir())) == 1


def test_what_a_backend_cannot_is_said_at_launch(lab, tiny_model, tmp_path, monkeypatch):
    decoding = {"backend": "ctranslate2"}
    with pytest.raises(InputError, match=r"decoding\.backend: .*this is a translation model"):
        lab.launch(RunSpec(test=("de-en",), decoding=decoding, **none(m2m(tmp_path / "m2m"))))
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(InputError, match=r"decoding\.backend: .*'pip install ctranslate2'"):
        lab.launch(RunSpec(test=("de-en",), decoding=decoding, **none(tiny_model)))
    assert lab.runs() == []


def test_batches_fit_into_memory_and_are_the_same_when_it_goes_on(done, tiny_model, monkeypatch):
    free = [2_000_000]
    monkeypatch.setattr(budget, "_free", lambda device: free[0])
    killed_after_a_batch(monkeypatch)
    decoding = {"token_budget": 32768, "beams": 4, "max_new_tokens": 64}
    run = done(**none(tiny_model, test_limit=40), decoding=decoding)
    free[0] = 10**12
    done.again(run)
    assert run.status().ending == "finished"
    assert provenance(run)["token_budget"] < 32768 == run.spec.decoding.token_budget
    assert any("of 40 segments were translated before" in text for text in told(run))
    assert sum("memory is short" in text for text in told(run)) == 1


def test_batches_that_did_not_fit_after_all_are_smaller_the_next_time(
    lab, done, tiny_model, monkeypatch
):
    monkeypatch.setattr(budget, "_free", lambda device: 2_000_000)
    asked = []
    translate = Untrained._translate

    def spied(self, *arguments, **options):
        asked.append(self._decoded.decoding.token_budget)
        return translate(self, *arguments, **options)

    monkeypatch.setattr(Untrained, "_translate", spied)
    killed_after_a_batch(monkeypatch)
    decoding = {"token_budget": 32768, "beams": 4, "max_new_tokens": 64}
    run = done(**none(tiny_model, test_limit=40), decoding=decoding)
    lab.store.write_status(run.id, run.status().with_changes(halved=("decoding",)))
    done.again(run)
    first = provenance(run)["token_budget"]
    assert asked == [first, first // 2] and first < 16384


def test_what_one_process_does_is_not_shared(lab, outputs, tmp_path):
    says = r"devices: translation models and outputs are one process's work: leave it at 1"
    for base in (f"outputs:{outputs(outputs.all)}", m2m(tmp_path / "m2m")):
        spec = RunSpec(test=("de-en",), **none(base))
        systems.check_system(spec, lab.settings)
        with pytest.raises(InputError, match=says):
            systems.check_system(spec.with_changes(devices=2), lab.settings)


def test_processes_that_share_main_memory_are_counted(lab, tiny_model, monkeypatch):
    seen = []
    monkeypatch.setattr(systems, "check_fits", lambda *_, spread, room: seen.append(spread))
    systems.check_system(RunSpec(test=("de-en",), devices=2, **none(tiny_model)), lab.settings)
    assert seen == [Spread(2, "ddp")]
