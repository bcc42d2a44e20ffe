"""The Launch tab: the form, and beside it what it will do before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab import corpora, noise
from mtlab.commands import command_for, field_of
from mtlab.errors import MtlabError
from mtlab.lab import Lab
from mtlab.methods import NONE, trains
from mtlab.presets import BASES
from mtlab.spec import RunSpec
from mtlab.ui.errors import shown
from mtlab.ui.form import FIELDS, spec_from_form
from mtlab.ui.markup import escape, marked_words, notice, table, text_block
from mtlab.ui.noise_fields import noise_fields

SIZES = ("16", "32", "64", "128", "256", "512", "1024", "all")
_DEFAULT_TRAIN = ["de-en", "en-de"]
# Gradio's Enter takes the first size that holds the digits typed (128 for 8); leaving the field
# takes what was typed, so Enter leaves it, unless an arrow key has pointed at a size.
_ENTER_TAKES_WHAT_WAS_TYPED = """
() => {
  let pointed = false;
  document.addEventListener("keydown", (event) => {
    if (!event.target.closest?.("#size input")) return;
    if (event.key === "Enter" && !pointed) {
      event.stopImmediatePropagation();
      event.target.blur();
    }
    pointed = event.key === "ArrowDown" || event.key === "ArrowUp";
  }, true);
}
"""
_OF_TRAINING = (
    "train", "_all", "_into", "_out", "noise_kind", "noise_side", "noise_ratio", "balance",
    "learning_rate", "steps", "batch_size",
)  # fmt: skip


@dataclass(frozen=True)
class LaunchTab:
    """The components other parts of the page speak to."""

    button: gr.Button
    form: tuple[Any, ...]


def build_launch_tab(lab: Lab, page: gr.Blocks) -> LaunchTab:
    """Lay the tab out and wire what happens inside it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            form = _form(lab)
        with gr.Column(scale=6, min_width=320):
            button = gr.Button("Launch", variant="primary", size="lg", elem_id="launch")
            gr.Markdown("### What the model will see")
            problem = gr.HTML(elem_id="launch-problem")
            pairs = gr.HTML(elem_id="launch-pairs")
            command = gr.Code(
                label="The same run as a command",
                language="shell",
                lines=2,
                interactive=False,
                buttons=["copy"],
                wrap_lines=True,
            )
    inputs = [form[name] for name in FIELDS]

    def preview(*values: Any) -> tuple[str, str, str]:
        try:
            spec = spec_from_form(dict(zip(FIELDS, values, strict=True)), lab.settings)
            return "", _preview_html(lab, spec), command_for(spec)
        except MtlabError as error:
            return notice(str(error), css_class="problem"), "", ""

    gr.on(
        [page.load, *(component.change for component in inputs)],
        shown(preview),
        inputs,
        [problem, pairs, command],
        trigger_mode="always_last",
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
    )
    form["corpus"].change(
        shown(lambda corpus: _directions_of(lab, corpus)),
        [form["corpus"]],
        [form["train"], form["test"]],
        api_visibility="private",
    )
    form["upload"].upload(
        shown(lambda path: _directions_of(lab, path)),
        [form["upload"]],
        [form["train"], form["test"]],
        api_visibility="private",
    )
    _direction_shortcuts(lab, form)
    page.load(None, None, None, js=_ENTER_TAKES_WHAT_WAS_TYPED, api_visibility="private")
    form["method"].change(
        shown(_fields_of_method),
        [form["method"]],
        [form["size"], *(form[name] for name in _OF_TRAINING)],
        api_visibility="private",
    )
    return LaunchTab(button=button, form=tuple(inputs))


def _form(lab: Lab) -> dict[str, Any]:
    """The form's components by field name."""
    everyday = corpora.open_corpus("everyday", lab.settings).train_directions()
    form: dict[str, Any] = {}
    form["base"] = gr.Dropdown(
        [(base.title, name) for name, base in BASES.items()],
        value="nano",
        label="Base model",
        info="A preset, or type a hub name (owner/model) or a local folder.",
        allow_custom_value=True,
    )
    with gr.Row():
        form["size"] = gr.Dropdown(
            list(SIZES),
            value="32",
            label="Training pairs",
            elem_id="size",
            allow_custom_value=True,
            info="How many in all; any number.",
            min_width=140,
        )
        form["method"] = gr.Radio(
            [
                ("Best for the base", "default"),
                ("LoRA", "lora"),
                ("Full", "full"),
                ("Examples in the prompt (few-shot)", "few-shot"),
                ("None: the base as it is", "none"),
            ],
            value="default",
            label="Fine-tuning method",
            elem_id="method",
            min_width=200,
        )
    form["train"] = gr.CheckboxGroup(
        list(map(str, everyday)), value=_DEFAULT_TRAIN, label="Training directions", elem_id="train"
    )
    with gr.Row(elem_classes="shortcuts"):
        form["_all"] = gr.Button("All", size="sm", min_width=60)
        form["_into"] = gr.Button("Into English", size="sm", min_width=60)
        form["_out"] = gr.Button("Out of English", size="sm", min_width=60)
    form["test"] = gr.CheckboxGroup(
        list(map(str, everyday)),
        value=[],
        label="Test directions",
        elem_id="test",
        info="None chosen: the training directions.",
    )
    noise_fields(lab, form)
    form["seed"] = gr.Number(0, label="Seed", precision=0)
    with gr.Accordion("Advanced", open=False):
        _advanced(form)
    return form


