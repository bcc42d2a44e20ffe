"""What runs left behind, read for people.

    reading     segments as tables, scores, the summary of a run
    evidence    runs as what comparisons read
    comparing   runs against runs, and against their untuned base, over seeds and segments
    conditions  runs that differ in nothing but the seed; lessons: what was chosen; chains of runs
    questions   what a set of conditions can be asked: paper_questions, next_questions
    bench       where many questions are answered, resampled together
    findings    the answers, corrected together; wording and next_wording: as sentences; topics: in
                sections; headlines: by plot
    figures     plots, each with its numbers, and the paper's own
    report      a page of all this; exports and bundle: as files
    selection   which scores are looked at; board: a home's results, kept while nothing changes
    overview    all runs of a home at one moment (`seen`: one of them); costs little to ask again
    matrix      sizes x directions x noise sides (`cells`), as `filters` choose; what to launch in
                `empty_cells`; `listing`: all runs, searched and in pages
    systems     a run's translations, or its untuned base's, as a choice
    contrasts   systems against the first of them, corrected together
    side_by_side, segments_view, buckets   their segments: shared, filtered and sorted, in parts
    across      one sentence along sizes or noise sides
    showing     answers shown without names; votes: kept and summed

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
