"""Semantic noise: fluent and wrong. A negation, a number, a name or a content word is another.

English, German, French and Icelandic have word lists of their own; elsewhere numbers, negators and
content words are changed, the latter for a word of the corpus with the same ending.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mtlab.corpora.pairs import Pair
from mtlab.noise.kinds import Context, Kind, Side, text_of
from mtlab.noise.pieces import Pieces, cased_like
from mtlab.noise.vocabulary import Vocabulary, vocabularies

WORDS_PER_CHANGE = 8
"""One change for so many words, and at least one."""

_NAMES = (
    "Anna Lena Emma Marie Laura Hilde Clara Julia Sophie Nina Eva",
    "Paul Jonas Lukas Oskar Tom Peter Felix Anton Jakob David",
    "Bergmann Hoffmann Weber Keller Lambert Berger Huber Wagner",
    "Berlin Hamburg Basel London Paris Oslo Madrid Dublin Boston Amsterdam",
)


@dataclass(frozen=True)
class Meanings:
    """What can be made wrong in a language.

    Attributes:
        negated: a word or two and what reverses them, as `old=new`; nothing after it: left out.
        classes: words of one form that can stand for one another.
    """

    negated: str = ""
    classes: tuple[str, ...] = ()


_MEANINGS: dict[str, Meanings] = {
    "en": Meanings(
        negated="isn't=is, aren't=are, wasn't=was, weren't=were, can't=can, cannot=can, "
        "couldn't=could, won't=will, wouldn't=would, shouldn't=should, don't=do, doesn't=does, "
        "didn't=did, hasn't=has, haven't=have, hadn't=had, mustn't=must, not=, is=isn't, "
        "are=aren't, was=wasn't, were=weren't, can=can't, could=couldn't, will=won't, "
        "would=wouldn't, should=shouldn't, "
        "it's=it isn't, that's=that isn't, he's=he isn't, she's=she isn't, i'm=I'm not, "
        "always=never, never=always, everyone=no one, everybody=nobody, nobody=everybody, "
        "somebody=nobody, everything=nothing, nothing=everything, with=without, without=with",
        classes=(
            "two three four five six seven nine ten twelve twenty", "first second third last",
            "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
            "January February March April June July September October November December",
            "morning evening afternoon", "breakfast lunch dinner", "today tomorrow yesterday",
            "mother sister aunt daughter grandmother", "father brother uncle son grandfather",
            "red green blue black white yellow", "big small", "hot cold", "old new", "good bad",
            "more less", "before after", "left right", "up down", "minutes hours days weeks months",
            "Norway Poland Canada Greece Spain Italy Iceland",
            "English French German Danish Spanish",
            "north south east west", "early late", "forgot remembered", "opened closed",
            "bought sold", "found lost", "winter summer spring",
        ),
    ),
    "de": Meanings(
        negated="nicht=, kein=ein, keine=eine, keinen=einen, keinem=einem, keiner=einer, "
        "nie=immer, immer=nie, niemand=jemand, jemand=niemand, nichts=etwas, etwas=nichts, "
        "alle=keine, ist=ist nicht, sind=sind nicht, war=war nicht, waren=waren nicht, "
        "hat=hat nicht, habe=habe nicht, haben=haben nicht, eine=keine, einen=keinen",
        classes=(
            "zwei drei vier fünf sechs sieben neun zehn zwölf zwanzig",
            "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
            "Januar Februar März April Juni Juli August September Oktober November Dezember",
            "heute morgen gestern", "Mutter Schwester Tante Tochter Oma Großmutter",
            "Vater Bruder Onkel Sohn Opa Großvater", "rote grüne blaue schwarze weiße gelbe",
            "roten grünen blauen schwarzen weißen gelben", "große kleine", "großen kleinen",
            "alte neue", "alten neuen", "gut schlecht", "mehr weniger", "links rechts", "früh spät",
            "vor nach", "ersten zweiten dritten letzten", "erste zweite dritte letzte",
            "Minuten Stunden Tagen Wochen", "Norwegen Polen Kanada Griechenland Spanien Island",
            "vergessen behalten", "gefunden verloren", "gekauft verkauft", "Winter Sommer Frühling",
            "Abend Morgen Nachmittag", "Norden Süden Osten Westen",
        ),
    ),
    "fr": Meanings(
        negated="toujours=jamais, avec=sans, sans=avec, est=n'est pas, sont=ne sont pas, "
        "était=n'était pas, suis=ne suis pas, a=n'a pas, ont=n'ont pas, peut=ne peut pas, "
        "va=ne va pas, c'est=ce n'est pas, j'ai=je n'ai pas, avait=n'avait pas, "
        "fait=ne fait pas",
        classes=(
            "deux trois quatre cinq six sept neuf dix douze vingt",
            "lundi mardi mercredi jeudi vendredi samedi dimanche",
            "janvier février mars juin juillet septembre novembre décembre",
            "hier demain", "mère sœur tante fille grand-mère", "père frère oncle fils grand-père",
            "rouge verte bleue noire blanche jaune", "grand petit", "grande petite",
            "vieux nouveau", "vieille nouvelle", "bon mauvais", "bonne mauvaise", "plus moins",
            "avant après",
            "gauche droite", "matin soir", "premier deuxième dernier", "première deuxième dernière",
            "minutes heures semaines", "jours mois ans", "froid chaud", "tôt tard",
            "Norvège Pologne Grèce Islande", "oublié retrouvé", "perdu trouvé", "acheté vendu",
            "hiver été", "nord sud",
        ),
    ),
    "is": Meanings(
        negated="ekki=, aldrei=alltaf, alltaf=aldrei, enginn=einhver, einhver=enginn, "
        "ekkert=eitthvað, eitthvað=ekkert, er=er ekki, eru=eru ekki, var=var ekki, voru=voru ekki, "
        "hefur=hefur ekki, hef=hef ekki, getur=getur ekki, get=get ekki, allir=engir",
        classes=(
            "fimm sex sjö átta níu tíu tólf tuttugu", "tvær þrjár fjórar", "tvö þrjú fjögur",
            "tveir þrír fjórir", "tvo þrjá fjóra",
            "mánudag þriðjudag miðvikudag fimmtudag föstudag laugardag sunnudag",
            "mánudaginn þriðjudaginn miðvikudaginn fimmtudaginn föstudaginn laugardaginn",
            "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
            "gær dag", "mamma amma systir frænka dóttir", "pabbi afi bróðir frændi sonur",
            "rauður grænn blár svartur hvítur gulur", "rauða græna bláa svarta hvíta gula",
            "stór lítil", "stóra litla", "gamla nýja", "gamli nýi", "meira minna", "áður síðar",
            "upp niður", "vinstri hægri", "fyrsta síðasta", "fyrstu síðustu", "snemma seint",
            "mínútur vikur", "gleymdi mundi", "keypti seldi", "fann týndi", "kvöld morgun",
            "Noregi Póllandi Grikklandi Íslandi", "vetur sumar",
        ),
    ),
}  # fmt: skip

# What makes a sentence negative elsewhere; without it the sentence says the opposite.
_NEGATORS: Mapping[str, str] = {
    "da": "ikke", "es": "no", "hr": "ne", "it": "non", "nl": "niet", "pl": "nie", "pt": "não",
    "ru": "не", "sv": "inte", "uk": "не", "zh": "不 没",
}  # fmt: skip

_DIGITS = re.compile(r"\d+")
_FRENCH_NEGATION = re.compile(r"\b(?:ne |n['’])(\S+(?:[ ]y)?) (?:pas|jamais|plus|rien)\b", re.I)


class SemanticNoise(Kind):
    """Makes one thing in eight words mean something else."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The texts with another meaning; where none can be had, two words are exchanged."""
        words = vocabularies(pairs, side, context)
        return [
            _changed(text_of(pair, side), words[pair.direction], context.chance(pair, side))
            for pair in pairs
        ]


