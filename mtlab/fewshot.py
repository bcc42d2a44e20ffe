"""In-context prompting: an untuned model is shown translations and continues the list.

The shape is the plain one of the literature (Vilar et al. 2023, "Prompting PaLM for Translation",
section 3): each example on two lines, opened by the languages' names, an empty line between two.

    German: Wo ist der Schlüssel?
    English: Where is the key?

    German: Es regnet.
    English:

Nothing tells a base model to end there, so that its answer is its first line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mtlab.prompts import SentencePair, Template
from mtlab.spec import Direction


@dataclass(frozen=True)
class FewShot(Template):
    """A template whose instruction is a list of translations.

    Attributes:
        examples: the pairs shown, by the direction that is asked for, in the order shown.
    """

    examples: Mapping[Direction, Sequence[SentencePair]] = field(default_factory=dict)

    @property
    def one_line(self) -> bool:
        """An answer ends with its line."""
        return True

    def parts(self, direction: Direction, variant: int = 0) -> tuple[str, ...]:
        """The examples before the source, and the target language's name after it."""
        source, target = direction.source_name, direction.target_name
        shown = "".join(
            f"{source}: {_line(pair.source)}\n{target}: {_line(pair.target)}\n\n"
            for pair in self.examples[direction]
        )
        return f"{shown}{source}: ", f"\n{target}:"


def _line(text: str) -> str:
    return " ".join(text.split())
