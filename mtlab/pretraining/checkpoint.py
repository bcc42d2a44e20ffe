"""Writing a model as it stands, and all that is needed to go on with it as if never stopped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.errors import InputError
from mtlab.pretraining.batches import Batches
from mtlab.pretraining.optimizer import Optimizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LARGEST_FILE = "8MB"
_WEIGHTS, _MOMENTS, _PLACE = "weights.safetensors", "moments.safetensors", "place.json"


@dataclass
class Position:
    """How far a run has come; `seconds` counts training alone, over every resumption."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def advance(self, tokens: int, seconds: float) -> None:
        """One step on."""
        self.step += 1
        self.tokens += tokens
        self.seconds += seconds


def save(
    out: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    optimizer: Optimizer,
    batches: Batches,
    position: Position,
) -> None:
    """Write the model in bf16, as anyone loads it, and `checkpoint/` beside it.

    The checkpoint keeps fp32 weights, the optimizer's moments and the place in the documents; it is
    complete when `place.json` is there, which is written last.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM

    out.mkdir(parents=True, exist_ok=True)
    small = AutoModelForCausalLM.from_config(model.config, dtype=torch.bfloat16)
    small.load_state_dict(model.state_dict())
    small.config.dtype = torch.bfloat16
    for old in out.glob("model*.safetensors*"):
        old.unlink()
    small.save_pretrained(out, max_shard_size=LARGEST_FILE)
    tokenizer.save_pretrained(out)
    folder = out / "checkpoint"
    folder.mkdir(exist_ok=True)
    (folder / _PLACE).unlink(missing_ok=True)
    weights = {name: value.detach().cpu().contiguous() for name, value in model.named_parameters()}
    save_file(weights, folder / _WEIGHTS)
    moments = {name: value.cpu().contiguous() for name, value in optimizer.state().items()}
    save_file(moments, folder / _MOMENTS)
    place = {"position": asdict(position), "batches": batches.state()}
    (folder / _PLACE).write_text(json.dumps(place), encoding="utf-8")


def restore(out: Path, model: PreTrainedModel, optimizer: Optimizer, batches: Batches) -> Position:
    """Take up a run where its last checkpoint stood.

    Raises:
        InputError: no complete checkpoint, or one of another architecture.
    """
    import torch
    from safetensors.torch import load_file

    folder = out / "checkpoint"
    if not (folder / _PLACE).exists():
        raise InputError(
            f"{out} holds no checkpoint", field="resume", fix="leave --resume out to start anew"
        )
    weights = load_file(folder / _WEIGHTS)
    parameters = dict(model.named_parameters())
    if {name: value.shape for name, value in weights.items()} != {
        name: value.shape for name, value in parameters.items()
    }:
        raise InputError(
            f"the checkpoint in {out} is of another architecture",
            field="resume",
            fix="give the same --layers, --hidden, --vocab or --from",
        )
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)
    optimizer.restore(load_file(folder / _MOMENTS))
    place = json.loads((folder / _PLACE).read_text(encoding="utf-8"))
    batches.restore(place["batches"])
    return Position(**place["position"])
