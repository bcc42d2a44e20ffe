"""BLEU and chrF, held against sacrebleu's own program and its own bootstrap."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu

from mtlab.errors import InputError
from mtlab.scoring.bootstrap import mean_interval, resamples
from mtlab.scoring.lexical import lexical_scores, segment_signature
from mtlab.scoring.values import Score

REFERENCES = {
    "en": [
        "The ferry leaves at half past six, so we should hurry.",
        "Nobody had told her that the shop was closed.",
        '"It costs 3.50 euros," he said, and paid.',
        "My grandparents' house stands next to the old mill.",
        "We'll bring bread, cheese and a bottle of juice.",
    ],
    "zh": [
        "渡轮六点半出发，所以我们得快点。",
        "没有人告诉她商店已经关门了。",
        "他说：“三块五。”然后付了钱。",
        "我祖父母的房子在老磨坊旁边。",
        "我们会带面包、奶酪和一瓶果汁。",
    ],
    "ja": [
        "フェリーは六時半に出るので、急いだほうがいい。",
        "店が閉まっていることを誰も彼女に教えなかった。",
        "「三ユーロ五十です」と彼は言って、払った。",
        "祖父母の家は古い水車小屋の隣にあります。",
        "パンとチーズとジュースを一本持っていきます。",
    ],
}


def damaged(lines: list[str]) -> list[str]:
    """The lines with one character in twelve gone: the same ones each time."""
    draw = random.Random(7)
    return ["".join(letter for letter in line if draw.random() > 1 / 12) for line in lines]


def only(answers: dict[str, Any]) -> Score:
    (score,) = answers.values()
    assert isinstance(score, Score)
    return score


def by_program(
    folder: Path, metric: str, target: str, hypotheses: list[str], references: list[str]
) -> dict[str, Any]:
    """What `sacrebleu REFERENCE -i HYPOTHESIS --confidence` prints."""
    tokenizer = {"zh": "zh", "ja": "ja-mecab"}.get(target, "13a")
    (folder / "ref").write_text("\n".join(references) + "\n", encoding="utf-8")
    (folder / "hyp").write_text("\n".join(hypotheses) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", str(folder / "ref"), "-i", str(folder / "hyp")]
    command += ["-m", metric, "--confidence", "--width", "10", "--format", "json"]
    command += ["--tokenize", tokenizer] if metric == "bleu" else []
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


@pytest.mark.parametrize("metric", ["bleu", "chrf"])
@pytest.mark.parametrize("target", ["en", "zh", "ja"])
def test_the_numbers_and_the_signature_of_sacrebleus_program(
    tmp_path: Path, metric: str, target: str
) -> None:
    references = REFERENCES[target]
    hypotheses = damaged(references)
    score = only(lexical_scores(metric, references, {"system": hypotheses}, target))
    printed = by_program(tmp_path, metric, target, hypotheses, references)
    assert score.value == pytest.approx(printed["score"], abs=1e-9)
    assert score.signature == printed["signature"]
    assert score.low is not None and score.high is not None
    assert (score.high - score.low) / 2 == pytest.approx(printed["confidence_var"], abs=1e-4)
    assert score.low < score.value < score.high
    assert (score.n, score.seed) == (5, 12345)


def test_the_interval_is_sacrebleus_on_many_segments() -> None:
    references = [f"{line} {number}" for number in range(80) for line in REFERENCES["en"]]
    hypotheses = damaged(references)
    score = only(lexical_scores("bleu", references, {"system": hypotheses}, "en"))
    theirs = sacrebleu.BLEU().corpus_score(hypotheses, [references], n_bootstrap=1000)
    assert score.value == theirs.score
    assert score.low is not None and score.high is not None
    assert (score.high - score.low) / 2 == pytest.approx(theirs._ci, abs=1e-4)


def test_the_seed_is_sacrebleus(monkeypatch: pytest.MonkeyPatch) -> None:
    references = REFERENCES["en"]
    systems = {"system": damaged(references)}
    first = only(lexical_scores("bleu", references, systems, "en"))
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    other = only(lexical_scores("bleu", references, systems, "en"))
    assert other.seed == 7 and "|seed:7|" in other.signature
    assert other.value == first.value and (other.low, other.high) != (first.low, first.high)
    monkeypatch.setenv("SACREBLEU_SEED", "none")
    assert only(lexical_scores("bleu", references, systems, "en")).seed is None


def test_segment_scores_are_sacrebleus_sentence_scores() -> None:
    references = REFERENCES["en"]
    hypotheses = damaged(references)
    bleu = only(lexical_scores("bleu", references, {"system": hypotheses}, "en"))
    chrf = only(lexical_scores("chrf", references, {"system": hypotheses}, "en"))
    pairs = list(zip(hypotheses, references, strict=True))
    assert bleu.segments == pytest.approx(
        [sacrebleu.sentence_bleu(hypothesis, [reference]).score for hypothesis, reference in pairs]
    )
    assert chrf.segments == pytest.approx(
        [sacrebleu.sentence_chrf(hypothesis, [reference]).score for hypothesis, reference in pairs]
    )
    for metric, theirs in (
        ("bleu", sacrebleu.BLEU(effective_order=True)),
        ("chrf", sacrebleu.CHRF()),
    ):
        theirs.sentence_score(*hypotheses[:1], references[:1])
        assert segment_signature(metric, "en") == str(theirs.get_signature())


def test_a_corpus_score_is_no_mean_of_sentence_scores() -> None:
    references = REFERENCES["en"]
    score = only(lexical_scores("bleu", references, {"system": damaged(references)}, "en"))
    assert score.segments is not None
    assert abs(score.value - sum(score.segments) / score.n) > 0.5


def test_many_systems_do_not_change_one_another() -> None:
    references = REFERENCES["ja"]
    systems = {"good": references, "damaged": damaged(references), "silent": [""] * 5}
    together = lexical_scores("bleu", references, systems, "ja")
    for name, lines in systems.items():
        assert together[name] == only(lexical_scores("bleu", references, {name: lines}, "ja"))
    assert only({"good": together["good"]}).value == pytest.approx(100)
    silent = only({"silent": together["silent"]})
    assert (silent.value, silent.low, silent.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("metric", ["bleu", "chrf"])
def test_one_segment_has_a_score_and_no_interval(metric: str) -> None:
    score = only(lexical_scores(metric, ["A short line here."], {"a": ["A short line."]}, "en"))
    assert 0 < score.value < 100
    assert score.low is None and score.high is None
    assert "bs:" not in score.signature
    assert "one segment" in score.to_json()["notes"][0]


def test_json_has_what_a_reader_needs_and_nothing_more() -> None:
    references = REFERENCES["en"]
    data = only(lexical_scores("chrf", references, {"a": damaged(references)}, "en")).to_json()
    assert set(data) == {"value", "low", "high", "n", "signature", "seed"}
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize(
    ("metric", "references", "systems", "says"),
    [
        ("bleu", [], {"a": []}, "no references"),
        ("bleu", ["Yes."], {}, "no system"),
        ("bleu", ["Yes.", "No."], {"a": ["Yes."]}, "1 hypothesis lines of system 'a' for 2"),
        ("bleu", ["Yes.", "", " "], {"a": ["Yes.", "No.", "So."]}, "2 of 3 reference lines"),
        ("bleu", ["Yes."], {"a": [None]}, "1 of 1 hypothesis lines of system 'a' are missing"),
        ("bleu", ["Yes."], {"a": "Yes."}, "is one text"),
        ("ter", ["Yes."], {"a": ["Yes."]}, "'ter' is not a metric"),
    ],
)
def test_bad_input_is_one_clear_sentence(
    metric: str, references: list[str], systems: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says) as refused:
        lexical_scores(metric, references, systems, "en")
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def test_resamples_are_drawn_as_sacrebleu_draws_them() -> None:
    n = 3001  # several blocks, the last one short
    blocks = list(resamples(n, 12345))
    assert len(blocks) > 1
    counts = np.concatenate(blocks)
    drawn = np.random.default_rng(12345).choice(n, size=(1000, n), replace=True)
    expected = np.stack([np.bincount(row, minlength=n) for row in drawn])
    assert np.array_equal(counts, expected)


def test_the_interval_of_a_mean_covers_it_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    intervals = [mean_interval(draw.normal(size=200), 12345) for _ in range(200)]
    covered = sum(low <= 0 <= high for low, high in intervals) / len(intervals)
    assert 0.89 <= covered <= 0.99
