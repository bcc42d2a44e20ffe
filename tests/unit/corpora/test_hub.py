"""A data set on the hub, with the real `datasets` library reading local stand-ins."""

import dataclasses
import json

import datasets
import httpx
import pytest
from huggingface_hub import errors

from mtlab.corpora import hub, open_corpus
from mtlab.corpora.hub import HubName
from mtlab.errors import InputError, NotAvailable
from mtlab.spec import Direction

DE_EN = Direction.parse("de-en")


@pytest.fixture
def online(home, monkeypatch):
    """A lab that may ask a hub, which has whatever is asked for."""
    monkeypatch.setattr(hub, "_reach", lambda wanted: None)
    return dataclasses.replace(home, offline=False)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Makes `datasets.load_dataset` answer with a local JSONL file, streamed for real."""

    def serve(records):
        path = tmp_path / "records.jsonl"
        path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
        real = datasets.load_dataset
        calls = []

        def load_dataset(repo, config, **options):
            calls.append((repo, config, options))
            return real("json", data_files=str(path), split="train", streaming=True)

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return calls

    return serve


def fails(monkeypatch, error):
    def load_dataset(*_, **__):
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)


def test_a_translation_column(served, online):
    calls = served([{"translation": {"de": f"Satz {n}", "en": f"Line {n}"}} for n in range(40)])
    corpus = open_corpus("hub:wmt/wmt19,config=de-en,split=validation,rows=30", online)
    assert len(corpus.pool(DE_EN)) == 27 and len(corpus.test(DE_EN)) == 3
    repo, config, options = calls[0]
    assert (repo, config) == ("wmt/wmt19", "de-en")
    assert options == {"split": "validation", "streaming": True, "revision": None}
    assert corpus.pool(DE_EN)[0].key.startswith("wmt/wmt19:de-en:")


def test_named_columns_and_rows_without_text(served, online):
    served([{"q": f"Satz {n}" if n % 2 else "", "a": f"Line {n}"} for n in range(10)])
    corpus = open_corpus("hub:me/mine,source=q,target=a,direction=de-en", online)
    assert len(corpus.pool(DE_EN)) + len(corpus.test(DE_EN)) == 5


def test_what_was_read_is_kept_for_the_run(served, online, monkeypatch):
    served([{"de": f"Satz {n}", "en": f"Line {n}"} for n in range(10)])
    first = hub.open_hub("hub:me/kept", "both", online)
    fails(monkeypatch, ConnectionError("gone"))
    again = hub.open_hub("hub:me/kept", "both", online)
    assert again.digest(DE_EN, "train") == first.digest(DE_EN, "train")


def test_columns_that_are_not_there(served, online):
    served([{"text": "Satz"}] * 3)
    with pytest.raises(
        InputError, match="has no columns of two known languages .it has text.: name"
    ):
        open_corpus("hub:me/text", online)
    with pytest.raises(InputError, match="has no column 'q': use one of text"):
        open_corpus("hub:me/text,source=q,target=text,direction=de-en", online)


def test_offline(home):
    with pytest.raises(NotAvailable, match="cannot be read .HF_HUB_OFFLINE is set.: unset it"):
        open_corpus("hub:me/mine", home)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            ConnectionError("no route"),
            NotAvailable,
            "from the hub .no route.: check the connection",
        ),
        (OSError("proxy says no"), NotAvailable, "from the hub .proxy says no."),
        (
            datasets.exceptions.DatasetNotFoundError("Dataset 'me/none' doesn't exist"),
            InputError,
            "corpus: the data set me/none is not on the hub .or it is private.: check its name",
        ),
        (
            datasets.exceptions.DatasetNotFoundError("Dataset 'me/none' is a gated dataset"),
            NotAvailable,
            "me/none is gated: ask for access .*hf auth login",
        ),
        (ValueError("Unknown split 'x'"), InputError, "cannot be read so .Unknown split"),
        (RuntimeError("Dataset scripts are no longer supported"), InputError, "scripts are no"),
    ],
)
def test_each_failure_is_one_sentence(error, kind, message, monkeypatch, online):
    fails(monkeypatch, error)
    with pytest.raises(kind, match=message):
        open_corpus("hub:me/none", online)


def answered(kind):
    """An error as the hub's own library raises it for an answer."""
    request = httpx.Request("GET", "https://hub/api/datasets/me/none")
    return kind("no", response=httpx.Response(404, request=request))


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (OSError("Name or service not known"), NotAvailable, "hub cannot be reached .*: check the"),
        (answered(errors.GatedRepoError), NotAvailable, "me/none is gated: ask for access"),
        (answered(errors.RepositoryNotFoundError), InputError, "corpus: .* is not on the hub"),
        (answered(errors.RevisionNotFoundError), InputError, "corpus: .* has no such revision"),
    ],
)
def test_what_the_hub_refuses_is_said_before_anything_is_read(
    error, kind, message, monkeypatch, home
):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", refuse)
    fails(monkeypatch, AssertionError("nothing may be read"))
    with pytest.raises(kind, match=message):
        open_corpus("hub:me/none", dataclasses.replace(home, offline=False))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hub:", "'' is not the name of a data set"),
        ("hub:a/b/c", "'a/b/c' is not the name"),
        ("hub:a/b,colour=red", "'colour=red' is not an option"),
        ("hub:a/b,rows=many", "'many' is not a number of rows"),
        ("hub:a/b,rows=1", "'1' is not a number of rows"),
        ("hub:a/b,source=x", "half named"),
        ("hub:a/b,direction=de-de", "translates a language into itself"),
    ],
)
def test_bad_names(name, message):
    with pytest.raises(InputError, match=message):
        HubName.parse(name)
