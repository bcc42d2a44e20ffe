"""The models kept for live translation make way for a run."""

import pytest

from mtlab import Lab, RunSpec
from mtlab.runs import making_way
from mtlab.runs.making_way import must_make_way

GIB = 2**30


@pytest.fixture
def spec(tiny_model):
    return RunSpec(base=str(tiny_model), size=2, train=("de-en",), metrics=("chrf",))


@pytest.mark.parametrize(
    ("device", "free", "base", "makes_way"),
    [
        ("cpu", 64 * GIB, None, False),
        ("cpu", GIB // 4, None, True),
        ("cuda:0", 64 * GIB, None, True),
        ("cpu", 128 * GIB, "meta-llama/Llama-2-7b-hf", False),
        ("cpu", 64 * GIB, "meta-llama/Llama-2-7b-hf", True),
        ("cpu", 64 * GIB, "somebody/some-model", True),
        ("cpu", 64 * GIB, "no-such-model", True),
    ],
)
def test_when(home, spec, monkeypatch, device, free, base, makes_way):
    monkeypatch.setattr(making_way, "free_main_memory", lambda: free)
    asked = spec.with_changes(base=base) if base else spec
    assert must_make_way(asked, device, home) == makes_way


def test_the_models_are_given_up_for_a_run_that_starts(home, spec, fake_jobs, until, monkeypatch):
    fake_jobs("obedient")
    lab, other = Lab(home), Lab(home)
    try:
        for one in (lab, other):
            one.translate(f"base:{spec.base}", ["Das Haus ist rot."], "de-en")
        monkeypatch.setattr(making_way, "free_main_memory", lambda: 64 * GIB)
        lab.supervise()
        until(lambda: lab.store.database.leases())
        other.supervise()
        first = lab.launch(spec)
        until(lambda: first.status().pid)
        until(lambda: first.status().token in other.supervisor._told)
        assert lab.kept_models().given_up_for is None, "there is memory for both"
        assert other.kept_models().given_up_for is None
        monkeypatch.setattr(making_way, "free_main_memory", lambda: 0)
        second = lab.launch(spec.with_changes(seed=1))
        (first.folder / "go").touch()
        until(lambda: second.status().pid)
        assert lab.kept_models().given_up_for == second.id
        # The other one only looks on, and does the same.
        until(lambda: other.kept_models().given_up_for == second.id)
        lab.translate(f"base:{spec.base}", ["Das Haus ist rot."], "de-en")
        assert lab.kept_models().given_up_for is None
        (second.folder / "go").touch()
    finally:
        lab.close()
        other.close()
