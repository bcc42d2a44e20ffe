"""Whether COMET can be had here, found out without loading or fetching anything."""

from __future__ import annotations

from pathlib import Path

from mtlab.errors import NotAvailable
from mtlab.scoring.comet_env import build_problem, find_env
from mtlab.scoring.values import Unavailable
from mtlab.settings import Settings

DEFAULT_MODEL = "Unbabel/wmt22-comet-da"
CHECKPOINT = "checkpoints/model.ckpt"


def comet_status(
    settings: Settings, model: str = DEFAULT_MODEL, *, timeout: float = 5.0
) -> Unavailable | None:
    """Why COMET cannot be had; None if scoring is expected to work.

    Looks for the environment and the checkpoint on disk. Only where the checkpoint is missing is
    the hub asked for it, once. None may still mean that the environment is built and the
    checkpoint fetched first. Not covered: whether the model fits into memory, and whether the
    tokenizer of the model's encoder can be had.

    Args:
        settings: where the environment is, and whether the hub may be asked.
        model: a model of the hub, or a folder that holds a checkpoint.
        timeout: seconds the hub is given.
    """
    try:
        problem = None if find_env(settings) else build_problem(settings)
    except NotAvailable as error:
        problem = error
    if problem is not None:
        return Unavailable("comet", problem.why or problem.what, problem.fix or "try again")
    path = Path(model)
    if not path.exists():
        return _hub_problem(settings, model, timeout)
    if path.is_file() or (path / CHECKPOINT).is_file():
        return None
    return Unavailable(
        "comet",
        f"'{model}' is no COMET checkpoint",
        f"give a folder with hparams.yaml and {CHECKPOINT}",
    )


def _hub_problem(settings: Settings, model: str, timeout: float) -> Unavailable | None:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
    )

    connect = "unset HF_HUB_OFFLINE" if settings.offline else "connect to the network"
    unreachable = Unavailable(
        "comet",
        f"the checkpoint '{model}' is not on this machine and the model hub cannot be reached",
        f"{connect} once, or name a folder that holds a checkpoint",
    )
    try:
        if isinstance(try_to_load_from_cache(model, CHECKPOINT), str):
            return None
        if settings.offline:
            return unreachable
        get_hf_file_metadata(hf_hub_url(model, CHECKPOINT), timeout=timeout)
    except GatedRepoError:
        return Unavailable(
            "comet",
            f"'{model}' is given only to those who accept its licence",
            "accept it on the model's page and set HF_TOKEN",
        )
    except (RepositoryNotFoundError, EntryNotFoundError, HFValidationError):
        return Unavailable("comet", f"the hub has no COMET checkpoint '{model}'", "check the name")
    except Exception:  # any way a network can fail: refused, timed out, a proxy's page, no name
        return unreachable
    return None
