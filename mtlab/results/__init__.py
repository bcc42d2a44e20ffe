"""What runs left behind, read for people.

    reading     segments as tables, scores, the summary of a run
    evidence    runs as what comparisons read
    comparing   runs against runs, and against their untuned base, over seeds and segments
    conditions  runs that differ in nothing but the seed
    questions   what a set of conditions can be asked
    findings    the answers, corrected together; wording: as sentences

Only `reading` is imported here: it is what every start needs.
"""

from mtlab.results.reading import read_scores, read_segments, summary_of, translations_frame
from mtlab.results.table import over_seeds, runs_frame

__all__ = [
    "over_seeds",
    "read_scores",
    "read_segments",
    "runs_frame",
    "summary_of",
    "translations_frame",
]
