from pathlib import Path

import pytest

from mtlab.errors import InputError
from mtlab.pretraining.documents import DocumentStream
from mtlab.pretraining.library import complete_shares
from mtlab.pretraining.parallel import count_pairs, held_out_groups, read_corpus
from tests.unit.pretraining.conftest import sentence


def test_pairs_are_joined_through_english(corpus: Path) -> None:
    groups = read_corpus(corpus)
    assert {frozenset(group) for group in groups.groups} == {
        frozenset(("de", "en", "fr", "is")),
        frozenset(("de", "en", "fr")),
    }
    assert count_pairs(groups)["de-fr"] == 290
    assert count_pairs(groups)["fr-is"] == 30


def test_held_out_sentences_never_reach_a_document(corpus: Path) -> None:
    groups = read_corpus(corpus)
    assert groups.dropped == {"held out": 30}
    stream = DocumentStream(groups, complete_shares(groups, {"is": 0.2}), seed=1)
    text = "\n".join(next(stream).text for _ in range(2000))
    kept_out = [text for group in held_out_groups(corpus).groups for text in group.values()]
    assert kept_out
    whole = set(text.replace("“", '"').splitlines())
    assert not whole & set(kept_out)
    read = {text for group in groups.groups for text in group.values()}
    assert not read & set(kept_out)


def test_a_held_out_sentence_is_known_by_its_letters_and_through_any_side(tmp_path: Path) -> None:
    (tmp_path / "en-de.tsv").write_text(
        "Come in!\tHerein!\nDo come in.\tHEREIN\nGood night.\tGute Nacht.\n", encoding="utf-8"
    )
    (tmp_path / "held_out.json").write_text('[{"en": "come in", "de": "Herein."}]')
    groups = read_corpus(tmp_path)
    assert groups.groups == ({"en": "Good night.", "de": "Gute Nacht."},)


def test_several_counterparts_are_spread_and_none_stands_twice(tmp_path: Path) -> None:
    (tmp_path / "en-de.tsv").write_text("Hi.\tHallo.\nHi.\tServus.\n", encoding="utf-8")
    (tmp_path / "en-fr.tsv").write_text("Hi.\tSalut.\n", encoding="utf-8")
    assert read_corpus(tmp_path).groups == (
        {"en": "Hi.", "de": "Hallo.", "fr": "Salut."},
        {"en": "Hi.", "de": "Servus."},
    )


def test_pairs_that_speak_of_translating_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "en-de.tsv").write_text(
        "Translate this.\tÜbersetze das.\nA.\t\nYes.\tJa.\n" + "x" * 301 + "\tzu lang\n",
        encoding="utf-8",
    )
    groups = read_corpus(tmp_path)
    assert groups.groups == ({"en": "Yes.", "de": "Ja."},)
    assert groups.dropped == {"speaks of translating": 1, "empty": 1, "overlong": 1}


def test_three_letter_names_and_packed_files_are_read(corpus: Path) -> None:
    assert read_corpus(corpus).languages == ("de", "en", "fr", "is")
    assert sentence("de", 7) == "Acht."


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("en-xx.tsv", "a\tb\n", "'xx'"),
        ("en-de.tsv", "no tab here\n", "line 1"),
        ("pairs.txt", "a\tb\n", "no parallel text"),
        ("en-de.tsv", b"\xff\xfe\tb\n", "not UTF-8"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message) as raised:
        read_corpus(tmp_path)
    assert raised.value.field == "corpus"
    assert raised.value.fix


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        read_corpus(tmp_path / "nothing")
