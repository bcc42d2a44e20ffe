from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from mtlab.decoding import (
    Asked,
    DecodingStopped,
    Hypothesis,
    Parcel,
    alone,
    stream,
    translate,
    translate_together,
    translator,
)
from mtlab.decoding.batches import plan
from mtlab.errors import InputError, NotAvailable
from mtlab.models import Loaded, load
from mtlab.presets import Base, resolve_base
from mtlab.prompts import Template, prompt_ids
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction

DE_EN = Direction.parse("de-en")
SENTENCES = [
    "Das Haus ist rot.",
    "Wo ist der Bahnhof?",
    "Ja.",
    "Ich lese ein Buch, das sie mir gegeben hat.",
    "Es regnet.",
    "Heute ist ein schöner Tag.",
    "Ich auch nicht.",
    "Ja.",
]


@pytest.fixture(scope="module")
def loaded(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path_factory.mktemp("home"))})
    base = Base("tiny", "tiny", path=tiny_model)
    return load(base, precision="fp32", device="cpu", settings=settings)


def decoding(**changes: Any) -> Decoding:
    return Decoding(**{"max_new_tokens": 24, "token_budget": 700, **changes})


def ask(loaded: Loaded, sources: list[str], **changes: Any) -> list[Hypothesis]:
    return translate(loaded, sources, DE_EN, decoding(**changes), Template(), seed=3)


@pytest.mark.parametrize("strategy", ["beam", "greedy", "sample"])
def test_the_order_of_the_input_changes_no_answer(loaded: Loaded, strategy: str) -> None:
    answers = dict(zip(SENTENCES, ask(loaded, SENTENCES, strategy=strategy), strict=True))
    for seed in range(3):
        shuffled = SENTENCES[:]
        random.Random(seed).shuffle(shuffled)
        again = ask(loaded, shuffled, strategy=strategy)
        assert [answers[source] for source in shuffled] == again
    alone = [ask(loaded, [source], strategy=strategy)[0] for source in SENTENCES]
    assert [answers[source] for source in SENTENCES] == alone
    assert len({answer.text for answer in answers.values()}) > 3


def test_it_is_what_generate_says(loaded: Loaded) -> None:
    expected = []
    for source in SENTENCES:
        ids = torch.tensor([prompt_ids(loaded.tokenizer, Template(), source, DE_EN)])
        output = loaded.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), num_beams=4, max_new_tokens=24,
            do_sample=False,
        )  # fmt: skip
        text = loaded.tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)
        expected.append(text.strip())
    assert [answer.text for answer in ask(loaded, SENTENCES)] == expected


def test_nano_says_what_generate_says(home: Settings) -> None:
    nano = load(resolve_base("nano", home), precision="fp32", device="cpu", settings=home)
    prompts = [prompt_ids(nano.tokenizer, Template(), source, DE_EN) for source in SENTENCES[:5]]
    width, pad = max(map(len, prompts)), nano.tokenizer.pad_token_id
    with torch.inference_mode():
        output = nano.model.generate(
            input_ids=torch.tensor([[pad] * (width - len(p)) + p for p in prompts]),
            attention_mask=torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts]),
            num_beams=4, max_new_tokens=20, do_sample=False,
        )  # fmt: skip
    expected = nano.tokenizer.batch_decode(output[:, width:], skip_special_tokens=True)
    found = translate(nano, SENTENCES[:5], DE_EN, decoding(max_new_tokens=20), Template())
    assert [answer.text for answer in found] == [text.strip() for text in expected]
    asked = [Asked(DE_EN, source) for source in SENTENCES[:5]]
    others = [Asked(Direction.parse("fr-is"), "Il pleut."), Asked(DE_EN.reversed(), "It rains.")]
    found = translate_together(
        nano, [*others, *asked], decoding(max_new_tokens=20, token_budget=10_000), Template()
    )
    assert [answer.text for answer in found[2:]] == [text.strip() for text in expected]


