"""The model card: what the hub reads of it, and what a person does."""

import json
import re

import pytest
import yaml
from huggingface_hub import ModelCard

from mtlab.presets import BASES
from mtlab.runs.files import write_json
from mtlab.runs.store import RunStore
from mtlab.sharing.card import Shared, card_for
from mtlab.sharing.loading import loading_code
from mtlab.sharing.origin import Licence, Origin, licence_of, origin_of
from mtlab.sharing.telling import told_spec
from tests.finished_runs import finished_run

HARM = {"de-en": 0.3, "en-de": 0.5}


@pytest.fixture
def card_of(home):
    store = RunStore(home)

    def make(weights="adapter", origin=None, **fields):
        told = {"training": {"method": "lora"}, **fields}
        record = finished_run(store, HARM, off_target={"en-de": 0.25}, comet=True, **told)
        origin = origin or origin_of(record.spec, record.folder, home)
        shared = Shared("ann/small", record, weights, origin, (), home)
        return record, ModelCard(str(card_for(shared)))

    return make


def test_every_score_stands_in_the_model_index(card_of):
    record, card = card_of()
    scores = json.loads((record.folder / "scores.json").read_text())["scores"]
    index = card.data.to_dict()["model-index"]
    assert index[0]["name"] == "small"
    found = {
        (result["dataset"]["config"], metric["name"]): metric
        for result in index[0]["results"]
        for metric in result["metrics"]
    }
    names = {"bleu": "BLEU", "chrf": "chrF", "comet": "COMET"}
    for direction, of_direction in scores.items():
        for metric, name in names.items():
            score, told = of_direction[metric], found[direction, name]
            assert told["type"] == metric and told["value"] == score["value"]
            for key in ("low", "high", "n", "signature", "seed"):
                assert told["args"][key] == score[key]
    assert found["en-de", "gated COMET"]["value"] == scores["en-de"]["comet"]["gated"]["value"]
    assert ("de-en", "gated COMET") not in found  # there it is the raw one
    assert len(found) == 7


def test_the_front_matter_says_what_it_is(card_of):
    data = card_of()[1].data.to_dict()
    assert data["language"] == ["de", "en"]
    assert data["library_name"] == "peft" and data["pipeline_tag"] == "translation"
    assert data["license"] == "cc-by-4.0"  # as nano's own card has it
    assert "base_model" not in data  # nano is not on the hub
    assert data["tags"] == ["mtlab", "machine-translation", "lora"]
    assert data["metrics"] == ["bleu", "chrf", "comet"]


def test_a_base_of_the_hub_is_named_with_its_licence(card_of):
    origin = Origin(BASES["llama-2-7b"], "c0ffee")
    card = card_of("merged", origin)[1]
    data = card.data.to_dict()
    assert data["base_model"] == "meta-llama/Llama-2-7b-hf" and data["license"] == "llama2"
    assert data["base_model_relation"] == "finetune" and data["library_name"] == "transformers"
    assert "revision `c0ffee`" in card.text


def test_a_licence_the_hub_has_no_word_for_keeps_its_name():
    assert licence_of(BASES["opt-125m"]) == Licence("other", "OPT License")


def test_a_person_reads_scores_failures_and_limits(card_of):
    noise = {"kind": "word", "side": "target", "ratio": 0.5}
    record, card = card_of(noise=noise, test=["de-en", "en-de"], seed=3)
    bleu = json.loads((record.folder / "scores.json").read_text())["scores"]["de-en"]["bleu"]
    row = f"| de-en | BLEU | {bleu['value']:.1f} | {bleu['low']:.1f} to {bleu['high']:.1f} |"
    assert row in card.text
    assert bleu["signature"] in card.text
    assert "| en-de | off-target | 25% | 0% |" in card.text
    assert "One run with one seed (3)." in card.text
    assert "word noise on the target side of 50% of them" in card.text
    assert "Tested, but never trained on: en-de." in card.text
    assert "(licence: CC0-1.0)" in card.text
    assert record.id in card.text and "@inproceedings" in card.text
    tables = re.findall(r"^\|.*\n\|[-:|]+\n(?:\|.*\n)+", card.text, flags=re.MULTILINE)
    assert len(tables) == 2


def test_what_the_numbers_were_made_in_and_without_is_a_limit(card_of, home):
    record, _ = card_of()
    scores = json.loads((record.folder / "scores.json").read_text())
    scores["scores"]["de-en"]["comet"] = {"available": False, "why": "no checkpoint", "fix": "x"}
    write_json(record.folder / "scores.json", scores)
    write_json(record.folder / "provenance.json", {"decoding_precision": "bf16"})
    origin = origin_of(record.spec, record.folder, home)
    text = card_for(Shared("ann/small", record, "adapter", origin, (), home)).text
    assert "COMET was asked for and could not be had: no checkpoint." in text
    assert "The scored translations were made in bf16" in text


def test_a_name_that_holds_a_fence_does_not_break_the_page(card_of):
    name = "a ``` b\n```\n# not a title"
    card = card_of(name=name)[1]
    (block,) = re.findall(r"^````yaml\n(.*?)\n````$", card.text, flags=re.DOTALL | re.MULTILINE)
    assert yaml.safe_load(block)["name"] == name


def test_folders_of_this_machine_are_not_told(home, tmp_path):
    from mtlab import RunSpec

    (tmp_path / "secret-folder").mkdir()
    pairs = tmp_path / "secret-folder" / "pairs.tsv"
    pairs.write_text("a\tb\n")
    spec = RunSpec(
        base=str(tmp_path), corpus=f"{pairs}:de-en", train=["de-en"],
        comet_model="Unbabel/wmt22-comet-da", noise={"kind": "jargon", "terms": str(pairs)},
    )  # fmt: skip
    told = told_spec(spec)
    assert str(tmp_path) not in told.to_yaml()
    assert told.corpus == "pairs.tsv:de-en" and told.noise.terms == "pairs.tsv"
    assert told.comet_model == "Unbabel/wmt22-comet-da"


@pytest.mark.parametrize("weights", ["adapter", "merged"])
@pytest.mark.parametrize("template", [None, "chat", "Into {target_language}: {source}"])
def test_the_code_of_a_card_is_python(home, weights, template):
    from mtlab import RunSpec

    spec = RunSpec(base="qwen2.5-0.5b", train=["de-en"], template=template)
    code = loading_code("ann/small", spec, weights, Origin(BASES["qwen2.5-0.5b"], "c0ffee"))
    compile(code, "card", "exec")
    assert ("PeftModel" in code) == (weights == "adapter") == ("revision='c0ffee'" in code)
    assert ("apply_chat_template" in code) == (template == "chat")
