"""The languages the lab knows: code, English name, script."""

from __future__ import annotations

from dataclasses import dataclass

from mtlab.errors import InputError


@dataclass(frozen=True)
class Language:
    """A language by its ISO 639-1 code, its English name and its ISO 15924 script."""

    code: str
    name: str
    script: str = "Latn"

    @property
    def alpha3(self) -> str:
        """Its ISO 639-3 code."""
        return _ALPHA3[self.code]


_ALPHA3 = {
    "cs": "ces", "da": "dan", "de": "deu", "en": "eng", "es": "spa", "fi": "fin", "fr": "fra",
    "ha": "hau", "hr": "hrv", "is": "isl", "it": "ita", "ja": "jpn", "nl": "nld", "pl": "pol",
    "pt": "por", "ru": "rus", "sk": "slk", "sv": "swe", "uk": "ukr", "zh": "zho",
}  # fmt: skip

LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (
        Language("cs", "Czech"),
        Language("da", "Danish"),
        Language("de", "German"),
        Language("en", "English"),
        Language("es", "Spanish"),
        Language("fi", "Finnish"),
        Language("fr", "French"),
        Language("ha", "Hausa"),
        Language("hr", "Croatian"),
        Language("is", "Icelandic"),
        Language("it", "Italian"),
        Language("ja", "Japanese", "Jpan"),
        Language("nl", "Dutch"),
        Language("pl", "Polish"),
        Language("pt", "Portuguese"),
        Language("ru", "Russian", "Cyrl"),
        Language("sk", "Slovak"),
        Language("sv", "Swedish"),
        Language("uk", "Ukrainian", "Cyrl"),
        Language("zh", "Chinese", "Hans"),
    )
}


def language(code: str, *, field: str = "direction") -> Language:
    """The language of a code.

    Raises:
        InputError: a code the lab does not know.
    """
    try:
        return LANGUAGES[code]
    except KeyError:
        known = ", ".join(LANGUAGES)
        raise InputError(
            f"'{code}' is not a language this lab knows", field=field, fix=f"use one of {known}"
        ) from None
