"""Memory that every step of a search writes anew.

A step's scores are some 15 MB and more. New memory of that size comes from the kernel page by page,
and goes back to it as soon as the step is over.
"""

from __future__ import annotations

import torch


class Reused:
    """Room for one fp32 tensor, which is overwritten by the next."""

    def __init__(self) -> None:
        self._room: torch.Tensor | None = None

    def like(self, values: torch.Tensor) -> torch.Tensor:
        """A tensor of the same shape and device, of any content."""
        count = values.numel()
        if self._room is None or len(self._room) < count:
            self._room = torch.empty(count, dtype=torch.float32, device=values.device)
        return self._room[:count].view(values.shape)