DIRECTIONS = tuple(map(Direction.parse, ("de-en", "fr-is", "is-de")))
OTHERS = {  # fewer of each, one of them asked in two directions
    DIRECTIONS[0]: SENTENCES,
    DIRECTIONS[1]: ["Il pleut.", "", "Ja.", "Je lis un livre qu'elle m'a donné."],
    DIRECTIONS[2]: ["Ja."],
}
TOGETHER = [Asked(one, source) for one, sources in OTHERS.items() for source in sources]


@pytest.mark.parametrize("template", [Template(), Template("{source_language}: {source}\n")])
@pytest.mark.parametrize("strategy", ["beam", "greedy", "sample"])
def test_directions_in_one_stream_get_the_answers_they_get_alone(
    loaded: Loaded, strategy: str, template: Template
) -> None:
    options = decoding(strategy=strategy, token_budget=1000)
    parcels: list[Parcel] = []

    def watched(given: Any, *rest: Any) -> Any:
        parcels.extend(given)
        return alone(given, *rest)

    found = translate_together(loaded, TOGETHER, options, template, seed=3, hands=watched)
    apart = [
        answer
        for direction, sources in OTHERS.items()
        for answer in translate(loaded, sources, direction, options, template, seed=3)
    ]
    assert found == apart and len({answer.text for answer in found}) > 5
    assert any(len(set(parcel.heads)) > 1 for parcel in parcels), "directions share a batch"
    order = list(range(len(TOGETHER)))
    random.Random(1).shuffle(order)
    again = translate_together(
        loaded, [TOGETHER[place] for place in order], options, template, seed=3
    )
    assert again == [found[place] for place in order]


def test_what_was_cut_is_marked(loaded: Loaded) -> None:
    (cut,) = ask(loaded, ["Ja."], max_new_tokens=1, strategy="greedy")
    assert cut.tokens == 1 and not cut.ended
    everything_ends = replace(loaded)
    everything_ends.model.generation_config.eos_token_id = list(range(400))
    try:
        (ended,) = ask(everything_ends, ["Ja."], strategy="greedy")
    finally:
        loaded.model.generation_config.eos_token_id = 2
    assert ended == Hypothesis("", True, 0)


def test_a_source_longer_than_the_context_is_never_cut(loaded: Loaded) -> None:
    long = "sehr lang " * 200
    short, refused = ask(loaded, ["Ja.", long])
    assert short == ask(loaded, ["Ja."])[0]
    assert refused == Hypothesis("", False, 0, "the source is longer than the model's context")
    with pytest.raises(InputError, match="longer than the model's context"):
        list(stream(loaded, long, DE_EN, decoding(), Template()))


def test_an_empty_source_has_an_empty_translation(loaded: Loaded) -> None:
    sources = ["Das Haus ist rot.", "", "  \t", "Il pleut."]
    answers = ask(loaded, sources)
    assert answers[1] == answers[2] == Hypothesis("", True, 0)
    assert [answers[0], answers[3]] == ask(loaded, [sources[0], sources[3]])


def test_answers_end_where_the_context_does(loaded: Loaded) -> None:
    source = "Wort " * 30
    length = len(prompt_ids(loaded.tokenizer, Template(), source, DE_EN))
    assert loaded.context is not None and length < loaded.context
    (answer,) = ask(loaded, [source], strategy="greedy", max_new_tokens=4000)
    assert answer.ended or answer.tokens == loaded.context - length


