"""What runs left behind, read for people: segments as tables, scores, the summary of a run."""

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
