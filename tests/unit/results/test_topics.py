"""Findings in sections."""

from mtlab.results.findings import findings
from mtlab.results.topics import TOPICS, sections
from mtlab.results.wording import _WORDS


def test_every_topic_that_is_worded_has_a_heading():
    assert set(TOPICS) == set(_WORDS) - {"to the largest"} | {"saturation"}


def test_what_tells_something_leads_and_nothing_is_lost(make_run, home):
    both = ("de-en", "en-de")
    runs = [
        make_run(dict.fromkeys(both, harm), size=size)
        for size, harm in ((16, 0.6), (32, 0.2), (64, 0.2), (128, 0.2))
    ]
    found = findings(runs, home)
    made = list(sections(found))
    assert [one.heading for one in made] == [
        TOPICS[topic] for topic in ("kept", "saturation", "step", "untuned")
    ]
    kept, flat, steps, _ = made
    assert len(kept.telling) == 3 and not kept.nothing
    assert len(flat.telling) == 2 and not any(one.found for one in flat.telling)
    assert [one.found for one in (*steps.telling, *steps.nothing)] == [True] * 2 + [False] * 4
    parts = [one for section in made for one in (*section.telling, *section.nothing)]
    assert sorted(map(id, parts)) == sorted(map(id, found))
