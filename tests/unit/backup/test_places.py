"""What keeps runs from being copied, in sentences."""

import os
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from mtlab.backup import DatasetPlace, FolderPlace, place_named
from mtlab.errors import InputError, NotAvailable
from mtlab.settings import Settings
from tests.hub_stand_in import HubStandIn, nobody_answers


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn() as stand_in:
        stand_in.patch(monkeypatch)
        yield stand_in


def refused(hub, token):
    with pytest.raises(NotAvailable) as caught:
        DatasetPlace("ann/runs", HfApi(hub.address, token=token)).open()
    said = str(caught.value)
    assert said.startswith("finished runs and votes are not copied to the dataset 'ann/runs' (")
    assert not any(one.startswith("POST") and "create" not in one for one in hub.requests)
    assert token is None or token not in said
    return said


def test_a_dataset_that_others_can_read_is_refused(hub):
    hub.add("ann/runs", "dataset")
    assert "(everybody can read it): make it private" in refused(hub, hub.person("ann"))


def test_a_token_that_may_not_write_is_refused(hub):
    assert "HF_TOKEN" in refused(hub, None)
    assert "(the hub refuses the token (403)): give HF_TOKEN" in refused(
        hub, hub.person("ann", "read")
    )
    assert "(the hub refuses the token (401))" in refused(hub, "hf_" + "unknown1" * 4)


def test_a_hub_that_does_not_answer_is_said(hub):
    with nobody_answers() as address, pytest.raises(NotAvailable) as caught:
        DatasetPlace("ann/runs", HfApi(address, token=hub.person("ann"))).open()
    assert "(no answer: ConnectError): check the network; it is tried again" in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        NotAvailable, match=r"not copied to .*/file/x \(Not a directory\): see that"
    ):
        FolderPlace(tmp_path / "file" / "x").open()


def test_what_an_app_left_half_copied_is_tidied_up(tmp_path):
    run, other = "20260101-000001-0001", "20260101-000002-0002"
    names = (f".old-{run}-aa", f".old-{other}-bb", f".new-{run}-cc", f".new-{other}-dd", other, "x")
    for name in names:
        (tmp_path / "runs" / name).mkdir(parents=True)
        if not name.endswith("-dd"):  # somebody's at work
            os.utime(tmp_path / "runs" / name, (0, 0))
    FolderPlace(tmp_path).open()
    there = {path.name for path in (tmp_path / "runs").iterdir()}
    assert there == {run, other, f".new-{other}-dd", "x"}


def test_the_place_is_named_by_a_setting():
    assert Settings.from_environment({}).backup == ""
    for name, kind in (("/data/x", FolderPlace), ("~/x", FolderPlace), ("ann/runs", DatasetPlace)):
        named = Settings.from_environment({"MTLAB_BACKUP": name}).backup
        assert isinstance(place_named(named), kind)
    assert place_named("~/x").path == Path.home() / "x"
    for wrong in ("runs", "a/b/c", "https://x/y"):
        with pytest.raises(InputError, match="MTLAB_BACKUP: '.*' is neither a folder nor a datas"):
            Settings.from_environment({"MTLAB_BACKUP": wrong})
