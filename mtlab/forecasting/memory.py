"""What stands in memory at once in a run, from its work."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.forecasting.physics import Answers
from mtlab.forecasting.work import Batches, Work
from mtlab.models.memory import NOTHING, Held, Translating, estimate
from mtlab.models.room import MAIN_MEMORY
from mtlab.spec import Training


def memory_of(work: Work, training: Training, base: Answers, own: Answers) -> float:
    """The bytes of main memory that a run comes to on the CPU, as `Lesson.peak` counts them."""
    again = work.teaching is not None and work.teaching.checkpointing
    settled = training.model_copy(update={"gradient_checkpointing": again})
    need = estimate(work.shape, settled, 0, MAIN_MEMORY, held_of(work, base, own))
    return float(need.total)


def held_of(work: Work, base: Answers, own: Answers) -> Held:
    """What stands in memory at once.

    Args:
        work: the run's.
        base: how long the untuned base's answers are.
        own: and the run's own.
    """
    teaching = work.teaching
    return Held(
        tokens=teaching.widest if teaching else 0.0,
        targets=teaching.widest_targets if teaching else 0.0,
        shapes=teaching.shapes if teaching else 0,
        base=_fullest(work.base, base),
        own=_fullest(work.own, own),
    )


def _fullest(batches: Sequence[Batches], answers: Answers) -> Translating:
    """Of some batches the one that needs the most room."""
    held = [
        Translating(
            prompts=one.widest,
            sentences=one.widest / max(1.0, one.prompt),
            rows=one.rows,
            answers=_tokens(one, answers.of(one.direction)),
        )
        for one in batches
    ]
    return max(held, key=_room, default=NOTHING)


def _room(one: Translating) -> float:
    return one.prompts + one.sentences * one.rows * one.answers


def _tokens(one: Batches, answers: Answers) -> float:
    """Tokens that an answer comes to: of those that end about the mean, of the others the limit."""
    ended = min(one.limit, answers.ratio * one.answer)
    return answers.ended * ended + (1 - answers.ended) * one.limit
