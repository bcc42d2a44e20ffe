"""A translator whose work is easy to recognise."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.spec import Direction


class Backwards:
    """Writes the words from the last to the first, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def identity(self, direction: Direction) -> str:
        """One and the same for all directions."""
        return "backwards"

    def translate(self, texts: Sequence[str], direction: Direction) -> list[str]:
        """Each text's words in reverse."""
        self.asked.append((str(direction), list(texts)))
        return [" ".join(reversed(text.split())) for text in texts]
