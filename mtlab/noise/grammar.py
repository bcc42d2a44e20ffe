"""Grammar noise: wrong inflection, agreement, function words and order; the words stay.

English, German, French and Icelandic have rules of their own, Japanese and Chinese their particles.
Elsewhere short words are left out, endings are cut and neighbouring words exchanged.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.corpora.pairs import Pair
from mtlab.noise.kinds import Context, Kind, Side, code_of, text_of
from mtlab.noise.pieces import Pieces, cased_like

WORDS_PER_FAULT = 4
FEWEST_FAULTS = 2
_STEM = 3  # letters left before an ending is taken for one


@dataclass(frozen=True)
class Rules:
    """What goes wrong in a language. Each string is a group of forms taken for one another.

    Attributes:
        agreement: forms of one word: number, person, gender, case.
        function: function words that are confused.
        dropped: words that are left out.
        endings: endings that are confused, `-` being none; the longest that fits counts.
    """

    agreement: tuple[str, ...] = ()
    function: tuple[str, ...] = ()
    dropped: str = ""
    endings: tuple[str, ...] = ()


_RULES: dict[str, Rules] = {
    "en": Rules(
        agreement=(
            "is are am", "was were", "isn't aren't", "wasn't weren't", "has have", "hasn't haven't",
            "does do", "doesn't don't", "I me", "he him", "she her", "we us", "they them",
            "this these", "that those", "a an", "my mine", "our ours", "who whom", "child children",
            "man men", "woman women", "much many", "good well", "goes go gone", "went gone go",
            "came come", "saw seen", "took taken", "gave given", "ate eaten",
        ),
        function=("in on at", "to for at", "from of by", "with by", "since for", "about of",
                  "than then as", "and but", "some any", "into in", "over on"),
        dropped="the a an to of is are",
        endings=("ing ed", "ies y", "s -"),
    ),
    "de": Rules(
        agreement=(
            "der die das", "den dem", "des der", "ein eine", "einen einem", "einer eines",
            "mein meine", "meinen meinem meiner", "dein deine", "sein seine", "ihr ihre",
            "unser unsere", "unseren unserem", "kein keine", "keinen keinem", "diese dieser dieses",
            "diesen diesem", "ist sind bist", "war waren", "hat haben habe hast", "wird werden",
            "kann können kannst", "muss müssen", "will wollen", "soll sollen", "ich mich mir",
            "du dich dir", "er ihn ihm", "wir uns", "geht gehen", "kommt kommen", "zum zur",
            "im in", "am an", "vom von",
        ),
        function=("in an auf", "zu nach bei", "mit von", "für über", "aus von", "als wie wenn",
                  "seit vor", "dass das", "aber und", "vor nach"),
        dropped="der die das den dem ein eine einen zu sich es",
        endings=("en er es em e", "st t", "te ten", "ung ungen"),
    ),
    "fr": Rules(
        agreement=(
            "le la", "un une", "les le", "des un", "du de", "au à", "aux au", "mon ma mes",
            "ton ta tes", "son sa ses", "notre nos", "votre vos", "leur leurs", "ce cette ces",
            "est sont", "a ont", "était étaient", "avait avaient", "va vont", "fait font",
            "je me moi", "tu te toi", "il lui", "elle lui", "ils eux", "suis es", "ai as",
            "avons avez", "peut peux peuvent", "tout toute tous", "quel quelle", "petit petite",
            "dernier dernière", "premier première", "beau belle", "vieux vieille", "bon bonne",
        ),
        function=("à de en", "dans sur", "pour par", "avec de", "chez à", "que qui", "depuis pour",
                  "et ou", "avant après"),
        dropped="le la les un une de du des à en ne se",
        endings=("é er ez ée és", "ait ais aient", "eux euse", "ent e", "s -"),
    ),
    "is": Rules(
        agreement=(
            "er eru ert", "var voru varst", "hefur hafa hef", "hafði höfðu", "ég mig mér",
            "þú þig þér", "hann honum hans", "hún hana henni", "við okkur", "þið ykkur",
            "þeir þá þeim", "þær þá þeim", "þau þeim", "minn mín mitt", "mína mínum",
            "þinn þín þitt",
            "þessi þetta þessum", "þessa þessari", "einn ein eitt", "tveir tvær tvö",
            "þrír þrjár þrjú", "allir allar öll", "enginn engin ekkert", "fer fara", "kemur koma",
            "getur geta", "verður verða", "vill vilja", "fyrsti fyrsta fyrstu", "gamall gömul",
            "góður góð gott", "nýr ný nýtt",
        ),
        function=("í á", "við hjá", "til frá", "fyrir um", "með af", "eftir úr", "og en", "ef sem",
                  "yfir undir"),
        dropped="að í á og er sem það",
        endings=("inn inum ins", "ið inu", "in inni ina", "unum anna", "ur i um s", "ar ir a",
                 "aði uðu"),
    ),
    "ja": Rules(
        agreement=("です だ でした", "ます ました", "た ている"),
        function=("は が を に", "で に へ", "と も や", "の な", "から まで"),
        dropped="は が を に の",
    ),
    "zh": Rules(
        agreement=("了 着 过", "的 地 得", "我 他 你"),
        function=("在 到 从", "和 跟 对", "把 被", "就 才 也", "这 那"),
        dropped="的 了 是 在 们",
    ),
}  # fmt: skip


class GrammarNoise(Kind):
    """Makes a grammatical fault in about every fourth word."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The texts with their faults; one too short for any has two words or letters swapped."""
        return [
            _faulty(Pieces.of(text_of(pair, side), code_of(pair, side)), context.chance(pair, side))
            for pair in pairs
        ]


