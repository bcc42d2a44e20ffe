import json
from pathlib import Path
from typing import Any

import pytest

from mtlab.cli import main
from mtlab.errors import InputError
from mtlab.pretraining import PretrainSpec, pretrain
from mtlab.pretraining.command import parse_shares
from mtlab.pretraining.optimizer import LAST, rate_factor

TINY = {"layers": 1, "hidden": 32, "heads": 2, "vocab": 320, "length": 32, "rows": 4}


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "checkpoint" / "weights.safetensors")


def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not(
    corpus: Path, tmp_path: Path
) -> None:
    """The rate depends on the budget, so both parts run in the flat of the same schedule."""
    events: list[tuple[str, dict[str, Any]]] = []

    def spec(name: str, tokens: int, resume: bool = False) -> PretrainSpec:
        return PretrainSpec(
            corpus, tmp_path / name, {"is": 0.1}, tokens=tokens, resume=resume, seed=3, **TINY
        )

    done = pretrain(spec("whole", 30 * 128), lambda kind, **data: events.append((kind, data)))
    assert done["steps"] == 30
    assert {"corpus", "model", "step", "saved"} <= {kind for kind, _ in events}
    first, last = (data["loss"] for kind, data in (events[2], events[-2]) if kind == "step")
    assert last < first
    assert done["shares_written"]["is"] == pytest.approx(0.1, abs=0.05)

    pretrain(spec("parts", 30 * 128))
    again = pretrain(spec("parts", 40 * 128, resume=True))
    straight = pretrain(spec("whole", 40 * 128, resume=True))
    assert again["steps"] == straight["steps"] == 40
    for name, value in weights(tmp_path / "whole").items():
        assert value.equal(weights(tmp_path / "parts")[name]), name


def test_the_model_is_loaded_by_transformers_alone_and_marks_its_start(
    corpus: Path, tmp_path: Path
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    pretrain(PretrainSpec(corpus, tmp_path / "a", tokens=1280, **TINY))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "a")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "a")
    assert model.dtype == torch.bfloat16
    assert tokenizer("One")["input_ids"][0] == tokenizer.bos_token_id == 1
    assert tokenizer.decode(tokenizer("Fünf, þrír")["input_ids"][1:]) == "Fünf, þrír"

    onward = PretrainSpec(
        corpus, tmp_path / "b", tokens=640, base=tmp_path / "a", length=32, rows=4
    )
    assert pretrain(onward)["parameters"] == model.num_parameters()


def test_the_rate_rises_stays_and_falls() -> None:
    factors = [rate_factor(spent / 100) for spent in range(101)]
    assert factors[0] == LAST and factors[2] == factors[50] == 1.0
    assert factors[60:] == sorted(factors[60:], reverse=True)
    assert factors[100] == rate_factor(1.5) == LAST


def test_the_command_line_makes_a_model_and_says_how_far_it_is(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"--corpus {corpus} --out {tmp_path / 'm'} --share is=0.02 --tokens 512 --layers 1"
    words += " --hidden 32 --heads 2 --vocab 320 --length 32 --rows 4 --json"
    assert main(["pretrain", *words.split()]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out.splitlines()[-1])["tokens"] == 512
    assert "loss" in said.err and "saved at 512 tokens" in said.err
    assert (tmp_path / "m" / "config.json").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": 1.0}, "minutes"),
        ({"tokens": 0}, "tokens"),
        ({"vocab": 10}, "vocab"),
        ({"hidden": 30, "heads": 4}, "hidden"),
        ({"base": Path("nowhere")}, "from"),
        ({"resume": True}, "resume"),
        ({"share": {"fi": 0.1}}, "share"),
    ],
)
def test_what_cannot_be_is_said_with_its_field(
    corpus: Path, tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as raised:
        pretrain(
            PretrainSpec(
                **{"corpus": corpus, "out": tmp_path / "x", "tokens": 128, **TINY} | change
            )
        )
    assert raised.value.field == field
    assert raised.value.fix


def test_shares_are_read_from_words() -> None:
    assert parse_shares(["is=0.02", "de=0.3,fr=0.1"]) == {"is": 0.02, "de": 0.3, "fr": 0.1}
    with pytest.raises(InputError, match="share"):
        parse_shares(["is"])
