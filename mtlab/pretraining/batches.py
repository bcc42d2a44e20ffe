"""Documents into equal rows of token ids: each document between its marks, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mtlab.pretraining.documents import DocumentStream

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

_AT_ONCE = 256  # documents tokenized in one call


class Batches:
    """Endless batches of `rows` times `length + 1` ids; the last id of a row is a label only.

    Documents run on from row to row and attention is not cut between them.
    """

    def __init__(
        self, stream: DocumentStream, tokenizer: PreTrainedTokenizerBase, rows: int, length: int
    ) -> None:
        self._stream = stream
        self._tokenizer = tokenizer
        self._rows = rows
        self._length = length
        self._waiting: list[int] = []

    def next(self) -> torch.Tensor:
        """The next batch, on the CPU."""
        import torch

        wanted = self._rows * (self._length + 1)
        while len(self._waiting) < wanted:
            self._waiting.extend(self._read())
        batch, self._waiting = self._waiting[:wanted], self._waiting[wanted:]
        return torch.tensor(batch).view(self._rows, self._length + 1)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to make the same next batch; plain values."""
        return {"stream": self._stream.state(), "waiting": list(self._waiting)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._stream.restore(state["stream"])
        self._waiting = list(state["waiting"])

    def _read(self) -> list[int]:
        texts = [next(self._stream).text for _ in range(_AT_ONCE)]
        start, end = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        rows = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        return [token for row in rows for token in (start, *row, end)]
