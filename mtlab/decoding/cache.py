"""Keys and values of a batch of sentences, appended in place and never copied to follow beams."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache, DynamicLayer

_GROWTH = 64  # positions added when a buffer is full


class TranslationCache(Cache):  # type: ignore[misc]
    """The cache of a whole model: one row per sentence, whatever the number of beams.

    Transformers' dynamic cache copies everything at every step, to append a token and again to
    follow the beams. This one has room to append, and holds the tokens of all beams side by side:
    which of them a beam sees is the attention mask's to say (`mtlab.decoding.stepper`).
    """

    def __init__(self, layers: int) -> None:
        super().__init__(layers=[_Layer() for _ in range(layers)])

    @staticmethod
    def layers_of(model: Any) -> int | None:
        """How many layers a model caches, or None where its cache is of another kind.

        Hybrid models keep recurrent states, which cannot be handled as keys and values.
        """
        config = model.config.get_text_config(decoder=True)
        layers = DynamicCache(config=config).layers
        if not layers:
            return int(config.num_hidden_layers)
        return len(layers) if all(isinstance(layer, DynamicLayer) for layer in layers) else None

    @contextmanager
    def part(self, rows: slice, count: int, start: int, gap: int) -> Iterator[None]:
        """Let what is appended be of some rows alone, after a gap of zeros, which is to be masked.

        Once every row has had its part, all of which must end at one place, that is where all rows
        go on.

        Args:
            rows: which.
            count: of all rows.
            start: what they hold.
            gap: positions left out.
        """
        for layer in self.layers:
            layer.begin(rows, count, start, gap)
        yield
        for layer in self.layers:
            layer.rows = None

    def keep(self, rows: torch.Tensor) -> None:
        """Keep these rows alone, in this order; one that is named often gets copies.

        Where what moves comes from behind what stays, nothing else is copied.
        """
        moved = (rows != torch.arange(len(rows), device=rows.device)).nonzero().flatten()
        from_behind = bool((rows[moved] >= len(rows)).all())
        for layer in self.layers:
            if from_behind:
                layer.close_up(moved, rows[moved], len(rows))
            else:
                layer.map(lambda states: states.index_select(0, rows))

    def pick(self, start: int, positions: torch.Tensor) -> None:
        """From `start` on, keep for each row these positions alone: (rows, positions kept)."""
        for layer in self.layers:
            layer.pick(start, positions)


class _Layer(CacheLayerMixin):  # type: ignore[misc]
    """Keys and values of one layer in buffers with room to spare: (rows, heads, room, width)."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.rows: slice | None = None
        self.count = self.gap = 0

    def begin(self, rows: slice, count: int, start: int, gap: int) -> None:
        """As `TranslationCache.part`."""
        self.rows, self.count, self.gap, self.length = rows, count, gap, start + gap

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take over the first states' type and device."""
        self.dtype, self.device = key_states.dtype, key_states.device
        rows = key_states.shape[0] if self.rows is None else self.count
        self.keys, self.values = (
            states.new_empty((rows, states.shape[1], 0, states.shape[3]))
            for states in (key_states, value_states)
        )
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append states and return all there are."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end = self.length + key_states.shape[2]
        if end > self.keys.shape[2]:
            self.map(lambda states: _with_room(states, end + _GROWTH))
        rows = slice(None)
        if self.rows is not None:
            rows = self.rows
            for states in (self.keys, self.values):  # what is masked must be a number all the same
                states[rows, :, self.length - self.gap : self.length] = 0
        self.keys[rows, :, self.length : end] = key_states
        self.values[rows, :, self.length : end] = value_states
        self.length = end
        return self.keys[rows, :, :end], self.values[rows, :, :end]

    def get_seq_length(self) -> int:
        """Positions held."""
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Length and offset of the keys a query of this length sees."""
        return self.length + query_length, 0

    def get_max_length(self) -> int:
        """No maximum."""
        return -1

    def map(self, change: Any) -> None:
        """Replace keys and values by what `change` makes of them, without their spare room."""
        self.keys = change(self.keys[:, :, : self.length])
        self.values = change(self.values[:, :, : self.length])

    def close_up(self, to: torch.Tensor, rows: torch.Tensor, count: int) -> None:
        """Move rows to other places, then keep the first so many."""
        for states in (self.keys, self.values):
            states[to, :, : self.length] = states[rows, :, : self.length]
        self.keys, self.values = self.keys[:count], self.values[:count]

    def pick(self, start: int, positions: torch.Tensor) -> None:
        """As `TranslationCache.pick`."""
        end = start + positions.shape[1]
        index = positions[:, None, :, None]
        for states in (self.keys, self.values):
            generated = states[:, :, start : self.length]
            chosen = index.expand(-1, states.shape[1], -1, states.shape[3])
            states[:, :, start:end] = generated.gather(2, chosen)
        self.length = end


def _with_room(states: torch.Tensor, room: int) -> torch.Tensor:
    wider = states.new_empty((*states.shape[:2], room, states.shape[3]))
    wider[:, :, : states.shape[2]] = states
    return wider
