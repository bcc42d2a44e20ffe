"""Base models and what runs made of them: inspected, weighed against the memory, loaded.

`inspect` and `check_fits` need no torch and run before anything is launched; `load`, `load_run` and
`load_translation_model` are the only places in the lab where weights are read.
"""

from mtlab.models.device import Precision, device_name, fast_bf16, resolve_precision, set_threads
from mtlab.models.facts import ModelFacts, inspect
from mtlab.models.fits import Fit, check_fits, fit_of
from mtlab.models.load import (
    Loaded,
    load,
    load_run,
    quiet,
    saved_model,
    shape_in,
    weights_precision,
)
from mtlab.models.memory import (
    ALIVE,
    Held,
    MemoryNeed,
    Spread,
    estimate,
    settled,
    spread_need,
)
from mtlab.models.passes import asked_tokens, foretold_tokens, pass_tokens
from mtlab.models.room import available_memory, free_main_memory, weights_bytes
from mtlab.models.seq2seq import (
    LoadedTranslationModel,
    TranslationModel,
    load_translation_model,
)
from mtlab.models.shared import Adapter, SharedBase

__all__ = [
    "ALIVE",
    "Adapter",
    "Fit",
    "Held",
    "Loaded",
    "LoadedTranslationModel",
    "MemoryNeed",
    "ModelFacts",
    "Precision",
    "SharedBase",
    "Spread",
    "TranslationModel",
    "asked_tokens",
    "available_memory",
    "check_fits",
    "device_name",
    "estimate",
    "fast_bf16",
    "fit_of",
    "foretold_tokens",
    "free_main_memory",
    "spread_need",
    "inspect",
    "load",
    "load_run",
    "load_translation_model",
    "pass_tokens",
    "quiet",
    "resolve_precision",
    "saved_model",
    "settled",
    "shape_in",
    "set_threads",
    "weights_bytes",
    "weights_precision",
]
