"""`mtlab score` against sacrebleu's and unbabel-comet's own programs, on whole WMT test sets.

The hypotheses are made from the references, by the same damage in every language: public
submissions are not among the shared files.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from mtlab.scoring.comet_env import find_env

DIRECTIONS = [
    ("wmt22", "de-en"),
    ("wmt22", "en-ja"),
    ("wmt22", "en-zh"),
    ("wmt22", "en-ru"),
    ("wmt21", "en-is"),
]
# comet-score 2.2.7 puts every model into half precision, which moves scores by more than 1e-5.
# This is its own program with that one step left out: comet-score in fp32.
COMET_SCORE = """
from comet.cli.score import score_command
from comet.models import CometModel

CometModel.half = lambda model: model
score_command()
"""
UNSPACED = ("ja", "zh")


def run(*command, **environment):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def damaged(line, target, seed):
    """A line with some words, or characters where words are not set apart, lost and swapped."""
    draw = random.Random(f"{seed} {line}")
    apart = "" if target in UNSPACED else " "
    words = [word for word in (line.split(apart) if apart else line) if draw.random() > 0.1 * seed]
    if len(words) > 3 and draw.random() < 0.5:
        place = draw.randrange(len(words) - 1)
        words[place : place + 2] = words[place + 1], words[place]
    return apart.join(words)


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("test_set", "direction"), DIRECTIONS)
def test_bleu_and_chrf_are_sacrebleus_to_the_last_digit(
    sacrebleu_cache, tmp_path, test_set, direction
):
    target = direction.split("-")[1]
    known = {"SACREBLEU": str(sacrebleu_cache)}
    columns = {}
    for side in ("src", "ref"):
        text = run("sacrebleu", "-t", test_set, "-l", direction, "--echo", side, **known)
        columns[side] = text.removesuffix("\n").split("\n")
    source, reference = (write(tmp_path / side, lines) for side, lines in columns.items())
    systems = [
        write(tmp_path / f"system{seed}", [damaged(x, target, seed) for x in columns["ref"]])
        for seed in (1, 2)
    ]
    files = [argument for path in systems for argument in ("--hyp", path)]
    printed = run(
        "mtlab", "score", "--src", source, "--ref", reference, *files, "--direction", direction,
        "--metric", "bleu", "--metric", "chrf", "--json",
    )  # fmt: skip
    scored = json.loads(printed.splitlines()[-1])["systems"]
    assert [row["name"] for row in scored] == [str(path) for path in systems]
    for path, row in zip(systems, scored, strict=True):
        # sacrebleu itself chooses reference and tokenizer by the set and the direction.
        theirs = json.loads(
            run(
                "sacrebleu",
                "-t",
                test_set,
                "-l",
                direction,
                "-i",
                path,
                "-m",
                "bleu",
                "chrf",
                "--width",
                "6",
                "--format",
                "json",
                **known,
            )  # fmt: skip
        )
        for metric, expected in zip(("bleu", "chrf"), theirs, strict=True):
            assert f"{row['scores'][metric]['value']:.6f}" == f"{expected['score']:.6f}"
            assert 5 < expected["score"] < 95
            ours = dict(part.split(":") for part in row["scores"][metric]["signature"].split("|"))
            given = dict(part.split(":") for part in expected["signature"].split("|"))
            assert ours.get("tok") == given.get("tok")
        gated = row["scores"]["bleu"]["gated"]
        assert gated["value"] == row["scores"]["bleu"]["value"] and gated["failed"] >= 0


def test_comet_is_that_of_comet_score_in_fp32_for_systems_that_share_a_source(
    comet_settings, tiny_comet, tmp_path
):
    source = write(tmp_path / "src", tiny_comet.sources)
    reference = write(tmp_path / "ref", tiny_comet.references)
    systems = [
        write(tmp_path / f"system{number}", lines)
        for number, lines in enumerate(tiny_comet.systems.values())
    ]
    checkpoint = tiny_comet.regression / "checkpoints" / "model.ckpt"
    answers = tmp_path / "comet.json"
    python = find_env(comet_settings)
    subprocess.run(
        [
            python, "-c", COMET_SCORE,
            "-s", source, "-r", reference, "-t", *systems, "--model", checkpoint,
            "--gpus", "0", "--num_workers", "0", "--quiet", "--to_json", answers,
        ],
        check=True, capture_output=True, cwd=tmp_path,
    )  # fmt: skip
    theirs = json.loads(answers.read_text(encoding="utf-8"))
    files = [argument for path in systems for argument in ("--hyp", path)]
    printed = run(
        "mtlab", "score", "--src", source, "--ref", reference, *files, "--direction", "de-en",
        "--metric", "comet", "--comet-model", tiny_comet.regression, "--json",
        MTLAB_COMET_ENV=str(Path(python).parents[1]), MTLAB_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    scored = json.loads(printed.splitlines()[-1])["systems"]
    assert len(scored) == len(theirs) == len(systems)
    for row in scored:
        segments = [segment["COMET"] for segment in theirs[row["name"]]]
        score = row["scores"]["comet"]
        assert score["value"] == pytest.approx(sum(segments) / len(segments), abs=1e-5)
        assert "precision:fp32" in score["signature"]
