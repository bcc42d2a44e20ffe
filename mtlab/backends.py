"""Whether a backend that a spec asks for can be had here, said before anything is loaded."""

from __future__ import annotations

from importlib.util import find_spec

from mtlab.errors import InputError
from mtlab.spec import Decoding


def check_backend(decoding: Decoding) -> None:
    """Refuse a backend whose package is not installed.

    Raises:
        InputError: it is not; says how to install it.
    """
    name = decoding.decoder
    if name != "transformers" and find_spec(name) is None:
        raise InputError(
            f"{name} is not installed",
            field="decoding.backend",
            fix=f"install it with 'pip install {name}', or leave the backend at auto",
        )


def refuse_backend(decoding: Decoding) -> None:
    """Refuse every backend but transformers, for a translation model.

    Raises:
        InputError: another was asked for.
    """
    if decoding.decoder != "transformers":
        raise InputError(
            f"{decoding.decoder} is offered for language models, and this is a translation model",
            field="decoding.backend",
            fix="leave the backend at auto",
        )