def _advanced(form: dict[str, Any]) -> None:
    form["corpus"] = gr.Dropdown(
        [(title, name) for name, title in corpora.corpus_names()],
        value="everyday",
        label="Corpus",
        info="A bundled or WMT corpus, or type hub:owner/dataset.",
        allow_custom_value=True,
    )
    form["upload"] = gr.File(
        label="Your own pairs (TSV, CSV or JSONL)",
        file_types=[".tsv", ".csv", ".jsonl"],
        height=110,
    )
    form["balance"] = gr.Radio(
        [("Equal shares", "balanced"), ("As large as their pools", "proportional")],
        value="balanced",
        label="Share of each direction",
    )
    form["metrics"] = gr.CheckboxGroup(
        [("BLEU", "bleu"), ("chrF", "chrf"), ("COMET", "comet")],
        value=list(field_of("metrics").default),
        label="Metrics",
    )
    with gr.Row():
        form["test_limit"] = _number("Test segments per direction", "all")
        form["beams"] = _number("Beams", str(field_of("decoding.beams").default))
    with gr.Row():
        form["learning_rate"] = _number("Learning rate", "measured default")
        form["steps"] = _number("Optimizer steps", "by size")
        form["batch_size"] = _number("Batch size", "by size")
    form["template"] = gr.Textbox(
        label="Prompt template",
        lines=3,
        info="Holds {source}; may hold {source_language}, {target_language}. Or: chat.",
    )
    form["name"] = gr.Textbox(label="Name of the run", max_lines=1, max_length=120)


def _number(label: str, when_empty: str) -> gr.Textbox:
    """An optional number. Gradio's own turns an empty field into 0 when it is first shown."""
    return gr.Textbox("", label=label, placeholder=when_empty, max_lines=1, min_width=130)


def _direction_shortcuts(lab: Lab, form: dict[str, Any]) -> None:
    """Buttons that choose directions among those the corpus has."""
    choose = {
        "_all": lambda codes: codes,
        "_into": lambda codes: [code for code in codes if code.endswith("-en")],
        "_out": lambda codes: [code for code in codes if code.startswith("en-")],
    }
    for name, rule in choose.items():
        form[name].click(
            shown(lambda corpus, upload, rule=rule: rule(_train_codes(lab, upload or corpus))),
            [form["corpus"], form["upload"]],
            [form["train"]],
            api_visibility="private",
        )


def _fields_of_method(method: str) -> list[Any]:
    """What a method has no use for is hidden, and does not count (`spec_from_form`)."""
    trained = trains(method)
    size = gr.Dropdown(
        label="Training pairs" if trained else "Examples shown",
        visible=method != NONE,
        **({} if trained else {"value": "3"}),
    )
    return [size, *(gr.update(visible=trained) for _ in _OF_TRAINING)]


def _train_codes(lab: Lab, corpus: str) -> list[str]:
    return [str(d) for d in corpora.open_corpus(corpus, lab.settings).train_directions()]


def _directions_of(lab: Lab, corpus: str) -> tuple[Any, Any]:
    """The direction choices of a corpus; what it lacks is unchosen."""
    opened = corpora.open_corpus(corpus, lab.settings)
    train = [str(direction) for direction in opened.train_directions()]
    test = [str(direction) for direction in opened.test_directions()]
    return (
        gr.CheckboxGroup(choices=train, value=[d for d in _DEFAULT_TRAIN if d in train]),
        gr.CheckboxGroup(choices=test, value=[]),
    )


def _preview_html(lab: Lab, spec: RunSpec) -> str:
    """Real training pairs with what noise changed marked, counts, the prompt, the forecast."""
    preview = lab.preview(spec)
    counts = ", ".join(f"{count} {direction}" for direction, count in preview.counts.items())
    rows = [
        (
            escape(str(example.pair.noisy.direction)),
            _side(example.pair, "source"),
            _side(example.pair, "target"),
        )
        for example in preview.examples
    ]
    shown_pairs = table(
        ("Direction", "Source", "Target"),
        rows,
        caption=f"{len(rows)} of {spec.size} training pairs: {counts}",
    )
    if not rows:
        return notice(f"Nothing is trained. {preview.forecast}")
    first = preview.examples[0]
    if not spec.training.trains:
        return (
            table(
                ("Direction", "Source", "Target"),
                rows,
                caption=f"Examples the model is shown: {counts}",
            )
            + '<p class="label">The first test sentence as the model reads it</p>'
            + f'<pre class="prompt">{escape(first.prompt)}</pre>'
            + notice(preview.forecast)
        )
    return (
        shown_pairs
        + '<p class="label">The first one as the model reads it</p>'
        + f'<pre class="prompt">{escape(first.prompt)}'
        + f"<b>{escape(first.pair.noisy.target)}</b></pre>"
        + notice(preview.forecast)
    )


def _side(pair: noise.NoisyPair, side: str) -> str:
    clean, noisy = getattr(pair.clean, side), getattr(pair.noisy, side)
    if side not in pair.touched:
        return text_block(noisy)
    words = noise.diff(clean, noisy)
    gone = "" if any(new for _, new in words) else ' <span class="quiet">(words left out)</span>'
    return f'<div dir="auto">{marked_words(words)}{gone}</div>'
