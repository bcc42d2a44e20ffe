from mtlab.errors import InputError, MtlabError, NotAvailable, RunFailed


def test_an_error_is_one_sentence_with_cause_and_fix():
    error = NotAvailable("COMET cannot run", why="no network", fix="set MTLAB_COMET_PYTHON")
    assert str(error) == "COMET cannot run (no network): set MTLAB_COMET_PYTHON."
    assert error.to_json() == {
        "what": "COMET cannot run",
        "why": "no network",
        "fix": "set MTLAB_COMET_PYTHON",
    }


def test_a_bad_value_leads_with_its_field():
    error = InputError("0 is out of range", field="size", fix="give 1 or more")
    assert str(error) == "size: 0 is out of range: give 1 or more."


def test_every_error_shown_to_a_person_is_of_one_tree():
    assert all(issubclass(kind, MtlabError) for kind in (InputError, NotAvailable, RunFailed))