def test_progress_counts_every_sentence(loaded: Loaded) -> None:
    told: list[tuple[int, int]] = []
    translate(
        loaded, SENTENCES, DE_EN, decoding(), Template(),
        on_progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told[-1] == (8, 8)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert len(told) > 1


def test_it_stops_when_asked(loaded: Loaded) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    with pytest.raises(DecodingStopped):
        translate(loaded, SENTENCES, DE_EN, decoding(), Template(), should_stop=should_stop)
    assert asked == 6, "asked at every step, not at every batch"


def test_nothing_to_translate(loaded: Loaded) -> None:
    assert ask(loaded, []) == []


def test_the_models_mode_is_put_back(loaded: Loaded) -> None:
    loaded.model.train()
    try:
        ask(loaded, ["Ja."])
        assert loaded.model.training
    finally:
        loaded.model.eval()


def test_memory_that_runs_out_halves_the_batch_once(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ask(loaded, SENTENCES, token_budget=100_000)
    real = translator.beam_search
    sizes: list[int] = []

    def tight(stepper: Any, beams: int, limits: Any, *rest: Any) -> Any:
        sizes.append(len(limits))
        if len(limits) > 4:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return real(stepper, beams, limits, *rest)

    monkeypatch.setattr(translator, "beam_search", tight)
    assert ask(loaded, SENTENCES, token_budget=100_000) == expected
    assert sizes == [7, 4, 3]

    def exhausted(*args: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(translator, "beam_search", exhausted)
    with pytest.raises(NotAvailable, match="decoding ran out of memory"):
        ask(loaded, SENTENCES)


def test_sampling_is_seeded(loaded: Loaded) -> None:
    def sample(seed: int) -> list[Hypothesis]:
        options = decoding(strategy="sample", temperature=1.5)
        return translate(loaded, SENTENCES, DE_EN, options, Template(), seed=seed)

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


@pytest.mark.parametrize("strategy", ["beam", "greedy", "sample"])
def test_streaming_ends_with_the_whole_answer(loaded: Loaded, strategy: str) -> None:
    options, seen = decoding(strategy=strategy), 0
    for source in SENTENCES:
        *drafts, answer = stream(loaded, source, DE_EN, options, Template(), seed=3)
        assert [answer] == ask(loaded, [source], strategy=strategy)
        # A character that is still being written is held back.
        assert not any(draft.ended or draft.text.endswith("\ufffd") for draft in drafts)
        assert all(one.text != next_.text for one, next_ in pairwise(drafts))
        seen += len(drafts)
    assert seen > 3 * len(SENTENCES), "it is watched, not only told at the end"


def test_greedy_drafts_only_grow(loaded: Loaded) -> None:
    drafts = [
        one.text for one in stream(loaded, "Ja.", DE_EN, decoding(strategy="greedy"), Template())
    ]
    assert all(next_.startswith(one) for one, next_ in pairwise(drafts))


def test_two_streams_may_be_read_in_turns_and_from_other_threads(loaded: Loaded) -> None:
    sources = ["Das Haus ist rot.", "Il pleut."]
    streams = [stream(loaded, source, DE_EN, decoding(), Template()) for source in sources]
    answers: dict[int, Hypothesis] = {}
    with ThreadPoolExecutor(4) as pool:
        left = {0, 1}
        while left:
            for number in sorted(left):
                draft = pool.submit(next, streams[number], None).result()
                if draft is None:
                    left.remove(number)
                else:
                    answers[number] = draft
    assert [answers[0], answers[1]] == ask(loaded, sources)


@pytest.mark.parametrize("strategy", ["beam", "greedy", "sample"])
def test_models_that_cannot_be_stepped_are_left_to_generate(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    expected = ask(loaded, SENTENCES, strategy=strategy)
    monkeypatch.setattr(translator, "can_step", lambda model, longest: False)
    found = ask(loaded, SENTENCES, strategy=strategy)
    if strategy == "sample":  # another generator: as seeded, not the same draws
        assert found == ask(loaded, SENTENCES, strategy=strategy)
    else:
        assert found == expected


def test_batches_hold_like_lengths_within_the_budget() -> None:
    prompts = [[index] * (5 + index % 20) for index in range(100)]
    batches = plan(prompts, beams=4, token_budget=400)
    assert sorted(index for batch in batches for index in batch) == list(range(100))
    for batch in batches:
        longest = max(len(prompts[index]) for index in batch)
        assert longest * len(batch) * 4 <= 400
    lengths = [len(prompts[index]) for batch in batches for index in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert plan([[1] * 500], beams=4, token_budget=64) == [[0]], "one sentence is always let in"
