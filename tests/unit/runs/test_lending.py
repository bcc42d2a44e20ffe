"""Whether a run fits the GPU that ZeroGPU lends, which nothing in the app can ask."""

from dataclasses import replace

import pytest

from mtlab import Lab, RunSpec
from mtlab.errors import InputError, NotAvailable
from mtlab.models import fits
from mtlab.presets import resolve_base
from mtlab.runs import preview
from mtlab.runs.checking import checked
from mtlab.runs.lending import lent_room
from mtlab.settings import Settings

HUB = "qwen2.5-0.5b"


def on_a_space(home, **more):
    asked = {"MTLAB_HOME": str(home.home), "SPACES_ZERO_GPU": "true", **more}
    return Settings.from_environment(asked)


def test_only_a_hub_model_on_a_zero_space_is_lent_memory(home):
    assert lent_room(HUB, home) is None
    space = on_a_space(home)
    assert lent_room("nano", space) is None and lent_room("outputs:x.txt", space) is None
    said = "ZeroGPU's large, assumed to have 48 GB"
    assert lent_room(HUB, space) == (48 * 10**9, said)


def test_how_much_is_lent_and_what_it_holds_can_be_set(home):
    whole = on_a_space(home, MTLAB_ZERO_SIZE="xlarge")
    assert (whole.lent_size, lent_room(HUB, whole)[0]) == ("xlarge", 96 * 10**9)
    told = on_a_space(home, MTLAB_ZERO_GB="70")
    assert lent_room(HUB, told) == (70 * 10**9, "ZeroGPU's large, assumed to have 70 GB")
    with pytest.raises(InputError, match="^MTLAB_ZERO_SIZE: ZeroGPU lends no 'huge': use large"):
        on_a_space(home, MTLAB_ZERO_SIZE="huge")


@pytest.fixture
def tiny_is_of_the_hub(monkeypatch):
    """As if the tiny model were one that needs a GPU."""

    def of_the_hub(name, settings):
        return replace(resolve_base(name, settings), repo="owner/tiny")

    monkeypatch.setattr("mtlab.runs.lending.resolve_base", of_the_hub)


@pytest.mark.parametrize("fields", [{"method": "lora"}, {"method": "none"}])
def test_a_launch_is_held_against_the_lent_gpu_alone(
    home, tiny_model, tiny_is_of_the_hub, monkeypatch, fields
):
    monkeypatch.setattr(fits, "available_memory", lambda: (1000, "main memory"))
    spec = RunSpec(
        base=str(tiny_model), train=["de-en"], test=["de-en"], size=2, metrics=["chrf"],
        training=fields,
    )  # fmt: skip

    def check(settings):
        made = Lab(settings)
        checked(spec, made.store, made.resident)
        made.close()

    check(on_a_space(home))
    with pytest.raises(NotAvailable, match=r"0\.0 GiB free \(main memory\)"):
        check(home)
    with pytest.raises(
        NotAvailable, match=r"0\.0 GiB free \(ZeroGPU's large, assumed to have 0 GB\)"
    ):
        check(on_a_space(home, MTLAB_ZERO_GB="0"))


def test_the_form_says_what_is_assumed(home, tiny_model, tiny_is_of_the_hub, monkeypatch):
    monkeypatch.setattr(preview, "_available_lately", lambda moment: (1000, "main memory"))
    spec = RunSpec(base=str(tiny_model), train=["de-en"], size=2, metrics=["chrf"])
    space, here = Lab(on_a_space(home)), Lab(home)
    fit = space.preview(spec).memory
    assert fit.fits and "44.7 GiB free (ZeroGPU's large, assumed to have 48 GB)" in fit.sentence
    assert here.preview(spec).memory.fits is False
    space.close()
    here.close()
