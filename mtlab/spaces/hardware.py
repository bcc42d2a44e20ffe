"""What a Space can run on, and what of the lab depends on it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from mtlab.errors import InputError

BASIC = "cpu-basic"

_CPU = re.compile(r"cpu-")
_ZERO = re.compile(r"zero-")
_TORCH = re.compile(r"^torch==([\w.]+)$", re.MULTILINE)
_LENDING = "spaces>=0.40"
_CPU_WHEELS = "https://download.pytorch.org/whl/cpu"


@dataclass(frozen=True)
class Hardware:
    """A kind of machine that Spaces offers.

    Attributes:
        name: as Spaces calls it, such as `cpu-basic` and `t4-small`.
    """

    name: str

    @classmethod
    def named(cls, name: str) -> Hardware:
        """The kind of that name, among those that the hub's library knows.

        Raises:
            InputError: there is none, or the lab cannot use it.
        """
        from huggingface_hub import SpaceHardware

        known = [kind.value for kind in SpaceHardware]
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{close[0]}'? Else use" if close else "use"
            raise InputError(
                f"Spaces has no hardware '{name}'",
                field="hardware",
                fix=f"{hint} {', '.join(known)}",
            )
        return cls(name)

    @property
    def has_gpu(self) -> bool:
        """Whether there is one."""
        return not _CPU.match(self.name)

    @property
    def is_lent(self) -> bool:
        """Whether its GPU is lent for a call at a time (ZeroGPU)."""
        return _ZERO.match(self.name) is not None

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing by the hour."""
        return self.name == BASIC or self.is_lent

    def requirements(self, text: str) -> str:
        """The lab's requirements for this hardware.

        PyPI's torch for Linux brings CUDA, gigabytes that a machine without a GPU never uses.

        Args:
            text: the lab's `requirements.txt`, with torch pinned.

        Raises:
            InputError: torch is not pinned there.
        """
        if not _TORCH.search(text):
            raise InputError("torch is not pinned", field="requirements.txt", fix="pin it with ==")
        if self.is_lent:
            return f"{text.rstrip()}\n{_LENDING}\n"
        if self.has_gpu:
            return text
        return _TORCH.sub(rf"--extra-index-url {_CPU_WHEELS}\ntorch==\1+cpu", text)
