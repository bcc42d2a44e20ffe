"""The optimizer and its learning rate: AdamW, warm, flat, then down to almost nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

WARM_UP = 0.02
FLAT_UNTIL = 0.55
LAST = 0.02


def rate_factor(spent: float) -> float:
    """The share of the peak rate to use when `spent` (0-1) of the budget is gone.

    Up over the first 2%, flat until 55%, then down in a straight line to a fiftieth: a budget of
    minutes ends with a settled model on a slow machine and on a busy one.
    """
    if spent < WARM_UP:
        return LAST + (1 - LAST) * max(spent, 0.0) / WARM_UP
    if spent < FLAT_UNTIL:
        return 1.0
    return max(LAST, (1 - spent) / (1 - FLAT_UNTIL))


class Optimizer:
    """AdamW over a model's weights; decay on the matrices inside alone, gradients cut to norm 1."""

    def __init__(self, model: torch.nn.Module, *, rate: float, weight_decay: float) -> None:
        import torch

        inside: list[torch.nn.Parameter] = []
        rest: list[torch.nn.Parameter] = []
        for name, parameter in model.named_parameters():
            matrix = parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
            (inside if matrix else rest).append(parameter)
        self._parameters = inside + rest
        self._peak = rate
        self._adamw = torch.optim.AdamW(
            [
                {"params": inside, "weight_decay": weight_decay},
                {"params": rest, "weight_decay": 0.0},
            ],
            lr=rate,
            betas=(0.9, 0.98),
            fused=True,
        )

    def step(self, factor: float) -> float:
        """Step at `factor` of the peak rate and forget the gradients; the rate used."""
        import torch

        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for group in self._adamw.param_groups:
            group["lr"] = self._peak * factor
        self._adamw.step()
        self._adamw.zero_grad(set_to_none=True)
        return self._peak * factor

    def state(self) -> dict[str, torch.Tensor]:
        """The moments of every weight, by `weight/name`."""
        import torch

        return {
            f"{weight}/{name}": torch.as_tensor(value)
            for weight, values in self._adamw.state_dict()["state"].items()
            for name, value in values.items()
        }

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take up the moments that `state` gave."""
        state: dict[str, Any] = self._adamw.state_dict()
        state["state"] = {}
        for key, value in tensors.items():
            weight, name = key.split("/")
            state["state"].setdefault(int(weight), {})[name] = value
        self._adamw.load_state_dict(state)
