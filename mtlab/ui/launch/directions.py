"""Directions as chips, with shortcuts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from mtlab import corpora
from mtlab.corpora import Corpus
from mtlab.errors import InputError
from mtlab.settings import Settings
from mtlab.ui.clicks import button, clickable, clicked
from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET
from mtlab.ui.form import BLANK, DEFAULT_TRAIN
from mtlab.ui.launch.fields import LABELS

# What a shortcut chooses, of the directions there are and those chosen now.
_RULES: dict[str, Callable[[Sequence[str], Sequence[str]], Sequence[str]]] = {
    "All": lambda codes, chosen: codes,
    "Into English": lambda codes, chosen: [code for code in codes if code.endswith("-en")],
    "Out of English": lambda codes, chosen: [code for code in codes if code.startswith("en-")],
    "One": lambda codes, chosen: list(chosen[:1] or codes[:1]),
    "As trained": lambda codes, chosen: [],
}
_SHORTCUTS = {
    "train": ("All", "Into English", "Out of English", "One"),
    "test": ("All", "Into English", "Out of English", "One", "As trained"),
}


class DirectionsField:
    """The chips of `train` or `test` and their shortcuts; adds the chips to the form.

    Args:
        name: `train` or `test`.
        form: the form's components by field.
        settings: where the corpora lie.
    """

    def __init__(self, name: str, form: dict[str, Any], settings: Settings) -> None:
        self._name = name
        self._settings = settings
        label = LABELS[name]
        links = "".join(
            button(text, "choose", text, label=f"{text}: {label.lower()}")
            for text in _SHORTCUTS[name]
        )
        with gr.Column(elem_classes="field-box", min_width=200) as self.box:
            self._shortcuts = clickable(
                f"{name}-shortcuts",
                value=f'<div class="shortcuts">{links}</div>',
                apply_default_css=False,
            )
            form[name] = gr.CheckboxGroup(
                self._codes(BLANK["corpus"]),
                value=BLANK[name],
                label=label,
                elem_id=name,
                elem_classes="chips",
            )

    def wire(self, form: dict[str, Any]) -> None:
        """Let the shortcuts choose among the directions of the chosen corpus."""
        self._shortcuts.click(
            shown(self._chosen),
            [form["corpus"], form["upload"], form[self._name]],
            [form[self._name]],
            **QUIET,
        )

    def _chosen(
        self, corpus: str, upload: str | None, chosen: list[str], event: gr.EventData
    ) -> list[str]:
        rule = _RULES.get(clicked(event).value)
        if rule is None:
            raise InputError("there is no such shortcut", field=self._name, fix="reload the page")
        return list(rule(self._codes(upload or corpus), chosen))

    def _codes(self, corpus: str) -> list[str]:
        return codes_of(self._name, corpora.open_corpus(corpus, self._settings))


def wire_corpus(form: dict[str, Any], settings: Settings) -> None:
    """Let the corpus say which directions there are."""

    def offered(
        corpus: str, upload: str | None, train: list[str], test: list[str]
    ) -> tuple[Any, Any]:
        opened = corpora.open_corpus(upload or corpus, settings)
        can_train, can_test = codes_of("train", opened), codes_of("test", opened)
        kept = [code for code in train if code in can_train]
        usual = [code for code in DEFAULT_TRAIN if code in can_train] or can_train[:1]
        return (
            gr.CheckboxGroup(choices=can_train, value=kept or usual),
            gr.CheckboxGroup(choices=can_test, value=[code for code in test if code in can_test]),
        )

    gr.on(
        [form["corpus"].change, form["upload"].change],
        shown(offered),
        [form["corpus"], form["upload"], form["train"], form["test"]],
        [form["train"], form["test"]],
        **FOLLOWING,
    )


def codes_of(name: str, corpus: Corpus) -> list[str]:
    """The directions in which a corpus can `train` or `test`."""
    found = corpus.train_directions() if name == "train" else corpus.test_directions()
    return list(map(str, found))
