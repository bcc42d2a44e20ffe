"""The Translate tab: type a sentence, watch several systems answer, and vote without names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import gradio as gr

from mtlab.corpora.examples import SHOWN, example_pairs
from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.languages import LANGUAGES
from mtlab.results.showing import LONGEST_TEXT, MOST_SYSTEMS, Showing, begin
from mtlab.results.votes import ALL_BAD, LETTERS, TIE, Votes, summed
from mtlab.spec import Direction
from mtlab.ui.answers import cards, marked, plain, quiet_line, votes_html
from mtlab.ui.choosing import CHOOSE_ONLY, newest_finished, offered, system_choices
from mtlab.ui.errors import shown, shown_stream
from mtlab.ui.live import stopped, watch
from mtlab.ui.markup import notice
from mtlab.ui.pacing import LIVE, LIVE_AT_ONCE, VisitorPace

POLL_SECONDS = 4.0
ALL_DIRECTIONS = "all"
_NANO = "base:nano"
_QUIET: dict[str, Any] = {
    "api_visibility": "private", "concurrency_limit": None, "show_progress": "hidden",
}  # fmt: skip


def build_translate_tab(lab: Lab, tab: gr.Tab, pace: VisitorPace) -> None:
    """Lay the tab out and wire what happens inside it."""
    languages = [(language.name, code) for code, language in LANGUAGES.items()]
    votes = Votes(lab.settings.home)

    with gr.Row(elem_id="translate-asked"):
        source = gr.Dropdown(languages, value="de", label="From", min_width=110, scale=1)
        with gr.Column(scale=0, min_width=84, elem_id="translate-swap"):
            swap = gr.Button("⇄ Swap", size="sm", min_width=80)
        target = gr.Dropdown(languages, value="en", label="Into", min_width=110, scale=1)
        with gr.Column(scale=4, min_width=280):
            models = gr.Dropdown(
                [("nano, untuned", _NANO)],
                value=[_NANO],
                multiselect=True,
                max_choices=MOST_SYSTEMS,
                label=f"Systems, {MOST_SYSTEMS} at most",
                elem_id="translate-models",
                **CHOOSE_ONLY,
            )
    first = example_pairs(Direction.parse("de-en"))
    with gr.Row():
        text = gr.Textbox(
            first[0].source,
            label="Text",
            placeholder="Type a sentence; Shift and Enter translate it.",
            lines=3,
            max_length=LONGEST_TEXT,
            min_width=280,
            elem_id="translate-text",
        )
        reference = gr.Textbox(
            first[0].target,
            label="Reference",
            placeholder="A person's translation, if you have one: each answer then gets its chrF.",
            lines=3,
            max_length=LONGEST_TEXT,
            min_width=280,
            elem_id="translate-reference",
        )
    with gr.Row(elem_id="translate-examples"):
        chips = [
            gr.Button(pair.source, size="sm", min_width=140, elem_classes="example")
            for pair in first
        ]
        more = gr.Button("More examples", size="sm", min_width=140)
    with gr.Row(elem_id="translate-actions"):
        button = gr.Button("Translate", variant="primary", min_width=120, elem_id="translate")
        stop = gr.Button("Stop", min_width=80, scale=0)
        blind = gr.Checkbox(label="Blind: names are told after a vote", min_width=200)
        differences = gr.Checkbox(label="Mark word differences", min_width=200)
    answers = gr.HTML(elem_id="translate-answers")
    with gr.Row(visible=False, elem_id="translate-vote") as voting:
        letters = [
            gr.Button(f"{letter} is best", size="sm", min_width=80, visible=False)
            for letter in LETTERS
        ]
        tie = gr.Button("Tie", size="sm", min_width=80)
        all_bad = gr.Button("All bad", size="sm", min_width=80)
    memory = gr.HTML(elem_id="translate-memory")
    with gr.Accordion("Votes", open=False):
        counted = gr.Dropdown(
            [("all directions", ALL_DIRECTIONS)],
            value=ALL_DIRECTIONS,
            label="Votes on",
            elem_id="votes-direction",
            **CHOOSE_ONLY,
        )
        tally = gr.HTML(elem_id="votes")

    seen = gr.State(None)  # a `Showing`; on the server, so that no visitor can make one up
    page = gr.State(0)
    example = gr.State((first[0].source, first[0].target))  # the one that was picked last
    timer = gr.Timer(POLL_SECONDS, active=False)
    frame = [answers, seen, voting, *letters]

    def offer(chosen: list[str] | None) -> Any:
        choices = system_choices(lab)
        kept = [model for model in chosen or [] if model in dict(choices).values()]
        if kept in ([], [_NANO]):
            newest = newest_finished(lab)
            kept = [_NANO, newest] if newest else [_NANO]
        return gr.Dropdown(choices=choices, value=kept)

    def answer(
        line: str, wanted: str, picked: tuple[str, str], from_: str, into: str, chosen: list[str],
        hide: bool, mark: bool, request: gr.Request,
    ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
        direction = Direction.parse(f"{from_}-{into}")
        wanted = _own_reference(wanted, line, picked)
        showing = begin(line, direction, offered(lab, chosen or ()), reference=wanted)
        if hide:
            showing = showing.blinded()
        pace.take(request)
        for now in watch(lab, showing):
            yield _frame(now, mark)

    def halt(showing: Showing | None, mark: bool) -> tuple[Any, ...]:
        if showing is None:
            return (gr.skip(),) * len(frame)
        # What was over before this was heard is drawn, too: its last frames were cancelled.
        return _frame(stopped(showing), mark)

    def vote_for(choice: str) -> Any:
        def vote(
            showing: Showing | None, mark: bool, direction: str, request: gr.Request
        ) -> tuple[Any, ...]:
            if showing is None:
                raise InputError(
                    "nothing was shown", field="vote", fix="translate a text in blind mode"
                )
            after, cast = showing.vote(choice, _visitor(request))
            votes.add(cast)
            return (*_frame(after, mark), *count(direction))

        return shown(vote)

    def count(direction: str | None) -> tuple[Any, str]:
        every = votes.read()
        choices = [("all directions", ALL_DIRECTIONS)]
        choices += [(one, one) for one in sorted({vote.direction for vote in every})]
        if direction not in dict(choices).values():
            direction = ALL_DIRECTIONS
        some = [vote for vote in every if direction in (ALL_DIRECTIONS, vote.direction)]
        return gr.Dropdown(choices=choices, value=direction), votes_html(summed(some), len(some))

    def remember(showing: Showing | None, told: str | None) -> Any:
        if showing is not None and showing.hides_names:
            return gr.skip()  # what has just been loaded may tell which system is which
        kept = lab.kept_models()
        text = (notice if kept.given_up_for else quiet_line)(kept.sentence())
        return text if text != told else gr.skip()

    tab.select(shown(offer), [models], [models], **_QUIET)
    tab.select(shown(count), [counted], [counted, tally], **_QUIET)
    tab.select(shown(remember), [seen, memory], [memory], **_QUIET)
    tab.select(lambda: gr.Timer(active=True), None, [timer], **_QUIET)
    timer.tick(shown(remember), [seen, memory], [memory], **_QUIET)

    asked = [text, reference, example, source, target, models, blind, differences]
    running = gr.on(
        [button.click, text.submit, reference.submit],
        shown_stream(answer), asked, frame, api_visibility="private", show_progress="hidden",
        concurrency_limit=LIVE_AT_ONCE, concurrency_id=LIVE,
    )  # fmt: skip
    running.then(shown(remember), [seen, memory], [memory], **_QUIET)
    halted = stop.click(None, None, None, cancels=[running], api_visibility="private")
    halted.then(shown(halt), [seen, differences], frame, **_QUIET)
    differences.change(
        shown(lambda showing, mark: "" if showing is None else _cards(showing, mark)),
        [seen, differences], [answers], **_QUIET,
    )  # fmt: skip

    for choice, pressed in zip((*LETTERS, TIE, ALL_BAD), (*letters, tie, all_bad), strict=True):
        pressed.click(
            vote_for(choice), [seen, differences, counted], [*frame, counted, tally],
            api_visibility="private", concurrency_limit=1, concurrency_id="vote",
        )  # fmt: skip
    counted.input(shown(count), [counted], [counted, tally], **_QUIET)

    languages_chosen = [source, target]
    for number, chip in enumerate(chips):
        chip.click(
            shown(partial(_example, number)), [*languages_chosen, page],
            [text, reference, example], **_QUIET,
        )  # fmt: skip
    gr.on(
        [source.change, target.change],
        shown(lambda from_, into: _examples(from_, into, 0)), languages_chosen, [page, *chips],
        trigger_mode="always_last", **_QUIET,
    )  # fmt: skip
    more.click(
        shown(lambda from_, into, at: _examples(from_, into, int(at) + 1)),
        [*languages_chosen, page], [page, *chips], **_QUIET,
    )  # fmt: skip
    swap.click(shown(_swapped), [*languages_chosen, text, reference],
               [*languages_chosen, text, reference], **_QUIET)  # fmt: skip
    text.change(
        shown(_kept_reference), [reference, text, example], [reference], queue=False,
        trigger_mode="always_last", **_QUIET,
    )  # fmt: skip


def _kept_reference(reference: str | None, text: str, example: tuple[str, str]) -> Any:
    """What becomes of the reference while a text is typed; a person's own is left alone."""
    return gr.skip() if _own_reference(reference, text, example) == reference else ""


