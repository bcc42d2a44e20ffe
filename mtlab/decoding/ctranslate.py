"""Decoding by CTranslate2: its own kernels, in fp32, int8 or, on a GPU, bf16.

It computes the same logits as transformers up to rounding: greedy answers in fp32 are the same.
Its beam search is another in two points that no option closes. It ends when so many answers have
ended as there are beams, while `generate` goes on for as long as an open beam is better than the
worst of those it holds. And at the first step no beam but the best may end. A tuned model, which
ends its answers, is hardly touched; an untuned one, which rambles, often is (`docs/speed.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from mtlab.decoding.converted import ConvertedModels
from mtlab.decoding.engines import saved, weights_digest
from mtlab.decoding.search import Found
from mtlab.decoding.stepper import shared_prefix
from mtlab.errors import InputError
from mtlab.models import Loaded, quiet
from mtlab.spec import Decoding

_TYPES = {"fp32": "float32", "bf16": "bfloat16", "int8": "int8"}


@dataclass(frozen=True)
class CTranslate:
    """A converted model.

    Attributes:
        folder: of the converted model.
        precision: `fp32`, `bf16` or `int8`.
        beams: rows per sentence.
        tokenizer: of the model.
        device: `cpu` or `cuda`.
        index: of the GPU.
    """

    folder: Path
    precision: str
    beams: int
    tokenizer: Any
    device: str
    index: int

    @classmethod
    def of(cls, loaded: Loaded, decoding: Decoding, store: ConvertedModels) -> CTranslate:
        """Convert a model, or find it converted; raises as `mtlab.decoding.engines.engine_for`."""
        import ctranslate2

        check_architecture(loaded)
        precision = precision_for(decoding, loaded.device)
        key = f"ctranslate2-{ctranslate2.__version__}-{precision}-{weights_digest(loaded)}"
        folder = store.get(key, lambda path: _convert(loaded, path, precision))
        device = _device(loaded.device)
        index = 0
        if device == "cuda":
            index = torch.device(loaded.device).index or torch.cuda.current_device()
        beams = decoding.beams if decoding.strategy == "beam" else 1
        return cls(folder, precision, beams, loaded.tokenizer, device, index)

    def find(
        self, prompts: Sequence[Sequence[int]], limits: Sequence[int], ends: Sequence[int]
    ) -> list[Found]:
        """As `mtlab.decoding.engines.Engine.find`."""
        found: dict[int, Found] = {}
        for limit in sorted(
            set(limits)
        ):  # it takes one for all; they differ near the context's end
            rows = [row for row, own in enumerate(limits) if own == limit]
            answers = self._find([prompts[row] for row in rows], limit, ends)
            found.update(zip(rows, answers, strict=True))
        return [found[row] for row in range(len(prompts))]

    def _find(
        self, prompts: Sequence[Sequence[int]], limit: int, ends: Sequence[int]
    ) -> list[Found]:
        shared = shared_prefix(prompts) if len(prompts) > 1 else 0
        name = self.tokenizer.convert_ids_to_tokens
        results = self._generator().generate_batch(
            [name(list(prompt[shared:])) for prompt in prompts],
            static_prompt=name(list(prompts[0][:shared])) or None,
            cache_static_prompt=False,
            include_prompt_in_result=False,
            beam_size=self.beams,
            max_length=limit,
            end_token=list(ends),
            return_end_token=True,
        )
        return [_found(result.sequences_ids[0], ends) for result in results]

    def _generator(self) -> Any:
        threads = torch.get_num_threads()
        return _generator(str(self.folder), self.device, self.index, self.precision, threads)


def precision_for(decoding: Decoding, device: str) -> str:
    """The number format that is meant on a device.

    Raises:
        InputError: CTranslate2 does not compute with it there.
    """
    import ctranslate2

    known = ctranslate2.get_supported_compute_types(_device(device))
    if decoding.precision == "auto":
        return "bf16" if "bfloat16" in known else "fp32"
    if _TYPES[decoding.precision] not in known:
        offered = [name for name, its in _TYPES.items() if its in known]
        raise InputError(
            f"ctranslate2 does not compute in {decoding.precision} on this {_device(device)}",
            field="decoding.precision",
            fix=f"choose {' or '.join(offered)}",
        )
    return decoding.precision


def check_architecture(loaded: Loaded) -> None:
    """Refuse a model of a kind that CTranslate2 cannot convert.

    Raises:
        InputError: it cannot.
    """
    from ctranslate2.converters import transformers as converters

    known = getattr(converters, "_MODEL_LOADERS", None)
    name = type(loaded.model.config).__name__
    if known is not None and name not in known:
        raise _refused(loaded, f"it does not know {name}")


def _convert(loaded: Loaded, path: Path, precision: str) -> None:
    from ctranslate2.converters import TransformersConverter

    with saved(loaded, path.parent) as folder, quiet():
        try:
            TransformersConverter(str(folder)).convert(str(path), quantization=_TYPES[precision])
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure to convert becomes a sentence
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise _refused(loaded, reason) from error


def _refused(loaded: Loaded, why: str) -> InputError:
    return InputError(
        f"ctranslate2 cannot take '{loaded.base.name}'",
        field="decoding.backend",
        why=why,
        fix="leave the backend at auto",
    )


@lru_cache(maxsize=1)
def _generator(path: str, device: str, index: int, precision: str, threads: int) -> Any:
    """One model in memory, whichever was used last."""
    import ctranslate2

    return ctranslate2.Generator(
        path,
        device=device,
        device_index=index,
        compute_type=_TYPES[precision],
        intra_threads=threads,
    )


def _device(device: str) -> str:
    return "cuda" if device.startswith("cuda") else "cpu"


def _found(tokens: Sequence[int], ends: Sequence[int]) -> Found:
    ended = bool(tokens) and tokens[-1] in ends
    return Found(tuple(tokens[:-1] if ended else tokens), ended)
