"""Which examples each step sees, fixed by the seed, and how they are padded into a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Dataset, Sampler

from mtlab.prompts import IGNORED, Example


class ExampleOrder(Sampler[int]):
    """The order in which examples are trained on, over all steps, fixed by the seed.

    One flat list, so that resuming at a step is skipping to it. (Trainer's own length-grouped
    sampler draws from the global generator and does not come back to the same order.) Within an
    epoch, examples of like length stand together in windows of up to 50 batches, and the batches
    are shuffled: little padding, and still another mix in every epoch. With little data the window
    is one batch, which is a plain shuffle.

    Args:
        lengths: tokens per example.
        batch_size: examples per optimizer step.
        steps: optimizer steps.
        seed: of the order.
    """

    def __init__(self, lengths: Sequence[int], *, batch_size: int, steps: int, seed: int) -> None:
        self.batch_size = batch_size
        generator = torch.Generator().manual_seed(seed)
        window = batch_size * min(50, max(1, len(lengths) // (4 * batch_size)))
        indices: list[int] = []
        while len(indices) < steps * batch_size:
            shuffled = torch.randperm(len(lengths), generator=generator).tolist()
            batches: list[list[int]] = []
            for start in range(0, len(shuffled), window):
                part = shuffled[start : start + window]
                if window > batch_size:
                    part.sort(key=lambda index: -lengths[index])
                batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
            full = [batch for batch in batches if len(batch) == batch_size]
            rest = [batch for batch in batches if len(batch) < batch_size]
            for place in torch.randperm(len(full), generator=generator).tolist():
                indices += full[place]
            for batch in rest:
                indices += batch
        self.indices = indices[: steps * batch_size]

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def first(self, steps: int) -> list[int]:
        """The examples of the first so many steps."""
        return self.indices[: steps * self.batch_size]

    def step(self, number: int) -> list[int]:
        """The examples of one step, counted from 1."""
        return self.indices[(number - 1) * self.batch_size : number * self.batch_size]


class Collator:
    """Examples into a batch, padded on the right to its longest."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, rows: Sequence[Example]) -> dict[str, torch.Tensor]:
        """The batch's ids, attention mask and labels."""
        width = max(len(row.input_ids) for row in rows)
        ids = torch.full((len(rows), width), self.pad_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        labels = torch.full((len(rows), width), IGNORED)
        for index, row in enumerate(rows):
            length = len(row.input_ids)
            ids[index, :length] = torch.tensor(row.input_ids)
            mask[index, :length] = 1
            labels[index, :length] = torch.tensor(row.labels)
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class Rows(Dataset[Example]):
    """A list of examples as torch wants it."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]
