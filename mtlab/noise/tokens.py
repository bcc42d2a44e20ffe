"""Words and punctuation, taken apart and put together again, in each language's own way.

European languages are cut by a regular expression (French elisions and inverted pronouns are
undone, the English `'s` is split off), Japanese by MeCab through sacrebleu's tokenizer. Chinese is
cut into the words that its own corpus suggests: runs of two to four characters that stand together
more often than chance would have it, the longest first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache

UNSPACED = frozenset({"ja", "zh"})

_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|\d+(?:[.,:]\d+)*|\w+(?:[-’']\w+)*|[^\w\s]")
_ENGLISH_TOKEN = re.compile(rf"(?<!\S)[’']s\b|{_TOKEN.pattern}", re.IGNORECASE)
_ENGLISH_S = re.compile(r"(?<=\w)([’']s)\b", re.IGNORECASE)
_ELISION = re.compile(r"\b(jusqu|lorsqu|puisqu|quoiqu|qu|[cdjlmnst])[’'](?=\w)", re.IGNORECASE)
_INVERSION = re.compile(
    r"(?<=\w)(?<!\brendez)-(?:t-)?(je|tu|il|elle|on|nous|vous|ils|elles|ce|moi|toi|le|la|les|lui|leur|y|en)\b",
    re.IGNORECASE,
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")
_CJK_PIECE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[A-Za-z0-9À-ɏ]+(?:[.,'-][A-Za-z0-9]+)*|\S")

_WESTERN = str.maketrans("，。？！：；、（）「」『』《》", ',.?!:;,()""\'\'""')
_EASTERN = str.maketrans(",.?!:;()", "，。？！：；（）")
_CLOSING = frozenset(",.?!:;)]}»”…%’") | frozenset("，。？！：；、）」』》")
_EITHER = frozenset("\"'“")  # the last closes in German and opens in English
_OPENING = frozenset("([{«„‘") | frozenset("（「『《")


def tokens(text: str, code: str, words: Collection[str] = ()) -> list[str]:
    """The words and punctuation marks of a text, in its own case.

    Args:
        text: one segment.
        code: its language.
        words: for Chinese, the words to recognise (`chinese_words`).
    """
    if code == "ja":
        return _mecab()(text).split()
    if code == "zh":
        return [
            word
            for piece in _CJK_PIECE.findall(text)
            for word in (_longest(piece, words) if _HAN.match(piece) else [piece])
        ]
    if code == "fr":
        text = _INVERSION.sub(r" \1", _ELISION.sub(_full_form, text))
    elif code == "en":
        text = _ENGLISH_S.sub(r" \1", text)
        return _ENGLISH_TOKEN.findall(text)
    return _TOKEN.findall(text)


def is_word(token: str) -> bool:
    """Whether a token has a letter; numbers and punctuation have none."""
    return any(map(str.isalpha, token))


def joined(parts: Sequence[str], code: str) -> str:
    """One text of these tokens, spaced as the language has it."""
    text = ""
    glue = True
    quoted: dict[str, bool] = {}
    for token in parts:
        mark = not any(map(str.isalnum, token))
        if mark:
            token = token.translate(_EASTERN if code in UNSPACED else _WESTERN)
        closing, opening = token in _CLOSING, token in _OPENING
        if token in _EITHER:
            closing, opening = quoted.get(token, False), not quoted.get(token, False)
            quoted[token] = opening
        elif token in ("„", "”"):
            quoted["“"] = token == "„"
        if code in UNSPACED:
            space = bool(text) and text[-1].isascii() and text[-1].isalnum() and token[0].isascii()
            space = space and token[0].isalnum()
        else:
            space = not glue and not closing
            # French sets a space before the tall marks.
            space = space or (code == "fr" and token in ("?", "!", ":", ";") and bool(text))
        text += f" {token}" if space else token
        glue = opening
    return text


def chinese_words(texts: Iterable[str]) -> list[str]:
    """Runs of 2 to 4 characters that hold together, by normalised pointwise mutual information.

    A run counts when it stands in the texts at least five times and, however it is split in two,
    its parts meet far more often than chance (Bouma 2009: at least 0.3 on a scale from -1 to 1).
    """
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        for run in _HAN.findall(text):
            total += len(run)
            for size in (1, 2, 3, 4):
                counts.update(run[i : i + size] for i in range(len(run) - size + 1))
    return sorted(
        run
        for run, count in counts.items()
        if len(run) > 1
        and count >= 5
        and all(
            _attraction(count, counts[run[:cut]], counts[run[cut:]], total) >= 0.3
            for cut in range(1, len(run))
        )
    )


def _attraction(both: int, left: int, right: int, total: int) -> float:
    return math.log(both * total / (left * right)) / -math.log(both / total)


def _longest(run: str, words: Collection[str]) -> list[str]:
    """Greedy longest match, one character where nothing matches."""
    found = []
    start = 0
    while start < len(run):
        size = next((n for n in (4, 3, 2) if run[start : start + n] in words), 1)
        found.append(run[start : start + size])
        start += size
    return found


def _full_form(match: re.Match[str]) -> str:
    return f"{match[1]}e "


@lru_cache(maxsize=1)
def _mecab() -> Callable[[str], str]:
    from sacrebleu.tokenizers.tokenizer_ja_mecab import TokenizerJaMecab

    tokenizer: Callable[[str], str] = TokenizerJaMecab()
    return tokenizer
