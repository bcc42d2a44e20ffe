"""A spec as the command that runs it: what the browser shows to copy and provenance keeps."""

from __future__ import annotations

import shlex
from typing import Any

from pydantic import BaseModel

from mtlab.methods import NONE
from mtlab.spec import Decoding, Noise, RunSpec, Training

# One row per flag: (flag, where it stands in the spec, "a.b" for parts). The command line reads
# its flags from this table too, so that the two cannot drift apart.
FLAGS: tuple[tuple[str, str], ...] = (
    ("--name", "name"),
    ("--group", "group"),
    ("--base", "base"),
    ("--revision", "revision"),
    ("--corpus", "corpus"),
    ("--size", "size"),
    ("--train", "train"),
    ("--balance", "balance"),
    ("--reverse", "reverse"),
    ("--noise", "noise.kind"),
    ("--side", "noise.side"),
    ("--noise-ratio", "noise.ratio"),
    ("--translator", "noise.translator"),
    ("--dictionary", "noise.dictionary"),
    ("--terms", "noise.terms"),
    ("--noise-language", "noise.language"),
    ("--method", "training.method"),
    ("--learning-rate", "training.learning_rate"),
    ("--steps", "training.steps"),
    ("--batch-size", "training.batch_size"),
    ("--accumulation", "training.accumulation"),
    ("--schedule", "training.schedule"),
    ("--warmup", "training.warmup"),
    ("--weight-decay", "training.weight_decay"),
    ("--precision", "training.precision"),
    ("--gradient-checkpointing", "training.gradient_checkpointing"),
    ("--max-length", "training.max_length"),
    ("--checkpoint-steps", "training.checkpoint_steps"),
    ("--lora-rank", "training.lora_rank"),
    ("--lora-alpha", "training.lora_alpha"),
    ("--lora-dropout", "training.lora_dropout"),
    ("--lora-target", "training.lora_targets"),
    ("--search", "decoding.strategy"),
    ("--beams", "decoding.beams"),
    ("--max-new-tokens", "decoding.max_new_tokens"),
    ("--temperature", "decoding.temperature"),
    ("--top-p", "decoding.top_p"),
    ("--token-budget", "decoding.token_budget"),
    ("--backend", "decoding.backend"),
    ("--decoding-precision", "decoding.precision"),
    ("--test", "test"),
    ("--test-corpus", "test_corpus"),
    ("--test-limit", "test_limit"),
    ("--metric", "metrics"),
    ("--comet-model", "comet_model"),
    ("--template", "template"),
    ("--devices", "devices"),
    ("--strategy", "strategy"),
    ("--probe-size", "probe_size"),
    ("--score-base", "score_base"),
    ("--seed", "seed"),
)
_PARTS: dict[str, type[BaseModel]] = {"noise": Noise, "training": Training, "decoding": Decoding}


def field_of(path: str) -> Any:
    """The pydantic field that a path such as `noise.ratio` names."""
    part, _, name = path.rpartition(".")
    return (_PARTS[part] if part else RunSpec).model_fields[name]


def command_for(spec: RunSpec) -> str:
    """The shell command that starts the same run, without what is at its default."""
    data = spec.to_json()
    words = ["mtlab", "run"]
    for flag, path in FLAGS:
        if path == "size" and spec.training.method == NONE:
            continue  # of no use there
        value: Any = data
        for key in path.split("."):
            value = value[key]
        default = field_of(path).default
        if value is None or value == (list(default) if isinstance(default, tuple) else default):
            # The size and the base say what the run is, even at their defaults.
            if path not in {"base", "size"}:
                continue
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag.removeprefix('--')}")
            continue
        for item in value if isinstance(value, list) else [value]:
            words += [flag, str(item)]
    return shlex.join(words)
