"""Decoders other than the lab's own, behind one small protocol."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import torch

from mtlab.backends import check_backend
from mtlab.decoding.converted import ConvertedModels
from mtlab.decoding.search import Found
from mtlab.errors import NotAvailable
from mtlab.models import Loaded, quiet
from mtlab.spec import Decoding


class Engine(Protocol):
    """What continues prompts with a model of its own form.

    Attributes:
        folder: of that model.
    """

    @property
    def folder(self) -> Path: ...  # noqa: D102

    def find(
        self, prompts: Sequence[Sequence[int]], limits: Sequence[int], ends: Sequence[int]
    ) -> list[Found]:
        """An answer for each prompt.

        Args:
            prompts: token ids.
            limits: the most tokens each may get.
            ends: the tokens that end an answer.
        """


def engine_for(loaded: Loaded, decoding: Decoding, kept: Path | None) -> Engine | None:
    """The engine that a spec asks for, its model converted; None for the lab's own search.

    Args:
        loaded: the model.
        decoding: names the backend.
        kept: the folder of converted models; one of the process alone when not given.

    Raises:
        InputError: the backend is not installed, or cannot take this model.
        NotAvailable: it cannot take it now.
        OSError: the converted model cannot be written.
    """
    if decoding.decoder == "transformers":
        return None
    check_backend(decoding)
    store = ConvertedModels(kept or _own_folder())
    if decoding.decoder == "vllm":
        from mtlab.decoding.vllm import VLLM

        return VLLM.of(loaded, store)
    from mtlab.decoding.ctranslate import CTranslate

    return CTranslate.of(loaded, decoding, store)


def described(loaded: Loaded, decoding: Decoding) -> dict[str, str]:
    """The backend that decodes, for provenance: `{name, version, precision}`.

    Raises:
        InputError: the backend is not installed, or has no such precision here.
    """
    check_backend(decoding)
    from importlib import metadata

    name = decoding.decoder
    precision = loaded.dtype_name
    if name == "ctranslate2":
        from mtlab.decoding.ctranslate import check_architecture, precision_for

        check_architecture(loaded)
        precision = precision_for(decoding, loaded.device)
    return {"name": name, "version": metadata.version(name), "precision": precision}


def weights_digest(loaded: Loaded) -> str:
    """SHA-256 of all that a converted model is made of: weights, configuration and vocabulary.

    Raises:
        NotAvailable: an adapter lies beside the weights, which a conversion would lose.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    model = loaded.model
    if any(isinstance(module, BaseTunerLayer) for module in model.modules()):
        raise NotAvailable(
            "a model whose adapter is not merged in can be decoded by transformers alone",
            fix="leave decoding.backend at auto",
        )
    config = {k: v for k, v in model.config.to_dict().items() if not k.startswith("_")}
    sha = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    sha.update(json.dumps(loaded.tokenizer.get_vocab(), sort_keys=True).encode())
    for name, tensor in sorted(model.state_dict().items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return sha.hexdigest()


@contextmanager
def saved(loaded: Loaded, beside: Path) -> Iterator[Path]:
    """The model in a folder as transformers writes it, for as long as it is read."""
    with TemporaryDirectory(dir=beside, prefix="saved-") as folder:
        save(loaded, Path(folder))
        yield Path(folder)


def save(loaded: Loaded, folder: Path) -> None:
    """Write the model and its tokenizer as transformers does."""
    with quiet():
        loaded.model.save_pretrained(str(folder), safe_serialization=True)
        loaded.tokenizer.save_pretrained(str(folder))


_folder: Any = None


def _own_folder() -> Path:
    """A folder of this process, removed with it."""
    global _folder
    if _folder is None:
        _folder = TemporaryDirectory(prefix="mtlab-converted-")
    return Path(_folder.name)
