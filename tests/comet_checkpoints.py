"""The tiny checkpoints as the tests see them, and the sentences they are made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PAIRS = [
    ("Der Zug nach Bremen fährt heute nicht.", "The train to Bremen is not running today."),
    ("Meine Schwester backt jeden Sonntag Brot.", "My sister bakes bread every Sunday."),
    ("Kannst du das Fenster schließen?", "Can you close the window?"),
    ("Wir haben den Schlüssel im Garten gefunden.", "We found the key in the garden."),
    ("Das Museum öffnet erst um elf Uhr.", "The museum does not open until eleven."),
    ("Er hat sein Fahrrad selbst repariert.", "He repaired his bicycle himself."),
    ("Im Winter ist der See oft zugefroren.", "In winter the lake is often frozen."),
    ("Die Kinder malen ein Bild für Oma.", "The children are painting a picture for grandma."),
    ("Ich trinke morgens nur Tee.", "I only drink tea in the morning."),
    ("Sie sucht eine neue Wohnung in der Stadt.", "She is looking for a new flat in the city."),
    ("Das Essen war besser als erwartet.", "The food was better than expected."),
    ("Bitte rufen Sie mich morgen zurück.", "Please call me back tomorrow."),
    ("Der Hund schläft unter dem Tisch.", "The dog is sleeping under the table."),
    ("Nach dem Regen roch die Luft frisch.", "After the rain the air smelled fresh."),
    ("Unser Nachbar spielt gern Trompete.", "Our neighbour likes to play the trumpet."),
    ("Der Film dauert fast drei Stunden.", "The film lasts almost three hours."),
]


@dataclass(frozen=True)
class TinyComet:
    """Two checkpoints, the systems they were shown, and what `predict` gave them."""

    regression: Path
    unified: Path
    sources: list[str]
    references: list[str]
    systems: dict[str, list[str]]

    def predicted(self, checkpoint: Path) -> dict[str, list[float]]:
        """The segment scores of unbabel-comet's own `predict`, by system."""
        scores = json.loads((checkpoint / "predicted.json").read_text(encoding="utf-8"))
        n = len(self.sources)
        return {
            name: scores[place * n : (place + 1) * n] for place, name in enumerate(self.systems)
        }
