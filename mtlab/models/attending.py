"""Having a transformers model attend in another way for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def make_known(name: str, attention: Callable[..., Any], mask: Callable[..., Any]) -> None:
    """Tell transformers of a way to attend.

    Args:
        name: by which models are told of it.
        attention: as transformers' layers call it.
        mask: makes of a batch's padding the mask that it takes.
    """
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, mask)


@contextmanager
def attending(model: Any, how: str | None) -> Iterator[None]:
    """Have a transformers model attend in a named way, or as it does where that is None."""
    before = model.config._attn_implementation
    if how is None or how == before:
        yield
        return
    model.set_attn_implementation(how)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
