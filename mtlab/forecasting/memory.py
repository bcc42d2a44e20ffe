"""What stands in memory at once in a run, from its work."""

from __future__ import annotations

from mtlab.forecasting.physics import Answers
from mtlab.forecasting.work import Batches, Work
from mtlab.models.memory import Held, estimate
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
    longest = max(
        [(_room(one, base), one) for one in work.base]
        + [(_room(one, own), one) for one in work.own],
        key=lambda pair: pair[0],
        default=None,
    )
    teaching = work.teaching
    one = longest[1] if longest else Batches(1, 1, 1, 1, 1, 1, 1, 1)
    answers = base if one in work.base else own
    return Held(
        tokens=teaching.widest if teaching else 0.0,
        targets=teaching.widest_targets if teaching else 0.0,
        shapes=teaching.shapes if teaching else 0,
        prompts=one.widest,
        sentences=one.widest / max(1.0, one.prompt),
        rows=one.rows,
        answers=_tokens(one, answers),
    )


def _room(one: Batches, answers: Answers) -> float:
    return one.widest + one.widest / max(1.0, one.prompt) * one.rows * _tokens(one, answers)


def _tokens(one: Batches, answers: Answers) -> float:
    """Tokens that an answer comes to: of those that end about the mean, of the others the limit."""
    ended = min(one.limit, answers.ratio * one.answer)
    return answers.ended * ended + (1 - answers.ended) * one.limit
