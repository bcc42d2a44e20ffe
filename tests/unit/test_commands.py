import shlex

import pytest

from mtlab.cli.parser import build_parser
from mtlab.cli.verbs import _spec_from
from mtlab.commands import FLAGS, command_for, field_of
from mtlab.spec import Decoding, Noise, RunSpec, Training

SPECS = [
    RunSpec(train=["de-en"]),
    RunSpec(train=["de-en", "en-de"], size=100, seed=3, name="two words & more"),
    RunSpec(test=["de-en"], size=3, training={"method": "few-shot"}),
    RunSpec(train=["de-en"], devices=2, strategy="fsdp"),
    RunSpec(base="outputs:/a/b {direction}.txt", test=["de-en"], training={"method": "none"}),
    RunSpec(
        base="some/model",
        train=["en-is"],
        noise={"kind": "word", "side": "source", "ratio": 0.25},
        test=["en-fr", "is-en"],
        metrics=["bleu"],
        training={"method": "full", "learning_rate": 1e-5, "lora_targets": ["q_proj", "v_proj"]},
        decoding={"strategy": "greedy"},
        score_base=False,
        template="Übersetze '{source}'\nins {target_language}:",
    ),
]


@pytest.mark.parametrize("spec", SPECS)
def test_the_command_shown_makes_the_same_spec(spec):
    words = shlex.split(command_for(spec))
    assert words[:2] == ["mtlab", "run"]
    assert _spec_from(build_parser().parse_args(words[1:])) == spec


@pytest.mark.parametrize(
    ("word", "path"),
    [("fsdp", "strategy"), ("greedy", "decoding.strategy"), ("other", "strategy")],
)
def test_strategy_still_says_how_answers_are_searched(word, path):
    words = ["run", "--train", "de-en", "--strategy", word]
    args = vars(build_parser().parse_args(words))
    assert {name: args[name] for name in args if name.endswith("strategy")} == {path: word}


def test_every_field_of_the_spec_has_a_flag():
    fields = set(RunSpec.model_fields) - {"noise", "training", "decoding"}
    for name, part in (("noise", Noise), ("training", Training), ("decoding", Decoding)):
        fields |= {f"{name}.{field}" for field in part.model_fields}
    assert {path for _, path in FLAGS} == fields
    assert all(field_of(path).description for _, path in FLAGS)


def test_a_size_that_is_of_no_use_is_not_shown():
    spec = RunSpec(base="some/model", test=["de-en"], size=0, training={"method": "none"})
    assert command_for(spec) == "mtlab run --base some/model --method none --test de-en"
