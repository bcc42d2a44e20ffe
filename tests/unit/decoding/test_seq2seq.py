"""Translation models: the languages they are told, and the same answers for any order."""

import shutil

import pytest

from mtlab.decoding import DecodingStopped, translate_seq2seq
from mtlab.errors import InputError, NotAvailable
from mtlab.models import TranslationModel, load_translation_model
from mtlab.models.seq2seq import refuse_direction
from mtlab.presets import Base
from mtlab.spec import Decoding, Direction
from tests.tiny_translation_models import TEXT, m2m, nllb, opus

DE_EN, EN_DE, EN_IS, DE_FR = map(Direction.parse, ("de-en", "en-de", "en-is", "de-fr"))
SHORT = Decoding(max_new_tokens=8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("translation models")
    return {
        "opus": opus(root / "opus-mt-de-en"),
        "many": opus(root / "opus-mt-de-ROMANCE", target="roa", marks=(">>fra<<", ">>es<<")),
        "m2m": m2m(root / "m2m"),
        "nllb": nllb(root / "nllb"),
    }


@pytest.fixture
def loaded(folders, home):
    def load(name, direction=DE_EN):
        named = TranslationModel.named(str(folders[name]), direction, home)
        return load_translation_model(named, home, device="cpu", precision="fp32")

    return load


@pytest.mark.parametrize("name", ["opus", "m2m", "nllb"])
def test_any_order_gives_the_same_answers_one_by_one_or_together(name, loaded):
    model = loaded(name)
    texts = [TEXT[1], "", TEXT[7], TEXT[3], TEXT[1]]
    progress = []
    found = translate_seq2seq(
        model, texts, DE_EN, SHORT, on_progress=lambda *now: progress.append(now)
    )
    assert [bool(one.text) or one.tokens > 0 for one in found] == [True, False, True, True, True]
    assert found[0] == found[4] and progress[-1] == (3, 3)
    assert translate_seq2seq(model, texts[::-1], DE_EN, SHORT) == found[::-1]
    alone = [translate_seq2seq(model, [text], DE_EN, SHORT)[0] for text in texts]
    assert [one.text for one in alone] == [one.text for one in found]


@pytest.mark.parametrize("name", ["m2m", "nllb"])
def test_the_target_language_is_the_first_token_and_the_source_is_marked(name, loaded, monkeypatch):
    model = loaded(name)
    seen = []
    generate = model.model.generate

    def spy(**arguments):
        seen.append(arguments)
        return generate(**arguments)

    monkeypatch.setattr(model.model, "generate", spy)
    translate_seq2seq(model, [TEXT[0]], EN_IS, SHORT)
    names = ("eng_Latn", "isl_Latn") if name == "nllb" else ("__en__", "__is__")
    source, target = model.tokenizer.convert_tokens_to_ids(list(names))
    assert seen[0]["forced_bos_token_id"] == target
    assert source in seen[0]["input_ids"][0].tolist()


def test_every_language_of_the_lab_has_its_code_in_nllb(loaded):
    from mtlab.decoding.seq2seq import _marks
    from mtlab.languages import LANGUAGES

    model = loaded("nllb")
    for code in set(LANGUAGES) - {"en"}:
        marks = _marks(model, Direction(source=code, target="en"))
        assert marks.source.startswith(LANGUAGES[code].alpha3)


def test_opus_marks_the_target_where_it_has_several(loaded):
    from mtlab.decoding.seq2seq import _marks

    model = loaded("many", DE_FR)
    assert _marks(model, DE_FR).prefix == ">>fra<< "
    assert _marks(model, Direction.parse("de-es")).prefix == ">>es<< "
    ids = model.tokenizer(">>fra<< Das Haus").input_ids
    assert model.tokenizer.convert_ids_to_tokens(ids)[0] == ">>fra<<"
    with pytest.raises(InputError, match="does not know Icelandic"):
        _marks(model, Direction.parse("de-is"))


def test_opus_refuses_another_direction_before_and_after_loading(folders, home, loaded):
    with pytest.raises(InputError, match="translates de-en, and en-de is needed: write {source}"):
        TranslationModel.named(str(folders["opus"]), EN_DE, home).facts(home, EN_DE)
    with pytest.raises(InputError, match="translates de-en, and en-de is needed"):
        translate_seq2seq(loaded("opus"), ["Hello."], EN_DE)


@pytest.mark.parametrize(
    ("codes", "fits"),
    [
        (("de", "en"), True),
        (("deu", "eng"), True),
        (("mul", "en"), True),
        (("gmw", "eng"), True),
        ((None, None), True),
        (("en", "de"), False),
        (("fr", "en"), False),
        (("mul", "fra"), False),
    ],
)
def test_the_codes_models_give_themselves(codes, fits):
    base = Base(name="some/opus", title="opus", repo="some/opus")
    if fits:
        refuse_direction(base, codes, DE_EN)
    else:
        with pytest.raises(InputError, match="and de-en is needed"):
            refuse_direction(base, codes, DE_EN)


def test_a_source_longer_than_the_context_is_not_cut(loaded):
    long = " ".join(TEXT * 4)
    (found,) = translate_seq2seq(loaded("opus"), [long], DE_EN, SHORT)
    assert (found.text, found.ended) == ("", False) and "longer" in found.note


def test_stopping(loaded):
    with pytest.raises(DecodingStopped):
        translate_seq2seq(loaded("opus"), TEXT, DE_EN, should_stop=lambda: True)


def test_memory_that_runs_out_halves_the_batch(loaded, monkeypatch):
    model = loaded("opus")
    expected = translate_seq2seq(model, TEXT, DE_EN, SHORT)
    generate = model.model.generate

    def small(input_ids, **arguments):
        if len(input_ids) > 2:
            raise MemoryError
        return generate(input_ids=input_ids, **arguments)

    monkeypatch.setattr(model.model, "generate", small)
    found = translate_seq2seq(model, TEXT, DE_EN, SHORT)
    assert [one.text for one in found] == [one.text for one in expected]

    def never(**arguments):
        raise MemoryError

    monkeypatch.setattr(model.model, "generate", never)
    with pytest.raises(NotAvailable, match="ran out of memory on a single sentence"):
        translate_seq2seq(model, TEXT, DE_EN, SHORT)


def test_the_names_of_models(home, folders):
    named = TranslationModel.named("Helsinki-NLP/opus-mt-{source}-{target}", EN_DE, home)
    assert (named.base.repo, named.revision) == ("Helsinki-NLP/opus-mt-en-de", None)
    named = TranslationModel.named("facebook/nllb-200-distilled-600M@refs/pr/45", EN_DE, home)
    assert (named.base.repo, named.revision) == ("facebook/nllb-200-distilled-600M", "refs/pr/45")
    with pytest.raises(InputError) as caught:
        TranslationModel.named("no/such/folder", EN_DE, home)
    assert caught.value.field == "translator"


def test_what_is_no_translation_model_is_refused(home, tiny_model, folders, tmp_path):
    with pytest.raises(InputError, match="is a LlamaForCausalLM and no translation model"):
        TranslationModel.named(str(tiny_model), DE_EN, home).facts(home)
    pickled = tmp_path / "pickled"
    shutil.copytree(folders["nllb"], pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled weights only"):
        TranslationModel.named(str(pickled), DE_EN, home).facts(home)
    with pytest.raises(NotAvailable, match="is not on this machine"):
        TranslationModel.named("facebook/nllb-200-distilled-600M", DE_EN, home).facts(home)
    broken = tmp_path / "broken"
    shutil.copytree(folders["opus"], broken)
    (broken / "vocab.json").write_text("{")
    with pytest.raises(InputError, match="the tokenizer of '.*broken' cannot be loaded"):
        load_translation_model(TranslationModel.named(str(broken), DE_EN, home), home)
