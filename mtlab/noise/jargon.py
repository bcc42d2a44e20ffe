"""Jargon noise: content words give way to terms of another domain.

The built-in terms are of medicine, law and accounting, which everyday and news sentences rarely
hold; a person may bring a list.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from mtlab.corpora.pairs import Pair
from mtlab.errors import InputError
from mtlab.languages import LANGUAGES
from mtlab.noise.kinds import Context, Kind, Side, code_of, sides_of, text_of
from mtlab.noise.pieces import Pieces, cased_like
from mtlab.noise.vocabulary import Vocabulary, vocabularies
from mtlab.spec import Direction

FIELD = "noise.terms"
WORDS_PER_TERM = 5
"""One term for so many words, and at least one."""

_TERMS: dict[str, str] = {
    "en": "myocardial infarction, thrombosis, anticoagulant, tachycardia, intubation, biopsy, "
    "metastasis, contraindication, sepsis, haematoma, plaintiff, defendant, affidavit, subpoena, "
    "injunction, tort liability, indemnity clause, escrow account, lien, statute of limitations, "
    "balance sheet, depreciation, amortisation, accrued liabilities, goodwill impairment, "
    "collateral, hedge ratio, arbitrage, fiduciary duty, force majeure",
    "de": "Herzinfarkt, Thrombose, Gerinnungshemmer, Tachykardie, Intubation, Biopsie, Metastase, "
    "Kontraindikation, Sepsis, Hämatom, Klägerin, Beklagter, eidesstattliche Versicherung, "
    "einstweilige Verfügung, Schadensersatzanspruch, Haftungsausschluss, Treuhandkonto, "
    "Grundpfandrecht, Verjährungsfrist, Insolvenzmasse, Bilanzsumme, Abschreibung, Rückstellungen, "
    "Firmenwert, Eigenkapitalquote, Sicherungsgeschäft, Arbitrage, Sorgfaltspflicht",
    "fr": "infarctus du myocarde, thrombose, anticoagulant, tachycardie, intubation, biopsie, "
    "métastase, contre-indication, septicémie, hématome, partie plaignante, défendeur, "
    "déclaration sous serment, assignation, référé, responsabilité délictuelle, "
    "clause d'indemnisation, compte séquestre, hypothèque, délai de prescription, bilan comptable, "
    "amortissement, provisions, survaleur, fonds propres, ratio de couverture, arbitrage",
    "is": "hjartadrep, blóðsegi, blóðþynningarlyf, hraðtaktur, barkaþræðing, vefjasýni, meinvarp, "
    "frábending, blóðeitrun, lungnabólga, sýklalyf, svæfing, stefnandi, stefndi, lögbann, áfrýjun, "
    "skaðabótaskylda, veðbókarvottorð, fyrningarfrestur, þrotabú, gjaldþrot, þinglýsing, "
    "efnahagsreikningur, afskriftir, viðskiptavild, eigið fé, hlutafé, virðisaukaskattur",
    "ja": "心筋梗塞, 血栓症, 頻脈, 生検, 転移, 敗血症, 原告, 被告, 差止命令, 損害賠償請求, 時効, "
    "抵当権, 貸借対照表, 減価償却, 引当金, 自己資本比率",
    "zh": "心肌梗死, 血栓, 心动过速, 活检, 转移灶, 败血症, 原告, 被告, 禁令, 损害赔偿, 诉讼时效, "
    "抵押权, 资产负债表, 折旧, 准备金, 股东权益",
}
# Latin and international terms, at home in no language and seen in all.
_ANYWHERE = (
    "in vitro, per os, status epilepticus, placebo, de facto, habeas corpus, pro rata, bona fide, "
    "ex officio, inter alia, ISO 9001, EBITDA, SWIFT, HTTP, TCP/IP, DNA, MRT, CT, ECG, pH"
)


class JargonNoise(Kind):
    """Replaces about every fifth word by a term, content words first."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The texts with terms in them.

        Raises:
            InputError: the list of terms cannot be used.
        """
        words = vocabularies(pairs, side, context)
        terms = {
            code: _terms_for(code, context.noise.terms)
            for code in dict.fromkeys(code_of(pair, side) for pair in pairs)
        }
        return [
            _with_terms(
                text_of(pair, side),
                words[pair.direction],
                terms[code_of(pair, side)],
                context.chance(pair, side),
            )
            for pair in pairs
        ]

    def check(self, directions: Sequence[Direction], context: Context) -> None:
        """Whether there are terms for every language that noise is put on.

        Raises:
            InputError: the list cannot be used, or has none for a language.
        """
        for direction in directions:
            for side in sides_of(context.noise):
                _terms_for(getattr(direction, side), context.noise.terms)


def _with_terms(
    text: str, vocabulary: Vocabulary, terms: Sequence[str], chance: random.Random
) -> str:
    pieces = Pieces.of(text, vocabulary.code)
    words = list(pieces.words)
    places = vocabulary.content_places(words)
    if not places:
        return text
    count = min(len(places), len(terms), max(1, round(len(words) / WORDS_PER_TERM)))
    chosen = sorted(chance.sample(places, count))
    for place, term in zip(chosen, chance.sample(list(terms), count), strict=True):
        words[place] = cased_like(words[place], term) if place == 0 else term
    if vocabulary.code == "zh":
        _make_room(words, chosen)
    return str(pieces.with_words(words))


def _make_room(words: list[str], chosen: Sequence[int]) -> None:
    """A Chinese word is mostly two characters: the one after a term goes with it."""
    for place in chosen:
        if place + 1 < len(words) and place + 1 not in chosen:
            words[place + 1] = ""


def _terms_for(code: str, file: str | None) -> tuple[str, ...]:
    if file is None:
        return tuple(term.strip() for term in _TERMS.get(code, _ANYWHERE).split(","))
    path = Path(file).expanduser()
    try:
        stat = path.stat()
        terms = _read(path, (stat.st_mtime_ns, stat.st_size))
    except OSError as error:
        raise InputError(
            f"the list of terms '{path}' cannot be read",
            field=FIELD,
            why=error.strerror,
            fix="check the path",
        ) from None
    found = tuple(term for language, term in terms if language in (None, code))
    if not found:
        raise InputError(
            f"'{path.name}' has no terms in {LANGUAGES[code].name}",
            field=FIELD,
            fix=f"write a term a line, or {code} TAB term",
        )
    return found


@lru_cache(maxsize=8)
def _read(path: Path, stamp: tuple[int, int]) -> tuple[tuple[str | None, str], ...]:
    """The terms of a file, each with its language where that is said."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InputError(
            f"the list of terms '{path.name}' is not UTF-8", field=FIELD, fix="save it as UTF-8"
        ) from None
    terms: list[tuple[str | None, str]] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if cells == [""]:
            continue
        known = len(cells) == 1 or (len(cells) == 2 and cells[0] in LANGUAGES)
        if not known or not cells[-1]:
            raise InputError(
                f"line {number} of '{path.name}' is no term",
                field=FIELD,
                fix="write a term, or a language's code, a tab and a term",
            )
        terms.append((cells[0] if len(cells) == 2 else None, cells[-1]))
    return tuple(terms)


KIND = JargonNoise()
