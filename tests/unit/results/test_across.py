"""One sentence over the runs of a family."""

import pytest
import sacrebleu

from mtlab.results.across import attempts, families
from mtlab.results.reading import read_segments, translations_path
from mtlab.results.systems import System
from mtlab.runs.files import write_lines
from mtlab.spec import Direction

WAY = Direction.parse("de-en")


def stops(family):
    return [(stop.label, [system.id for system in stop.systems]) for stop in family.stops]


def word(side, **more):
    return {"kind": "word", "side": side, **more}


def test_sizes_are_in_order_with_the_untuned_base_first(make_run, home):
    large = make_run({"de-en": 0.1}, size=256)
    small = make_run({"de-en": 0.4}, size=16)
    again = make_run({"de-en": 0.4}, size=16, seed=1)
    make_run({"de-en": 0.4}, size=32, train=("en-de",))
    elsewhere = make_run({"fr-en": 0.4}, size=64, train=("de-en",))
    noisy = make_run({"de-en": 0.4}, size=128, noise=word("target"))
    everything = [noisy, elsewhere, again, small, large]
    (sizes,) = families([System((large,))], everything, WAY, home)
    assert (sizes.what, sizes.label) == ("sizes", "nano, de-en alone")
    assert stops(sizes) == [
        ("untuned", [f"base:{large.id}"]),
        ("16 pairs", [small.id, again.id]),
        ("256 pairs", [large.id]),
    ]


def test_systems_of_one_family_have_it_once(make_run, home):
    runs = [make_run({"de-en": 0.1}, size=size) for size in (16, 32)]
    systems = [System((runs[0],), untuned=True), *(System((run,)) for run in runs)]
    assert len(families(systems, runs[::-1], WAY, home)) == 1
    other = make_run({"de-en": 0.1}, size=16, train=("de-en", "en-de"))
    found = families([*systems, System((other,))], [other, *runs[::-1]], WAY, home)
    assert [one.label for one in found] == ["nano, de-en alone", "nano, de-en and en-de"]
    assert len({one.key for one in found}) == 2


def test_noise_sides_of_one_kind_at_one_size(make_run, home):
    clean = make_run({"de-en": 0.1})
    target, source, both = (
        make_run({"de-en": 0.3}, noise=word(side)) for side in ("target", "source", "both")
    )
    typo = make_run({"de-en": 0.3}, noise={"kind": "typo", "side": "source"})
    make_run({"de-en": 0.3}, noise=word("source"), size=64)
    everything = [typo, both, source, target, clean]
    of_clean = families([System((clean,))], everything, WAY, home)[1:]
    assert {one.label for one in of_clean} == {
        "word noise, 32 pairs, nano, de-en alone", "typo noise, 32 pairs, nano, de-en alone",
    }  # fmt: skip
    sizes, sides = families([System((target,))], everything, WAY, home)
    assert sizes.label == "nano, de-en alone, word noise on the target"
    assert stops(sides) == [
        ("clean", [clean.id]), ("source", [source.id]), ("target", [target.id]),
        ("both sides", [both.id]),
    ]  # fmt: skip
    half = make_run({"de-en": 0.3}, noise=word("source", ratio=0.5))
    _, sides = families([System((target,))], [half, *everything], WAY, home)
    assert [label for label, _ in stops(sides)] == [
        "clean", "source, 50%", "source, 100%", "target, 100%", "both sides, 100%",
    ]  # fmt: skip


def test_what_each_run_made_of_a_sentence(make_run, home):
    runs = [make_run({"de-en": 0.5}, size=size, off_target={"de-en": 0.1}) for size in (16, 32)]
    short = make_run({"de-en": 0.5}, size=64)
    rows = read_segments(runs[0].folder, WAY)
    write_lines(translations_path(short.folder, WAY), read_segments(short.folder, WAY)[10:])
    (family,) = families([System((short,))], [short, *runs], WAY, home)
    found = attempts(family, "source 3", rows[3]["reference"], WAY, "chrf")
    assert [family.stops[one.stop].label for one in found] == ["untuned", "16 pairs", "32 pairs"][
        1:
    ]
    assert found[0].hypothesis == rows[3]["hypothesis"] and found[0].failures == ("off-target",)
    theirs = sacrebleu.sentence_chrf(rows[3]["hypothesis"], [rows[3]["reference"]]).score
    assert found[0].score == pytest.approx(theirs)
    assert attempts(family, "source 3", rows[3]["reference"], WAY, "comet")[0].score is None
    assert attempts(family, "source 3", "another reference", WAY, "chrf") == []
    later = attempts(family, "source 30", rows[30]["reference"], WAY, "bleu")
    assert [family.stops[one.stop].label for one in later] == [
        "untuned", "16 pairs", "32 pairs", "64 pairs",
    ]  # fmt: skip
    assert later[0].hypothesis == rows[30]["base"]


def test_a_source_is_found_however_it_is_written(make_run, home):
    run = make_run({"de-en": 0.5})
    source = 'He said: "ja\\nein"\t<img> \u2028 über {{x}}'
    rows = read_segments(run.folder, WAY)
    rows[1] |= {"hypothesis": source}  # the same text elsewhere is not the source
    rows[5] |= {"source": source, "hypothesis": "found"}
    write_lines(translations_path(run.folder, WAY), rows)
    (family,) = families([System((run,))], [run], WAY, home)
    found = attempts(family, source, rows[5]["reference"], WAY, "chrf")
    assert [one.hypothesis for one in found] == [rows[5]["base"], "found"]
