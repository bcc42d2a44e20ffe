"""Pre-training: a small base model that knows some languages, and not the task of translating."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mtlab.pretraining.command import add_arguments, run_from_arguments
from mtlab.pretraining.spec import PretrainSpec

__all__ = ["PretrainSpec", "add_arguments", "pretrain", "run_from_arguments"]

_TOKENIZER_DOCUMENTS = 40_000  # or ten for every group of a small corpus
_HELD_OUT_ROWS = 48


def pretrain(
    spec: PretrainSpec, emit: Callable[..., None] = lambda kind, **data: None
) -> dict[str, Any]:
    """Make a base model; `emit(kind, **data)` hears of its progress.

    Kinds: `corpus` (pairs, dropped, shares), `model` (parameters), `step` (step, tokens, loss,
    rate, tokens_per_second, spent, seconds), `saved` (path, tokens, held_out_loss).

    Returns:
        What was done: steps, tokens, seconds, the loss on held-out documents (or None), shares as
        wanted and as written, pairs and parameters.

    Raises:
        InputError: a corpus, a share or a base that cannot be used.
        RunFailed: the loss became no number.
    """
    import torch

    from mtlab.pretraining.architecture import llama_config, load_base, new_tokenizer
    from mtlab.pretraining.batches import Batches
    from mtlab.pretraining.documents import DocumentStream
    from mtlab.pretraining.library import complete_shares
    from mtlab.pretraining.loop import Loop
    from mtlab.pretraining.parallel import count_pairs, held_out_groups, read_corpus

    groups = read_corpus(spec.corpus)
    shares = complete_shares(groups, spec.share)
    pairs = count_pairs(groups)
    emit("corpus", pairs=pairs, dropped=dict(groups.dropped), shares=shares)
    torch.manual_seed(spec.seed)
    if spec.base is not None:
        model, tokenizer = load_base(spec.base)
    else:
        sample = DocumentStream(groups, shares, spec.seed + 1)
        documents = min(_TOKENIZER_DOCUMENTS, 10 * len(groups.groups))
        tokenizer = new_tokenizer((next(sample).text for _ in range(documents)), spec.vocab)
        model = _new_model(
            llama_config(
                layers=spec.layers, hidden=spec.hidden, heads=spec.heads, vocab=len(tokenizer)
            )
        )
    parameters = sum(weights.numel() for weights in model.parameters())
    emit("model", parameters=parameters)
    stream = DocumentStream(groups, shares, spec.seed)
    kept_out = held_out_groups(spec.corpus)
    unseen = None
    if kept_out.groups:
        their_shares = {code: shares.get(code, 0.0) for code in kept_out.characters}
        unseen = Batches(
            DocumentStream(kept_out, their_shares, 0), tokenizer, _HELD_OUT_ROWS, spec.length
        ).next()
    loop = Loop(
        spec, model, tokenizer, Batches(stream, tokenizer, spec.rows, spec.length), unseen, emit
    )
    done = loop.run()
    written = stream.written
    total = sum(written.values())
    return done | {
        "parameters": parameters,
        "pairs": pairs,
        "shares": shares,
        "shares_written": {code: count / total for code, count in written.items()},
        "path": str(spec.out),
    }


def _new_model(config: Any) -> Any:
    from transformers import LlamaForCausalLM

    return LlamaForCausalLM(config)
