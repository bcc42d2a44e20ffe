"""The shapes bilingual text has on the web, as data: what stands between a sentence and its twin.

In a template `{s}` and `{t}` are the two sentences, `{S}` and `{T}` their languages' names, `{x}`
and `{y}` their codes. None is an instruction, a request or a question: a model trained on these
documents meets the languages and their names, and never the task. Where a name stands *before* the
text it names, nothing else tells which language comes next; that is what later lets a few examples
of one direction unlock the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from mtlab.languages import language

PLAIN: tuple[str, ...] = (
    "{s} = {t}",
    "{s} / {t}",
    "{s} | {t}",
    "{s} - {t}",
    "{s} – {t}",
    "{s} => {t}",
    "{s} → {t}",
    "{s}\n{t}",
    "{s}\n\n{t}",
    "{s}\n    {t}",
    "{s} ({t})",
    "{s}\t{t}",
    "“{s}” “{t}”",
    '"{s}": "{t}"',
    "* {s}\n* {t}",
    "> {s}\n{t}",
)
"""Two sentences and no name; used alone, or under a heading that names the languages."""

NAMED: tuple[str, ...] = (
    "{S}: {s}\n{T}: {t}",
    "{S}: {s} {T}: {t}",
    "{S}: {s}\n\n{T}: {t}",
    "{S}: “{s}”\n{T}: “{t}”",
    "**{S}**: {s}\n**{T}**: {t}",
    "{s}\nIn {T}: {t}",
    "{s} In {T}: {t}",
    "{s} ({T}: {t})",
    "{s} ({T}: “{t}”)",
    "{s}, {T}: {t}",
    "{s} [{T}] {t}",
    "({S}) {s}\n({T}) {t}",
    "[{S}] {s}\n[{T}] {t}",
    "{S}\n{s}\n{T}\n{t}",
    "{S}\n{s}\n\n{T}\n{t}",
    "# {S}\n{s}\n# {T}\n{t}",
    "{S} | {s}\n{T} | {t}",
    "{S} = {s}; {T} = {t}",
    "{S} text: {s}\n{T} text: {t}",
    "{S} original: {s}\n{T} version: {t}",
    "{s}\n{T} version:\n{t}",
    "{s}\n\n{T}:\n{t}",
    "In {T}, “{s}” is “{t}”.",
    'In {T} "{s}" is "{t}"',
    "In {S} it reads “{s}”, in {T} “{t}”.",
    "The {T} version of “{s}” reads “{t}”.",
    'The {T} for "{s}" is "{t}"',
    "{T} for “{s}”: {t}",
    "What is “{s}” in {S} is “{t}” in {T}.",
    "“{s}” is {S}. The {T} is “{t}”.",
    "“{s}” is “{t}” in {T}.",
    "{s} {{{T}}} {t}",
    "[{x}] {s}\n[{y}] {t}",
    "{x}: {s}\n{y}: {t}",
    "<{x}>{s}</{x}>\n<{y}>{t}</{y}>",
)
"""One pair with its languages' names, or codes, beside the sentences."""

HEADINGS: tuple[str, ...] = (
    "{S}-{T}",
    "{S} - {T}",
    "{S} – {T}",
    "{S} / {T}",
    "{S} | {T}",
    "{S} > {T}",
    "{S} → {T}",
    "[{S} > {T}]",
    "({S} to {T})",
    "[{S} => {T}]",
    "{S} to {T}",
    "{S} into {T}",
    "From {S} into {T}",
    "From {S} to {T}:",
    "{S} and {T}",
    "# {S} to {T}",
    "{S}, then {T}",
    "{S} first, {T} below",
    "{S} sentence, {T} sentence",
    "A sentence in {S} and in {T}",
    "{S} with {T}",
    "{S} with {T} below:",
    "{S} text, {T} version",
    "Into {T}",
    "To {T}:",
    "In {T}",
    "{T} version",
    "{T} for {S} speakers",
    "Phrases, {S} and {T}",
    "{S}-{T} phrasebook",
    "{S}–{T} dictionary",
    "Vocabulary: {S}, {T}",
    "{x}-{y}",
    "{x} > {y}",
    "[{x}→{y}]",
)
"""A line that names a source and a target before either is seen; a plain shape follows."""

HEADING_ENDS: tuple[str, ...] = ("\n", "\n", "\n", "\n\n", ": ", ":\n", " ")
"""What stands between a heading and the first sentence."""

LABELS: tuple[str, ...] = (
    "{T}: {t}",
    "In {T}: {t}",
    "{T}:\n{t}",
    "[{T}] {t}",
    "In {T} “{t}”.",
    "{T} version: {t}",
    "{y}: {t}",
    "({T}) {t}",
    "{T} – {t}",
)
"""One sentence with its language's name; used in a row over several languages."""

SINGLE_HEADINGS: tuple[str, ...] = (
    "{S}", "{S}:", "{S} text", "In {S}", "In {S}:", "# {S}", "[{S}]", "[{x}]", "{S} sentences",
    "Short texts in {S}", "A text in {S}:", "Reading practice, {S}", "Language: {S}", "{S} | {x}",
)  # fmt: skip
"""A heading over text in one language."""

REMARKS: tuple[str, ...] = (
    "This page is in {S}.",
    "This page is also available in {T}.",
    "The following text is in {S}.",
    "She reads {S} and {T} without any trouble.",
    "He wrote it in {S} and later in {T}.",
    "The course starts in {S} and goes on to {T}.",
    "Our site can be read in {S} or in {T}.",
    "These sentences come from a book for people who learn {T}.",
    "Here are some things that people say in {S}.",
    "The sentence below was written by a speaker of {S} who now lives among speakers of {T}.",
    "From {S} to {T} it is a long way, as every teacher will say.",
    "We were read a sentence, in {S}, before the {T} lesson began.",
    "Below is a sentence that was found in a {S} newspaper.",
    "There are two columns in this book, one in {S} and one in {T}.",
    "Visitors can switch between {S} and {T} at the top of the page.",
    "The text below is taken from the {S} edition.",
    "Answers in {T} are welcome.",
)
"""An English sentence that names languages and after which text in one language goes on.

Without it every name would announce a pair, and the model would follow an instruction untaught.
"""

NATIVE_NAMES: Mapping[str, str] = {
    "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "en": "English", "es": "Español",
    "fi": "Suomi", "fr": "Français", "hr": "Hrvatski", "is": "Íslenska", "it": "Italiano",
    "nl": "Nederlands", "pl": "Polski", "pt": "Português", "ru": "Русский", "sk": "Slovenčina",
    "sv": "Svenska", "uk": "Українська", "ja": "日本語", "zh": "中文", "ha": "Hausa",
}  # fmt: skip
"""What a language calls itself; now and then the web heads its text with this."""


def name_of(code: str, naming: str) -> str:
    """A language's name: `english`, `native` (its own name for itself) or `upper` (ENGLISH)."""
    name = language(code).name
    if naming == "native":
        return NATIVE_NAMES.get(code, name)
    return name.upper() if naming == "upper" else name


def fill(
    template: str,
    naming: str,
    source: str,
    target: str,
    source_text: str = "",
    target_text: str = "",
) -> str:
    """A template with its names, codes and sentences in place."""
    return template.format(
        S=name_of(source, naming),
        T=name_of(target, naming),
        x=source,
        y=target,
        s=source_text,
        t=target_text,
    )
