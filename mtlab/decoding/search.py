"""Beam search, greedy search and sampling over a batch, with the same results as `generate`.

Each function is transformers' own algorithm for its default settings (length penalty 1, early
stopping by its heuristic), with two differences that change no result: sentences that are done
leave the batch, and only candidates that can win are ever sorted. In fp32 the tokens are those of
`model.generate`; a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from mtlab.decoding.reuse import Reused
from mtlab.decoding.stepper import Stepper

_NEVER = -1.0e9
_CHUNK = 100


@dataclass(frozen=True)
class Found:
    """Token ids of one answer, the end mark left out, and whether there was one."""

    tokens: tuple[int, ...]
    ended: bool


Poll = Callable[[], None]
"""Called after every step; raises to end the search."""

Steps = Generator[Callable[[], Found], None, list[Found]]
"""A search step by step. Each yields what tells the first sentence's answer as it stands, good
until the next step; the end returns all answers."""


def beam_search(
    stepper: Stepper, beams: int, limits: Sequence[int], end_ids: Sequence[int], poll: Poll
) -> list[Found]:
    """The best of `beams` beams for every row.

    Args:
        stepper: a batch whose prompts have been read.
        beams: beam width.
        limits: the most tokens each row may get.
        end_ids: tokens that end an answer.
        poll: called after every step.
    """
    steps = beam_steps(stepper, beams, limits, end_ids)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: list[Found] = end.value
            return found
        poll()


def beam_steps(
    stepper: Stepper, beams: int, limits: Sequence[int], end_ids: Sequence[int]
) -> Steps:
    """`beam_search` that can be watched; arguments as there."""
    batch = len(limits)
    device = stepper.logits.device
    ends = torch.tensor(list(end_ids), device=device)
    candidates = max(2, 1 + len(end_ids)) * beams
    limit = torch.tensor(list(limits), device=device)[:, None]
    longest = max(limits)
    results: list[Found | None] = [None] * batch

    place = torch.arange(batch, device=device)  # which input row a sentence came from
    scores = torch.zeros((batch, beams), device=device)
    tokens = torch.zeros((batch, beams, longest), dtype=torch.long, device=device)
    done_scores = torch.full((batch, beams), _NEVER, device=device)
    done_tokens = torch.zeros_like(tokens)
    done_lengths = torch.zeros((batch, beams), dtype=torch.long, device=device)
    ranks_that_may_end = torch.arange(candidates, device=device) < beams
    room = Reused()

    for step in range(longest):
        rows = len(place)
        logits = stepper.logits
        log_probs = torch.log_softmax(logits, dim=-1, out=room.like(logits))
        # After the prompt there is one row of logits per sentence: its beams do not differ yet.
        values, ids = top(log_probs.flatten(0, 1), candidates)
        values = values.view(rows, -1, candidates) + scores[:, : log_probs.shape[1], None]
        top_scores, chosen = values.flatten(1).topk(candidates)
        parents = chosen // candidates
        top_tokens = ids.view(rows, -1).gather(1, chosen)

        hits = torch.isin(top_tokens, ends) | (step + 1 >= limit)
        histories = _pick(tokens, parents)
        histories[:, :, step] = top_tokens

        # Answers that end here compete with those that ended before, by mean log-probability.
        # The division's form is that of `generate`, so that rounding agrees as well.
        ending = hits & ranks_that_may_end
        ended_scores = torch.where(ending, top_scores / ((step + 1) ** 1.0), _NEVER)
        if bool(ending.any()):
            merged = torch.cat([done_scores, ended_scores], dim=1)
            done_scores, order = merged.topk(beams)
            done_tokens = _pick(torch.cat([done_tokens, histories], dim=1), order)
            lengths = torch.full_like(top_tokens, step + 1)
            done_lengths = torch.cat([done_lengths, lengths], dim=1).gather(1, order)

        running, order = (top_scores + hits * _NEVER).topk(beams)
        scores = running
        tokens = _pick(histories, order)
        parents = parents.gather(1, order)

        # A sentence is done when its best open beam cannot beat its worst finished one.
        open_places = done_scores[:, -1] <= _NEVER / 2
        alive = (scores[:, 0] / ((step + 1) ** 1.0) > done_scores[:, -1]) | open_places
        alive = alive & (step + 1 < limit[:, 0])
        done = (done_scores, done_tokens, done_lengths)
        yield partial(_leader, scores, tokens, done, step + 1, end_ids)

        left = int(alive.sum())
        if left < rows:
            _collect(results, place, ~alive, done_tokens, done_lengths, end_ids)
            if left == 0:
                break
            kept = _closed_up(alive)
            stepper.keep(kept)
            parents = parents[kept]
            place, limit, scores, tokens = place[kept], limit[kept], scores[kept], tokens[kept]
            done_scores, done_tokens = done_scores[kept], done_tokens[kept]
            done_lengths = done_lengths[kept]
        stepper.step(tokens[:, :, step], parents)
    return [result for result in results if result is not None]


def greedy_search(
    stepper: Stepper, limits: Sequence[int], end_ids: Sequence[int], poll: Poll
) -> list[Found]:
    """The most likely next token, again and again."""
    return _one_path(stepper, limits, end_ids, poll, lambda logits, place: logits.argmax(dim=-1))


def sample_search(
    stepper: Stepper,
    limits: Sequence[int],
    end_ids: Sequence[int],
    poll: Poll,
    *,
    seeds: Sequence[int],
    temperature: float,
    top_p: float,
) -> list[Found]:
    """Tokens drawn by their probability; each row has its own seed, so that rows do not mix."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def draw(logits: torch.Tensor, place: list[int]) -> torch.Tensor:
        return draw_token(logits, [generators[row] for row in place], temperature, top_p)

    return _one_path(stepper, limits, end_ids, poll, draw)