def _faulty(pieces: Pieces, chance: random.Random) -> str:
    words = list(pieces.words)
    forms, swaps = _possible(pieces)
    sorts: list[str] = [sort for sort, places in forms.items() if places]
    wanted = max(FEWEST_FAULTS, round(len(words) / WORDS_PER_FAULT))
    used: set[int] = set()
    exchanged: list[int] = []
    for number in range(wanted):
        # Every other fault is one of order, as far as there is room for it.
        free = [place for place in swaps if not {place, place + 1} & used]
        if number % 2 and free:
            place = chance.choice(free)
            used |= {place, place + 1}
            exchanged.append(place)
            continue
        open_sorts = [s for s in sorts if any(place not in used for place in forms[s])]
        if not open_sorts:
            continue
        sort = chance.choice(open_sorts)
        place = chance.choice([place for place in forms[sort] if place not in used])
        words[place] = chance.choice(forms[sort][place])
        used.add(place)
    faulty = pieces.with_words(words) if words != list(pieces.words) else pieces
    for place in exchanged:
        faulty = _in_wrong_order(faulty, place)
    text = _with_capital(str(faulty), str(pieces))
    return text if text != str(pieces) else str(pieces.with_two_swapped(chance))


def _possible(pieces: Pieces) -> tuple[dict[str, dict[int, list[str]]], list[int]]:
    """What each word could wrongly become, by sort and place; and where two could be exchanged."""
    rules = _RULES.get(pieces.code, Rules())
    agreement, function = _confused(rules.agreement), _confused(rules.function)
    dropped = rules.dropped.split()
    forms: dict[str, dict[int, list[str]]] = {
        sort: {} for sort in ("agreement", "function", "drop", "ending")
    }
    words = pieces.words
    for place, word in enumerate(words):
        low = word.lower()
        if low in agreement:
            forms["agreement"][place] = [_in_case(word, place, other) for other in agreement[low]]
        if low in function:
            forms["function"][place] = [cased_like(word, other) for other in function[low]]
        short = not rules.dropped and len(word) <= 3 and word.isalpha() and len(words) > 3
        if len(words) > 1 and (low in dropped or short):
            forms["drop"][place] = [""]
        endings = _with_other_endings(word, rules) if low not in agreement else []
        if endings:
            forms["ending"][place] = endings
    swaps = [place for place in range(len(words) - 1) if words[place].lower() != words[place + 1]]
    return forms, swaps


def _in_case(word: str, place: int, other: str) -> str:
    """Another form in the word's case; the capital of an I inside a sentence is not the place's."""
    return other if word == "I" and place else cased_like(word, other)


def _confused(groups: Sequence[str]) -> dict[str, list[str]]:
    """For each form the others of its groups."""
    others: dict[str, list[str]] = {}
    for group in groups:
        forms = group.split()
        for form in forms:
            others.setdefault(form.lower(), []).extend(f for f in forms if f != form)
    return others


def _with_other_endings(word: str, rules: Rules) -> list[str]:
    if not word.isalpha() or len(word) <= _STEM + 1 or not word[0].isalpha():
        return []
    if not rules.endings:
        # A language without rules of its own loses an ending, if its words have letters at all.
        return [word[:-1], word[:-2]] if len(word) > _STEM + 2 and not _is_cjk(word) else []
    best: tuple[int, list[str]] = (0, [])
    for group in rules.endings:
        endings = ["" if one == "-" else one for one in group.split()]
        for ending in endings:
            if (
                word.endswith(ending)
                and len(word) - len(ending) >= _STEM
                and len(ending) >= best[0]
            ):
                stem = word[: len(word) - len(ending)]
                best = (len(ending), [stem + other for other in endings if other != ending])
    return best[1]


def _is_cjk(word: str) -> bool:
    return any("\u3040" <= letter <= "\u9fff" for letter in word)


def _in_wrong_order(pieces: Pieces, place: int) -> Pieces:
    words = pieces.words
    if not words[place] or not words[place + 1]:
        return pieces
    # The English I, alone or with its verb, is large everywhere.
    if place == 0 and (words[0] == "I" or words[0][:2] in ("I'", "I’")):
        moved = (words[1][:1].upper() + words[1][1:], words[0], *words[2:])
        return pieces.with_words(moved)
    return pieces.swapped(place)


def _with_capital(text: str, clean: str) -> str:
    """A text that began with a capital still does."""
    if clean[:1].isupper() and text[:1].islower():
        return text[:1].upper() + text[1:]
    return text


KIND = GrammarNoise()
