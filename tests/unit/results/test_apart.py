"""Findings from a process of their own are the same, and no pickle is spoken."""

from mtlab.results.apart import findings_apart
from mtlab.results.findings import findings
from mtlab.settings import Settings


def test_another_process_finds_the_same(make_run, tmp_path):
    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path / "home")})
    runs = [
        make_run({"de-en": harm}, n=40, off_target={"de-en": share}, size=size, seed=seed)
        for seed in (0, 1)
        for size, harm, share in ((8, 0.6, 0.5), (32, 0.2, 0.0))
    ]
    here = findings(runs, settings, ("bleu",))
    assert here
    assert findings_apart(runs, settings, "bleu") == tuple(here)
