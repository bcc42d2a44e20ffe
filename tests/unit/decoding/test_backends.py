"""Other decoders behind `translate`: as good as the lab's own, refused in one sentence if not."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from sacrebleu.metrics import BLEU

from mtlab.corpora import open_corpus
from mtlab.decoding import DecodingStopped, Hypothesis, stream, translate
from mtlab.decoding import ctranslate as by_ctranslate2
from mtlab.decoding.converted import ConvertedModels
from mtlab.decoding.search import Found
from mtlab.defaults import complete
from mtlab.errors import InputError, NotAvailable
from mtlab.models import Adapter, Loaded, SharedBase, load
from mtlab.presets import Base, resolve_base
from mtlab.prompts import Template, encode
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction, RunSpec
from mtlab.training import fine_tune

DE_EN = Direction.parse("de-en")
SOURCES = ["Das Haus ist rot.", "Wo ist der Bahnhof?", "Ja.", "Es regnet.", "", "Ja."]


@dataclass
class Tuned:
    loaded: Loaded
    converted: Path

    def ask(self, sources: list[str], **changes: Any) -> list[Hypothesis]:
        options = {name: changes.pop(name) for name in ("kept", "tell", "should_stop")
                   if name in changes}  # fmt: skip
        decoding = Decoding(**{"max_new_tokens": 64, "token_budget": 4096, **changes})
        return translate(
            self.loaded, sources, DE_EN, decoding, Template(), converted=self.converted, **options
        )


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """Nano, fine-tuned on a few pairs, so that it ends its answers."""
    root = tmp_path_factory.mktemp("tuned")
    settings = Settings.from_environment({"MTLAB_HOME": str(root / "home")})
    nano = resolve_base("nano", settings)
    spec = complete(RunSpec(train=["de-en"], size=64, training={"steps": 8}), nano)
    loaded = load(nano, precision="fp32", device="cpu", settings=settings)
    pairs = open_corpus("everyday", settings).pool(DE_EN)[:64]
    examples, _ = encode(loaded.tokenizer, Template(), pairs, 0, 256)
    fine_tune(loaded, examples, spec.training, 0, root, lambda kind, **data: None)
    loaded.model.eval()
    return Tuned(loaded, root / "converted")


@pytest.fixture(scope="module")
def tiny(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    root = tmp_path_factory.mktemp("tiny")
    settings = Settings.from_environment({"MTLAB_HOME": str(root / "home")})
    base = Base("tiny", "tiny", path=tiny_model)
    return Tuned(load(base, precision="fp32", device="cpu", settings=settings), root / "converted")


def test_ctranslate2_translates_as_well(tuned: Tuned) -> None:
    pairs = open_corpus("everyday", Settings.from_environment({})).test(DE_EN)
    sources = [pair.source for pair in pairs]
    references = [[pair.target for pair in pairs]]
    told: list[str] = []
    own = [one.text for one in tuned.ask(sources)]
    other = [one.text for one in tuned.ask(sources, backend="ctranslate2", tell=told.append)]
    scores = [BLEU().corpus_score(answers, references).score for answers in (own, other)]
    # 0.2 is held on 700 sentences (docs/speed.md): one that differs moves 128 by up to 0.1.
    assert scores[0] > 5 and abs(scores[1] - scores[0]) < 0.5
    assert sum(a == b for a, b in zip(own, other, strict=True)) > 0.75 * len(own)
    assert len(told) == 1 and told[0].startswith("ctranslate2 was tried on 8 sentences")
    assert len(list(tuned.converted.iterdir())) == 1, "converted once, nothing left beside it"


def test_greedy_answers_are_the_very_same(tuned: Tuned) -> None:
    told: list[str] = []
    expected = tuned.ask(SOURCES, strategy="greedy")
    asked = {"strategy": "greedy", "backend": "ctranslate2", "tell": told.append}
    assert tuned.ask(SOURCES, **asked) == expected
    assert expected[4] == Hypothesis("", True, 0) and expected[0].ended
    cut = tuned.ask(SOURCES, **asked, max_new_tokens=2)
    assert cut == tuned.ask(SOURCES, strategy="greedy", max_new_tokens=2)
    assert not cut[0].ended


def test_another_precision_is_another_model(tiny: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    # How rough int8 is on random weights depends on the processor, and is not asked here.
    monkeypatch.setattr("mtlab.decoding.parity.MOST_WORSE", 1)
    tiny.ask(SOURCES[:3], backend="ctranslate2", max_new_tokens=8)
    before = set(tiny.converted.iterdir())
    tiny.ask(SOURCES[:3], backend="ctranslate2", precision="int8", max_new_tokens=8)
    (new,) = set(tiny.converted.iterdir()) - before
    assert "-int8-" in new.name and (new / "parity.json").exists()
    with torch.no_grad():
        weight = tiny.loaded.model.lm_head.weight
        weight[5, 5] += 1
        tiny.ask(SOURCES[:3], backend="ctranslate2", precision="int8", max_new_tokens=8)
        weight[5, 5] -= 1
    assert len(set(tiny.converted.iterdir()) - before) == 2, "other weights are another model"


def test_each_answer_ends_where_the_context_does(tiny: Tuned) -> None:
    long, short = "Wort " * 30, "Ja."
    asked = {"strategy": "greedy", "max_new_tokens": 4000, "token_budget": 100_000}
    assert tiny.ask([long, short], **asked, backend="ctranslate2") == tiny.ask(
        [long, short], **asked
    )


def test_what_was_kept_is_not_made_again_and_a_stop_is_heard(tiny: Tuned) -> None:
    class Kept:
        def __init__(self) -> None:
            self.answers: dict[int, Hypothesis] = {}
            self.adds = 0

        def read(self) -> dict[int, Hypothesis]:
            return dict(self.answers)

        def add(self, answers: Any) -> None:
            self.answers.update(answers)
            self.adds += 1

    asked = {"strategy": "greedy", "token_budget": 64, "backend": "ctranslate2"}
    kept = Kept()
    expected = tiny.ask(SOURCES, **asked, kept=kept)
    assert kept.adds == 4, "a batch each"
    del kept.answers[1]
    assert tiny.ask(SOURCES, **asked, kept=kept) == expected
    assert kept.adds == 5
    with pytest.raises(DecodingStopped):
        tiny.ask(SOURCES, **asked, should_stop=lambda: True)


def test_worse_answers_are_refused(tiny: Tuned, tmp_path: Path, monkeypatch: Any) -> None:
    def worse(self: Any, prompts: Any, *rest: Any) -> list[Found]:
        return [Found((7, 7, 7, 7, 7), False) for _ in prompts]

    monkeypatch.setattr(by_ctranslate2.CTranslate, "find", worse)
    other = Tuned(tiny.loaded, tmp_path / "converted")
    for _ in range(2):  # no second try either
        with pytest.raises(InputError, match=r"^decoding\.backend: .*worse.*at auto\.$"):
            other.ask(SOURCES, backend="ctranslate2")


def test_a_model_it_cannot_take_is_refused_in_a_sentence(
    tiny: Tuned, tmp_path: Path, monkeypatch: Any
) -> None:
    tiny = Tuned(tiny.loaded, tmp_path)
    from ctranslate2.converters import TransformersConverter

    def broken(*args: Any, **options: Any) -> None:
        raise ValueError("no such layer\nand more")

    monkeypatch.setattr(TransformersConverter, "convert", broken)
    asked = {"backend": "ctranslate2", "precision": "int8"}
    with pytest.raises(InputError, match=r"cannot take 'tiny' \(no such layer\): leave"):
        tiny.ask(SOURCES, **asked)
    assert not list(tmp_path.iterdir()), "nothing is left behind"
    monkeypatch.setattr("ctranslate2.converters.transformers._MODEL_LOADERS", {"Other": None})
    with pytest.raises(InputError, match=r"^decoding\.backend: .*does not know LlamaConfig"):
        tiny.ask(SOURCES, **asked)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"^decoding\.precision: .*bf16.*choose fp32 or int8"):
        tiny.ask(SOURCES, backend="ctranslate2", precision="bf16")


def test_an_adapter_beside_the_weights_is_not_lost(tiny: Tuned, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path)})
    fresh = [load(tiny.loaded.base, precision="fp32", settings=settings) for _ in range(2)]
    folder = tmp_path / "run" / "adapter"
    get_peft_model(fresh[0].model, LoraConfig(target_modules=["q_proj"])).save_pretrained(folder)
    switched = SharedBase(fresh[1]).switched(Adapter.at(folder))
    with pytest.raises(NotAvailable, match="not merged in.*transformers alone"):
        Tuned(switched, tmp_path / "converted").ask(SOURCES, backend="ctranslate2")


def test_drafts_are_the_labs_own(tiny: Tuned) -> None:
    asked = {"max_new_tokens": 12, "strategy": "beam"}
    *_, last = stream(
        tiny.loaded, SOURCES[0], DE_EN, Decoding(**asked, backend="ctranslate2"), Template()
    )
    assert last == tiny.ask(SOURCES[:1], **asked)[0]


def test_the_folder_of_converted_models_keeps_to_its_bound(tmp_path: Path) -> None:
    store = ConvertedModels(tmp_path / "converted", most_bytes=250)
    made: list[str] = []

    def get(key: str, size: int = 100) -> Path:
        def make(path: Path) -> None:
            made.append(key)
            path.mkdir()
            (path / "model.bin").write_bytes(b"x" * size)

        found = store.get(key, make)
        os.utime(found, (len(made), len(made)))  # as if time had gone by
        return found

    for key in ("a", "b", "a"):
        get(key)
    assert made == ["a", "b"]
    os.utime(tmp_path / "converted" / "b", (0, 0))
    get("c")
    assert {path.name for path in (tmp_path / "converted").iterdir()} == {"a", "c"}
    assert get("large", 1000).is_dir(), "the one in use stays"
    assert {path.name for path in (tmp_path / "converted").iterdir()} == {"large"}

    def fails(path: Path) -> None:
        path.mkdir()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        store.get("d", fails)
    assert {path.name for path in (tmp_path / "converted").iterdir()} == {"large"}


def test_vllm_is_called_as_it_is_documented(tiny: Tuned, tmp_path: Path, monkeypatch: Any) -> None:
    """With a stand-in that decodes by the lab's own search: nobody has run vLLM itself here."""
    seen: dict[str, Any] = {}

    class SamplingParams:
        def __init__(self, *, temperature: float, max_tokens: int, stop_token_ids: list[int]):
            assert temperature == 0
            self.max_tokens, self.ends = max_tokens, stop_token_ids

    class LLM:
        def __init__(self, *, model: str, dtype: str, seed: int) -> None:
            seen.update(model=model, dtype=dtype)

        def generate(self, prompts: Any, parameters: Any, use_tqdm: bool) -> list[Any]:
            assert not use_tqdm and len(prompts) == len(parameters)
            return [self._one(p["prompt_token_ids"], q) for p, q in zip(prompts, parameters)]  # noqa: B905

        def _one(self, ids: list[int], asked: SamplingParams) -> Any:
            output = tiny.loaded.model.generate(
                input_ids=torch.tensor([ids]), attention_mask=torch.ones((1, len(ids))),
                max_new_tokens=asked.max_tokens, do_sample=False, eos_token_id=asked.ends,
                pad_token_id=0,
            )  # fmt: skip
            one = ModuleType("one")
            tokens = output[0, len(ids) :].tolist()
            one.finish_reason = "stop" if tokens[-1] in asked.ends else "length"
            # It counts the end mark among the tokens, or does not.
            one.token_ids = tokens[:-1] if tokens[-1] in asked.ends and len(ids) % 2 else tokens
            result = ModuleType("result")
            result.outputs = [one]
            return result

    stand_in = ModuleType("vllm")
    stand_in.LLM, stand_in.SamplingParams = LLM, SamplingParams  # type: ignore[attr-defined]
    stand_in.__spec__ = type(sys.__spec__)("vllm", None)
    monkeypatch.setitem(sys.modules, "vllm", stand_in)
    other = Tuned(tiny.loaded, tmp_path)
    asked = {"strategy": "greedy", "max_new_tokens": 20}
    assert other.ask(SOURCES, **asked, backend="vllm") == tiny.ask(SOURCES, **asked)
    assert seen["dtype"] == "float32"
    load(
        Base("written", "written", path=Path(seen["model"])), settings=Settings.from_environment({})
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"backend": "vllm"}, "decoding.backend: vllm is offered for greedy decoding alone"),
        ({"backend": "ctranslate2", "strategy": "sample"}, "decoding.backend: ctranslate2 cannot"),
        ({"precision": "int8"}, "decoding.precision: only ctranslate2 takes"),
    ],
)
def test_what_a_backend_cannot_is_said_of_the_spec(fields: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        RunSpec(train=["de-en"], decoding=fields)


def test_a_backend_that_is_not_installed_is_refused_with_the_command(
    tiny: Tuned, monkeypatch: Any
) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(InputError) as caught:
        tiny.ask(SOURCES, backend="ctranslate2")
    assert caught.value.sentence() == (
        "decoding.backend: ctranslate2 is not installed: install it with "
        "'pip install ctranslate2', or leave the backend at auto."
    )


def test_the_key_of_what_is_kept_tells_backends_apart() -> None:
    plain, named = Decoding(), Decoding(backend="transformers")
    assert plain.deciding() == named.deciding()
    others = [Decoding(backend="ctranslate2", precision=one) for one in ("auto", "int8")]
    assert len({str(one.deciding()) for one in (plain, *others)}) == 3
    assert all(one.by_transformers().deciding() == plain.deciding() for one in others)
