"""The page as Gradio is given it, without a browser."""

import pytest

from mtlab import Lab
from mtlab.ui import build


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    from mtlab.settings import Settings

    home = tmp_path_factory.mktemp("page") / "home"
    return build(Lab(Settings.from_environment({"MTLAB_HOME": str(home)})))


@pytest.fixture(scope="module")
def config(page):
    return page.get_config_file()


def test_five_endpoints_are_offered_and_every_handler_is_private(page, config):
    seen = {handler["api_name"]: handler["api_visibility"] for handler in config["dependencies"]}
    public = {name for name, visibility in seen.items() if visibility == "public"}
    assert public == {"launch", "status", "results", "translate", "score"}
    assert set(seen.values()) == {"public", "private"}
    info = page.get_api_info(all_endpoints=True)
    assert {name[1:] for name in info["named_endpoints"]} == public
    assert info["unnamed_endpoints"] == {}
    assert all(one["description"] for one in info["named_endpoints"].values())


def test_every_control_has_a_label(config):
    controls = {"dropdown", "radio", "checkboxgroup", "slider", "textbox", "number", "file", "code"}
    unnamed = [
        component["props"].get("elem_id") or component["type"]
        for component in config["components"]
        if component["type"] in controls and not component["props"].get("label")
    ]
    assert unnamed == []


def test_polling_lets_every_visitor_through(page, config):
    timers = {c["id"] for c in config["components"] if c["type"] == "timer"}
    polls = [fn for fn in page.fns.values() if any(target[0] in timers for target in fn.targets)]
    assert polls
    assert all(fn.concurrency_limit is None for fn in polls)


def test_progress_is_kept_where_it_shows_alone(config):
    """A browser tells what it keeps of every event, hundreds of times a minute."""
    types = {component["id"]: component["type"] for component in config["components"]}
    kept = {event["id"]: event["show_progress_on"] for event in config["dependencies"]}
    quiet = [one["id"] for one in config["dependencies"] if one["show_progress"] == "hidden"]
    assert len(quiet) > 50 and all(kept[one] == [] for one in quiet)
    assert {types[one] for ids in kept.values() for one in ids} == {
        "button", "dropdown", "html", "number", "radio", "textbox",
    }  # fmt: skip