def _changed(clean: str, vocabulary: Vocabulary, chance: random.Random) -> str:
    code = vocabulary.code
    text = clean
    count = len(Pieces.of(clean, code).words)
    sorts = ["negation", "number", "class"]
    chance.shuffle(sorts)
    sorts.append("content")  # the one that fits least, and is always there
    left = max(1, round(count / WORDS_PER_CHANGE))
    for sort in sorts:
        if not left:
            break
        other = _CHANGES[sort](text, vocabulary, chance)
        if other is not None and other != text:
            text = other
            left -= 1
    if text != clean:
        return text
    return str(Pieces.of(clean, code).with_two_swapped(chance))


def _negation(text: str, vocabulary: Vocabulary, chance: random.Random) -> str | None:
    """The opposite: a negation taken out, or else put in."""
    code = vocabulary.code
    if code == "fr":
        positive = _FRENCH_NEGATION.sub(r"\1", text, count=1)
        if positive != text:
            return cased_like(text, positive)
    pieces = Pieces.of(text, code)
    rules = _reversals(code)
    found = [
        (place, rules[word.lower()])
        for place, word in enumerate(pieces.words)
        # A verb at the beginning asks, and there the negation stands elsewhere.
        if word.lower() in rules and not (place == 0 and " " in rules[word.lower()])
    ]
    out = [(place, new) for place, new in found if len(new) < len(pieces.words[place])]
    if not found:
        return None
    place, new = chance.choice(out or found)
    return str(pieces.with_word(place, new))


