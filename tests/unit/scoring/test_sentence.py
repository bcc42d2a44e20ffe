import pytest
import sacrebleu

from mtlab.scoring.sentence import remarks
from mtlab.spec import Direction

DE_EN = Direction.parse("de-en")
SOURCE = "Wir haben den letzten Bus knapp verpasst."


def test_a_translation_is_told_by_its_language_and_its_length():
    found = remarks(SOURCE, "We only just missed the last bus.", DE_EN)
    assert found.failures == () and found.language == "en" and found.wrong_language is None
    assert found.length_ratio == pytest.approx(26 / 34)
    assert found.chrf is None and found.signature is None


def test_a_copy_in_the_wrong_language_is_found():
    found = remarks(SOURCE, SOURCE, DE_EN)
    assert {"copy", "off-target"} <= set(found.failures)
    assert found.language == found.wrong_language == "de" and found.length_ratio == 1


def test_a_reference_gives_sentence_chrf():
    reference, hypothesis = "We just missed the last bus.", "We only just missed the last bus."
    found = remarks(SOURCE, hypothesis, DE_EN, f"  {reference} ")
    assert found.chrf == pytest.approx(sacrebleu.sentence_chrf(hypothesis, [reference]).score)
    assert found.signature and "chrF2" not in found.signature and "nc:6" in found.signature
    assert remarks(SOURCE, hypothesis, DE_EN, "   ").chrf is None


def test_what_was_cut_off_is_truncated_and_nothing_is_empty():
    assert remarks(SOURCE, "We only just", DE_EN, ended=False).failures == ("truncated",)
    nothing = remarks(SOURCE, "", DE_EN)
    assert "empty" in nothing.failures and nothing.language is None and nothing.length_ratio == 0
    assert remarks("...", "Yes.", DE_EN).length_ratio is None
