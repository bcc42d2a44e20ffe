"""The training loop: steps until the budget is gone, a usable model every few minutes."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError, RunFailed
from mtlab.pretraining import checkpoint
from mtlab.pretraining.batches import Batches
from mtlab.pretraining.optimizer import Optimizer, rate_factor
from mtlab.pretraining.spec import PretrainSpec

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Emit = Callable[..., None]
_COMPILE_FROM_SECONDS = 600  # a shorter budget is not worth the minute that compiling takes
_STEP_EVENTS_EVERY = 10


class Loop:
    """One pre-training run: a model, its optimizer, its batches and how far it has come."""

    def __init__(
        self,
        spec: PretrainSpec,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        batches: Batches,
        held_out: torch.Tensor | None,
        emit: Emit,
    ) -> None:
        import torch

        self._spec = spec
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.to(self._device)
        self._tokenizer = tokenizer
        self._batches = batches
        self._held_out = held_out
        self._emit = emit
        self._optimizer = Optimizer(model, rate=spec.rate, weight_decay=spec.weight_decay)
        self._bf16 = self._device.type == "cuda" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self._loss = self._loss_function()
        self._position = checkpoint.Position()
        if spec.resume:
            self._position = checkpoint.restore(spec.out, self._model, self._optimizer, batches)

    def run(self) -> dict[str, Any]:
        """Train until the budget is gone; the summary of what was done.

        Raises:
            RunFailed: the loss is no number any more.
        """
        position = self._position
        losses: list[float] = []
        saved = clock = time.monotonic()
        tokens_then, seconds_then = position.tokens, position.seconds
        while (spent := self._spent()) < 1:
            loss = self._backward(self._batches.next())
            if not math.isfinite(loss):
                raise RunFailed(
                    f"the loss was {loss} at step {position.step}",
                    fix="lower the rate and go on with --resume",
                )
            rate = self._optimizer.step(rate_factor(spent))
            losses.append(loss)
            now = time.monotonic()
            position.advance(self._spec.rows * self._spec.length, now - clock)
            clock = now
            if position.step % _STEP_EVENTS_EVERY == 0 or self._spent() >= 1:
                speed = (position.tokens - tokens_then) / (position.seconds - seconds_then)
                self._emit(
                    "step",
                    step=position.step,
                    tokens=position.tokens,
                    rate=rate,
                    loss=sum(losses) / len(losses),
                    tokens_per_second=speed,
                    spent=self._spent(),
                    seconds=position.seconds,
                )
                losses.clear()
                tokens_then, seconds_then = position.tokens, position.seconds
            if now - saved > 60 * self._spec.save_minutes:
                self._save()
                saved = time.monotonic()
        self._save()
        return {
            "steps": position.step,
            "tokens": position.tokens,
            "seconds": position.seconds,
            "held_out_loss": self._held_out_loss(),
        }

    def _spent(self) -> float:
        if self._spec.minutes is not None:
            return self._position.seconds / (60 * self._spec.minutes)
        assert self._spec.tokens is not None
        return self._position.tokens / self._spec.tokens

    def _loss_function(self) -> Callable[[torch.Tensor], torch.Tensor]:
        import torch

        decoder, head = self._model.get_decoder(), self._model.get_output_embeddings()

        def loss(rows: torch.Tensor) -> torch.Tensor:
            states = decoder(input_ids=rows[:, :-1], use_cache=False).last_hidden_state
            logits = head(states).flatten(0, 1)
            return torch.nn.functional.cross_entropy(logits.float(), rows[:, 1:].flatten())

        long_enough = self._spec.minutes and self._spec.minutes * 60 >= _COMPILE_FROM_SECONDS
        return torch.compile(loss) if long_enough and shutil.which("gcc") else loss

    def _backward(self, rows: torch.Tensor) -> float:
        import torch

        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            loss = self._loss(rows.to(self._device))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    def _held_out_loss(self) -> float | None:
        import torch

        if self._held_out is None:
            return None
        rows = torch.split(self._held_out, self._spec.rows)
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16, self._bf16):
            return sum(self._loss(part.to(self._device)).item() for part in rows) / len(rows)

    def _save(self) -> None:
        try:
            checkpoint.save(
                self._spec.out,
                self._model,
                self._tokenizer,
                self._optimizer,
                self._batches,
                self._position,
            )
        except OSError as error:
            raise InputError(
                f"{self._spec.out} cannot be written",
                why=str(error),
                field="out",
                fix="make room, or name another folder",
            ) from None
        self._emit(
            "saved",
            path=str(self._spec.out),
            tokens=self._position.tokens,
            held_out_loss=self._held_out_loss(),
        )
