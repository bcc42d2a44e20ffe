"""Greedy decoding by vLLM, where it is installed and asked for; written to its documentation.

Nobody has run it here: vLLM wants a GPU. What it is called with is held by a test with a stand-in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from mtlab.decoding.converted import ConvertedModels
from mtlab.decoding.engines import save, weights_digest
from mtlab.decoding.search import Found
from mtlab.models import Loaded

_SHARE = 0.85  # of the memory that is free beside the model that transformers holds


@dataclass(frozen=True)
class VLLM:
    """A model that vLLM has loaded.

    Attributes:
        folder: of the model, adapters merged in.
        dtype: vLLM's name for the weights' format.
    """

    folder: Path
    dtype: str

    @classmethod
    def of(cls, loaded: Loaded, store: ConvertedModels) -> VLLM:
        """Write a model for vLLM, or find it written."""
        key = f"vllm-{loaded.dtype_name}-{weights_digest(loaded)}"
        folder = store.get(key, lambda path: save(loaded, path))
        return cls(folder, "bfloat16" if loaded.dtype_name == "bf16" else "float32")

    def find(
        self, prompts: Sequence[Sequence[int]], limits: Sequence[int], ends: Sequence[int]
    ) -> list[Found]:
        """As `mtlab.decoding.engines.Engine.find`."""
        from vllm import SamplingParams

        parameters = [
            SamplingParams(temperature=0.0, max_tokens=limit, stop_token_ids=list(ends))
            for limit in limits
        ]
        asked = [{"prompt_token_ids": list(prompt)} for prompt in prompts]
        outputs = _model(str(self.folder), self.dtype).generate(asked, parameters, use_tqdm=False)
        return [_found(output.outputs[0], ends) for output in outputs]


@lru_cache(maxsize=1)
def _model(folder: str, dtype: str) -> Any:
    """One model in memory, whichever was used last."""
    from vllm import LLM

    room = {}
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        room = {"gpu_memory_utilization": round(_SHARE * free / total, 2)}
    return LLM(model=folder, dtype=dtype, seed=0, **room)


def _found(completion: Any, ends: Sequence[int]) -> Found:
    """What is before the first end mark, where vLLM counts that among the tokens."""
    tokens = tuple(completion.token_ids)
    for place, token in enumerate(tokens):
        if token in ends:
            return Found(tokens[:place], True)
    return Found(tokens, completion.finish_reason == "stop")