def _number(text: str, vocabulary: Vocabulary, chance: random.Random) -> str | None:
    """Another number with as many digits."""
    numbers = list(_DIGITS.finditer(text))
    if not numbers:
        return None
    found = chance.choice(numbers)
    number = found[0]
    first = chance.choice([digit for digit in "123456789" if digit != number[0]])
    rest = "".join(chance.choice("0123456789") for _ in number[1:])
    return text[: found.start()] + first + rest + text[found.end() :]


def _class(text: str, vocabulary: Vocabulary, chance: random.Random) -> str | None:
    """A weekday, a colour, a relation, a name for another one."""
    pieces = Pieces.of(text, vocabulary.code)
    others = _classes(vocabulary.code)
    found = [place for place, word in enumerate(pieces.words) if _known(word, others)]
    if not found:
        return None
    place = chance.choice(found)
    return str(pieces.with_word(place, chance.choice(_known(pieces.words[place], others))))


def _content(text: str, vocabulary: Vocabulary, chance: random.Random) -> str | None:
    """A content word for another one of the same form; or two of the text's exchanged."""
    pieces = Pieces.of(text, vocabulary.code)
    words = pieces.words
    places = vocabulary.content_places(words)
    chance.shuffle(places)
    for place in places:
        other = vocabulary.another(words[place], chance)
        if other is not None and other.lower() not in {word.lower() for word in words}:
            return str(pieces.with_word(place, other))
    if len(places) < 2:
        return None
    one, two = places[:2]
    exchanged = list(words)
    exchanged[one], exchanged[two] = (
        cased_like(words[one], words[two]),
        cased_like(words[two], words[one]),
    )
    return str(pieces.with_words(exchanged))


_CHANGES: dict[str, Callable[[str, Vocabulary, random.Random], str | None]] = {
    "negation": _negation,
    "number": _number,
    "class": _class,
    "content": _content,
}


def _reversals(code: str) -> dict[str, str]:
    rules = _MEANINGS.get(code)
    if rules is None:
        return dict.fromkeys(_NEGATORS.get(code, "").split(), "")
    pairs = (entry.strip().partition("=") for entry in rules.negated.split(","))
    return {old: new for old, _, new in pairs}


def _classes(code: str) -> dict[str, list[str]]:
    """For each word, as written, the others of its class."""
    groups = (*_NAMES, *(_MEANINGS[code].classes if code in _MEANINGS else ()))
    found: dict[str, list[str]] = {}
    for group in groups:
        words = group.split()
        found.update({word: [other for other in words if other != word] for word in words})
    return found


def _known(word: str, others: Mapping[str, list[str]]) -> list[str]:
    """What can stand for a word, also where it begins a sentence with a capital."""
    small = word[:1].lower() + word[1:]
    return others.get(word) or others.get(small) or []


KIND = SemanticNoise()
