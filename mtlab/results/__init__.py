"""What runs left behind, read for people: segments as tables, scores, the summary of a run."""

from mtlab.results.reading import read_scores, read_segments, summary_of, translations_frame

__all__ = ["read_scores", "read_segments", "summary_of", "translations_frame"]