def draw_token(
    logits: torch.Tensor, generators: Sequence[torch.Generator], temperature: float, top_p: float
) -> torch.Tensor:
    """One token per row from the smallest set of tokens that holds `top_p` of the probability."""
    probs, ids = torch.softmax(logits / temperature, dim=-1).sort(dim=-1, descending=True)
    mass = probs.cumsum(dim=-1)
    nucleus = torch.where(mass - probs < top_p, probs, 0.0)  # the first token always stays
    mass = nucleus.cumsum(dim=-1)
    points = torch.cat([torch.rand(1, generator=generator) for generator in generators])
    points = points.to(logits.device)[:, None] * mass[:, -1:]
    chosen = torch.searchsorted(mass, points, right=True)
    last = (nucleus > 0).sum(dim=-1, keepdim=True) - 1  # rounding must not leave the nucleus
    return ids.gather(1, torch.minimum(chosen, last))[:, 0]


def _one_path(
    stepper: Stepper,
    limits: Sequence[int],
    end_ids: Sequence[int],
    poll: Poll,
    choose: Callable[[torch.Tensor, list[int]], torch.Tensor],
) -> list[Found]:
    place = list(range(len(limits)))
    made: list[list[int]] = [[] for _ in limits]
    ended = [False] * len(limits)
    ends = set(end_ids)
    while True:
        chosen = choose(stepper.logits[:, 0], place)
        for row, token in zip(place, chosen.tolist(), strict=True):
            if token in ends:
                ended[row] = True
            else:
                made[row].append(token)
        poll()
        left = [not ended[row] and len(made[row]) < limits[row] for row in place]
        if not any(left):
            return [Found(tuple(made[row]), ended[row]) for row in range(len(limits))]
        if not all(left):
            kept = _closed_up(torch.tensor(left, device=chosen.device))
            stepper.keep(kept)
            chosen = chosen[kept]
            place = [place[index] for index in kept.tolist()]
        stepper.step(chosen[:, None])


def top(values: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `count` largest values of each row and their indices, largest first.

    On a CPU, sorting 8,000 candidates costs more than a small model's forward pass. The largest
    `count` values lie within the `count` chunks that have the largest maxima, so that most are
    passed over by a maximum alone.
    """
    rows, width = values.shape
    chunks = width // _CHUNK
    if values.is_cuda or chunks < 4 * count:
        return values.topk(count)
    head = values[:, : chunks * _CHUNK].view(rows, chunks, _CHUNK)
    # In index order, so that equal values keep the order they have in the row.
    best = head.amax(dim=-1).topk(count).indices.sort(dim=-1).values
    picked = head.gather(1, best[:, :, None].expand(-1, -1, _CHUNK)).flatten(1)
    index = (best[:, :, None] * _CHUNK + torch.arange(_CHUNK)).flatten(1)
    tail = values[:, chunks * _CHUNK :]
    if tail.shape[1]:
        picked = torch.cat([picked, tail], dim=1)
        rest = torch.arange(chunks * _CHUNK, width).expand(rows, -1)
        index = torch.cat([index, rest], dim=1)
    found, where = picked.topk(count)
    return found, index.gather(1, where)


def _closed_up(stays: torch.Tensor) -> torch.Tensor:
    """The rows that stay, the last of them moved to where others leave: few rows move."""
    rows = torch.arange(int(stays.sum()), device=stays.device)
    behind = stays[len(rows) :].nonzero().flatten() + len(rows)
    rows[~stays[: len(rows)]] = behind
    return rows


def _pick(values: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    return values.gather(1, order[:, :, None].expand(-1, -1, values.shape[2]))


def _collect(
    results: list[Found | None],
    place: torch.Tensor,
    finished: torch.Tensor,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
    end_ids: Sequence[int],
) -> None:
    at = place[finished].tolist()
    # All at once: a GPU would be waited for at each number asked of it.
    best, counts = tokens[finished, 0].tolist(), lengths[finished, 0].tolist()
    for row, ids, count in zip(at, best, counts, strict=True):
        results[row] = _found(ids[:count], end_ids)


def _leader(
    scores: torch.Tensor,
    tokens: torch.Tensor,
    done: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    length: int,
    end_ids: Sequence[int],
) -> Found:
    """The better of the first sentence's best open beam and its best finished one."""
    done_scores, done_tokens, done_lengths = done
    if bool(done_scores[0, 0] > scores[0, 0] / length):
        return _found(done_tokens[0, 0, : int(done_lengths[0, 0])].tolist(), end_ids)
    return Found(tuple(tokens[0, 0, :length].tolist()), False)


def _found(ids: list[int], end_ids: Sequence[int]) -> Found:
    ended = bool(ids) and ids[-1] in end_ids
    return Found(tuple(ids[:-1] if ended else ids), ended)
