from pathlib import Path

import pytest

from mtlab.errors import InputError
from mtlab.settings import ASSETS, Settings


def test_the_environment_decides_where_things_lie(tmp_path):
    settings = Settings.from_environment({"MTLAB_HOME": str(tmp_path), "MTLAB_THREADS": "2"})
    assert settings.home == tmp_path
    assert settings.runs == tmp_path / "runs"
    assert settings.comet_env == tmp_path / "comet-env"
    assert settings.threads == 2
    assert settings.comet_python is None and not settings.offline


def test_without_it_the_home_is_the_users():
    assert Settings.from_environment({}).home == Path.home() / ".mtlab"


@pytest.mark.parametrize("text", ["many", "-1", "1.5"])
def test_a_number_that_is_none_is_named(text):
    with pytest.raises(InputError, match="MTLAB_THREADS"):
        Settings.from_environment({"MTLAB_THREADS": text})


def test_a_space_tells_how_many_cores_are_its_own():
    space = {"SPACE_ID": "ann/lab", "CPU_CORES": "2"}
    assert Settings.from_environment(space).threads == 2
    assert Settings.from_environment({**space, "MTLAB_THREADS": "1"}).threads == 1
    assert Settings.from_environment({**space, "CPU_CORES": "500m"}).threads == 0
    assert Settings.from_environment({"CPU_CORES": "2"}).threads == 0


def test_devices_and_how_many_runs_may_wait():
    found = Settings.from_environment({"MTLAB_DEVICES": "cuda:1, cpu,", "MTLAB_MAX_QUEUED": "5"})
    assert found.devices == ("cuda:1", "cpu") and found.max_queued == 5
    with pytest.raises(InputError, match="MTLAB_DEVICES: 'gpu' is no device: use cpu, cuda:0"):
        Settings.from_environment({"MTLAB_DEVICES": "gpu"})


def test_compiling_is_asked_for():
    assert Settings.from_environment({"MTLAB_COMPILE": "1"}).compile
    assert not Settings.from_environment({}).compile


def test_the_assets_are_there():
    assert (ASSETS / "app.css").is_file()


def test_the_page_on_security_names_every_setting_of_the_door():
    import inspect
    import re

    from mtlab.settings import Door

    page = (ASSETS.parent / "docs" / "security.md").read_text(encoding="utf-8")
    read = set(re.findall(r"MTLAB_[A-Z_]+", inspect.getsource(Door.from_environment)))
    told = set(re.findall(r"`(MTLAB_[A-Z_]+)`", page))
    assert len(read) > 10 and read <= told
    assert told - read == {"MTLAB_MAX_QUEUED", "MTLAB_MAX_UPLOAD_MB"}


def test_limits_and_lists_of_the_door():
    found = Settings.from_environment(
        {
            "MTLAB_ALLOW": " alice, bob,,alice",
            "MTLAB_ROOTS": "/data,~",
            "MTLAB_HOSTS": "Lab.Example",
        }
    ).door
    assert found.allow == ("alice", "bob") and found.hosts == ("lab.example",)
    assert found.roots == (Path("/data"), Path.home().resolve())
    with pytest.raises(InputError, match="MTLAB_MAX_PAIRS: '-3' is not a whole number"):
        Settings.from_environment({"MTLAB_MAX_PAIRS": "-3"})
