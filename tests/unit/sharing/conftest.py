"""A finished run of LoRA on nano, made without training, and a hub to push it to."""

from __future__ import annotations

import pytest

from mtlab import Lab
from mtlab.handle import Run
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.hub_stand_in import HubStandIn
from tests.shared_runs import lora_run


@pytest.fixture(scope="module")
def lab_home(tmp_path_factory) -> Settings:
    """A home for the tests of one file."""
    home = tmp_path_factory.mktemp("sharing") / "home"
    return Settings.from_environment({"MTLAB_HOME": str(home)})


@pytest.fixture(scope="module")
def run(lab_home) -> Run:
    """A run of LoRA, scored on de-en and en-de, whose adapter was drawn and not trained."""
    return Run(Lab(lab_home), lora_run(RunStore(lab_home)))


@pytest.fixture
def hub():
    with HubStandIn() as standing:
        yield standing
