"""The Translate tab: type a sentence, watch the base and fine-tuned models answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.languages import LANGUAGES
from mtlab.spec import Direction
from mtlab.ui.choosing import CHOOSE_ONLY, system_choices
from mtlab.ui.errors import shown
from mtlab.ui.markup import badges, escape, notice, text_block

MOST_SYSTEMS = 4
LONGEST_TEXT = 1000
_EXAMPLES = [
    ["Wir haben den letzten Bus knapp verpasst.", "de", "en"],
    ["The soup is still too hot to eat.", "en", "fr"],
    ["Ma voisine m'a prêté son échelle.", "fr", "de"],
]


def build_translate_tab(lab: Lab, tab: gr.Tab) -> None:
    """Lay the tab out and wire what happens inside it."""
    languages = [(language.name, code) for code, language in LANGUAGES.items()]
    with gr.Row():
        source = gr.Dropdown(languages, value="de", label="From", min_width=120)
        target = gr.Dropdown(languages, value="en", label="Into", min_width=120)
        models = gr.Dropdown(
            [("nano, untuned", "base:nano")],
            value=["base:nano"],
            multiselect=True,
            max_choices=MOST_SYSTEMS,
            label="Systems",
            scale=3,
            elem_id="translate-models",
            **CHOOSE_ONLY,
        )
    text = gr.Textbox(
        _EXAMPLES[0][0], label="Text", lines=2, max_length=LONGEST_TEXT, elem_id="translate-text"
    )
    button = gr.Button("Translate", variant="primary", elem_id="translate")
    answers = gr.HTML(elem_id="translate-answers")
    gr.Examples(_EXAMPLES, [text, source, target], label="Examples")

    def offer(chosen: list[str]) -> Any:
        choices = system_choices(lab)
        ids = [model for _, model in choices]
        kept = [model for model in chosen if model in ids]
        if kept in ([], ["base:nano"]):
            kept = ["base:nano", *ids[1:2]]
        return gr.Dropdown(choices=choices, value=kept)

    def answer(line: str, from_: str, into: str, chosen: list[str]) -> Iterator[str]:
        yield from _answer(lab, line, Direction.parse(f"{from_}-{into}"), chosen)

    tab.select(shown(offer), [models], [models], api_visibility="private", concurrency_limit=None)
    gr.on(
        [button.click, text.submit],
        _shown_stream(answer), [text, source, target, models], [answers],
        api_visibility="private", concurrency_limit=2,
    )  # fmt: skip


def _shown_stream(handler: Any) -> Any:
    """`shown` for a generator: its errors come while it is read."""

    def guarded(*args: Any) -> Iterator[Any]:
        stream = shown(handler)(*args)
        while (value := shown(next)(stream, None)) is not None:
            yield value

    return guarded


def _answer(lab: Lab, text: str, direction: Direction, models: list[str]) -> Iterator[str]:
    """Cards, one a system, filling in as each decodes."""
    from mtlab.scoring.failures import flag  # loads its language model: half a second, once

    text = text.strip()
    if not text:
        raise InputError("nothing is typed", field="Text", fix="type a sentence")
    if len(text) > LONGEST_TEXT:
        raise InputError(
            f"{len(text)} characters is too long", field="Text", fix=f"give {LONGEST_TEXT} at most"
        )
    if not models:
        raise InputError("no system is chosen", field="Systems", fix="choose at least one")
    names = dict((model, label) for label, model in system_choices(lab))
    cards = {model: notice("waiting", css_class="quiet") for model in models}
    yield _cards(names, cards)
    for model in models:
        hypothesis = ""
        for hypothesis in lab.stream(model, text, direction):
            cards[model] = text_block(hypothesis, css_class="answer")
            yield _cards(names, cards)
        verdict = flag(text, None, hypothesis, direction)
        answer = text_block(hypothesis or "(nothing)", css_class="answer")
        cards[model] = answer + badges(verdict.names, verdict.language)
        yield _cards(names, cards)


def _cards(names: dict[str, str], cards: dict[str, str]) -> str:
    return (
        '<div class="cards" aria-live="polite">'
        + "".join(
            f'<div class="card"><h4>{escape(names.get(model, model))}</h4>{body}</div>'
            for model, body in cards.items()
        )
        + "</div>"
    )