def _own_reference(reference: str | None, text: str, example: tuple[str, str]) -> str:
    """The reference, unless it came with an example and this is another text by now."""
    source, target = example
    typed = text.strip() if isinstance(text, str) else ""
    return "" if reference == target and typed != source else reference or ""


def _frame(showing: Showing, mark: bool) -> tuple[Any, ...]:
    """What the page shows of a showing: its cards, and the buttons to vote with."""
    open_ = showing.can_be_voted_on
    pressed = (gr.Button(visible=open_ and letter in showing.choices) for letter in LETTERS)
    return (_cards(showing, mark), showing, gr.Row(visible=open_), *pressed)


def _cards(showing: Showing, mark: bool) -> str:
    return cards(showing, marked if mark else plain)


def _visitor(request: gr.Request | None) -> str | None:
    """A word that tells one visit from another and says nothing of who visits."""
    page = getattr(request, "session_hash", None)
    return hashlib.sha256(f"vote {page}".encode()).hexdigest()[:16] if page else None


def _example(number: int, from_: str, into: str, page: int) -> tuple[Any, ...]:
    pair = example_pairs(Direction.parse(f"{from_}-{into}"), int(page))[number]
    return pair.source, pair.target, (pair.source, pair.target)


def _examples(from_: str, into: str, page: int) -> tuple[Any, ...]:
    """The examples of a direction, as their buttons; none where it is no direction yet."""
    if from_ == into:
        return (0, *(gr.Button(visible=False) for _ in range(SHOWN)))
    pairs = example_pairs(Direction.parse(f"{from_}-{into}"), page)
    return (page, *(gr.Button(pair.source, visible=True) for pair in pairs))


def _swapped(from_: str, into: str, text: str, reference: str) -> tuple[str, str, Any, Any]:
    """The direction turned round, and with a reference the texts too."""
    texts = (reference, text) if reference.strip() else (gr.skip(), gr.skip())
    return (into, from_, *texts)
