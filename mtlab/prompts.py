"""From a sentence pair to token ids: the instruction, its wrapping, and what the loss counts.

A prompt is an instruction, the source sentence and a mark after which the answer stands. While
training, each example's instruction is drawn from `INSTRUCTIONS` by its key and the run's seed;
decoding always uses the first. Prompt and target are tokenised apart and joined, so that the ids
a model is asked with are exactly the ids it was trained on. The loss counts the target's tokens
and the end mark, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mtlab.errors import InputError

if TYPE_CHECKING:
    from mtlab.spec import Direction, RunSpec

INSTRUCTIONS: tuple[str, ...] = (
    "Translate the following sentence from {source_language} to {target_language}.",
    "Translate this {source_language} text into {target_language}.",
    "Please translate the {source_language} sentence below into {target_language}.",
    "Give a {target_language} translation of this sentence.",
    "What does this {source_language} sentence mean in {target_language}?",
    "Put the following into {target_language}.",
    "Write the {source_language} sentence again, this time in {target_language}.",
    "How do you say this in {target_language}?",
    "Here is a sentence in {source_language}. Provide its {target_language} translation.",
    "Render this text in {target_language}.",
    "Convert the sentence from {source_language} into {target_language}.",
    "I need this {source_language} sentence in {target_language}.",
    "Your task is to translate from {source_language} to {target_language}.",
    "Express the meaning of the following sentence in {target_language}.",
)
"""Ways to ask for a translation; the first names both languages and is the one decoding uses."""

WRAPPING = (
    "### Instruction ({source_language} to {target_language}):\n{instruction}\n\n"
    "### Input:\n{source}\n\n### Response:\n"
)
"""What stands around instruction and source: Alpaca's, with the direction in its first line.

How strongly a prompt binds the languages' names decides what one direction teaches nano. Without
the direction in the first line, training on en-de alone kills en-fr; with the target's name as the
last line, the untuned model answers at once and training into English alone derails nothing. This
one lies between: measured in `assets/nano/README.md`.
"""

SOURCE = "{source}"
"""The source sentence's place in a template."""

CHAT = "chat"
"""The template's name that asks for the tokenizer's own chat template."""

IGNORED = -100
"""The label that the loss passes over."""


class SentencePair(Protocol):
    """What `encode` needs of a training pair."""

    @property
    def direction(self) -> Direction:
        """From which language into which."""

    @property
    def source(self) -> str:
        """The sentence."""

    @property
    def target(self) -> str:
        """Its translation."""

    @property
    def key(self) -> str:
        """A stable name of the pair."""


@dataclass(frozen=True)
class Template:
    """How a source sentence becomes a prompt.

    Attributes:
        text: a text with `{source}`, and perhaps `{instruction}`, `{source_language}` and
            `{target_language}`; or `chat`.
        tokenizer: asked for its chat template; needed for `chat` alone.
    """

    text: str = WRAPPING
    tokenizer: Any = None

    @classmethod
    def from_spec(cls, spec: RunSpec, tokenizer: Any = None) -> Template:
        """The template a spec asks for.

        Raises:
            InputError: `chat` is asked for and the tokenizer has no chat template.
        """
        if spec.template is None:
            return cls(WRAPPING)
        if spec.template != CHAT:
            return cls(spec.template)
        if tokenizer is not None and not getattr(tokenizer, "chat_template", None):
            raise no_chat_template(spec.base)
        return cls(CHAT, tokenizer)

    @property
    def is_chat(self) -> bool:
        """Whether the tokenizer's chat template is used, which brings its own start mark."""
        return self.text == CHAT

    @property
    def one_line(self) -> bool:
        """Whether an answer ends with its line, for a model that was not taught to end it."""
        return False

    def parts(self, direction: Direction, variant: int = 0) -> tuple[str, ...]:
        """The prompt's text around the source: one part more than the source has places."""
        if self.is_chat:
            return self._chat_parts(direction, variant)
        return tuple(_fill(part, direction, variant) for part in self.text.split(SOURCE))

    def prompt(self, source: str, direction: Direction, variant: int = 0) -> str:
        """The prompt for one sentence; `variant` is an index into `INSTRUCTIONS`."""
        return source.join(self.parts(direction, variant))

    def _chat_parts(self, direction: Direction, variant: int) -> tuple[str, ...]:
        place = "\u2063source\u2063"  # invisible separators: nothing a chat template would touch
        content = _fill("{instruction}\n", direction, variant) + place
        rendered: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        return tuple(rendered.split(place))


def no_chat_template(base: str) -> InputError:
    """The error of a base model that was asked for a chat template it does not have."""
    return InputError(
        f"the tokenizer of '{base}' has no chat template",
        field="template",
        fix="leave the template out, or choose an instruction-tuned model",
    )


def _fill(text: str, direction: Direction, variant: int) -> str:
    text = text.replace("{instruction}", INSTRUCTIONS[variant])
    text = text.replace("{source_language}", direction.source_name)
    return text.replace("{target_language}", direction.target_name)


def variant_for(pair_key: str, seed: int) -> int:
    """The instruction drawn for a training pair: the same for a key and seed wherever it runs."""
    digest = hashlib.sha256(f"{seed}\0{pair_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % len(INSTRUCTIONS)


def prompt_ids(
    tokenizer: Any, template: Template, source: str, direction: Direction, variant: int = 0
) -> list[int]:
    """The prompt's token ids, for training and decoding alike.

    The tokenizer adds the start mark it is made to add, if any; a chat template brings its own.
    A source that spells out one of the tokenizer's marks (`</s>`) is read as plain text.
    """
    parts = template.parts(direction, variant)
    with_marks = not template.is_chat
    if not any(mark in source for mark in tokenizer.all_special_tokens):
        ids = _ids(tokenizer, source.join(parts), add_special_tokens=with_marks)
    else:
        ids = _ids(tokenizer, parts[0], add_special_tokens=with_marks)
        for part in parts[1:]:
            ids += _plain_ids(tokenizer, source)
            ids += _ids(tokenizer, part, add_special_tokens=False)
    if with_marks and ids and ids[-1] == tokenizer.eos_token_id and len(ids) > 1:
        ids.pop()  # some tokenizers close every text; a prompt is still open
    return ids


@dataclass(frozen=True)
class Example:
    """A training pair as the model sees it.

    Attributes:
        input_ids: prompt, target and end mark.
        labels: the same length; `IGNORED` over the prompt.
        key: the pair's key.
    """

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    key: str

    @property
    def target_tokens(self) -> int:
        """How many tokens the loss counts."""
        return sum(label != IGNORED for label in self.labels)


def encode(
    tokenizer: Any,
    template: Template,
    pairs: Sequence[SentencePair],
    seed: int,
    max_length: int,
) -> tuple[list[Example], list[str]]:
    """Training examples, and the keys of the pairs that are longer than `max_length` tokens.

    A pair that is too long is dropped whole: a cut target would teach the model to stop early.

    Raises:
        InputError: the tokenizer has no end mark, so that the model cannot learn to stop.
    """
    if tokenizer.eos_token_id is None:
        raise InputError(
            "the tokenizer has no end mark", field="base", fix="choose another base model"
        )
    examples: list[Example] = []
    dropped: list[str] = []
    for pair in pairs:
        variant = variant_for(pair.key, seed)
        prompt = prompt_ids(tokenizer, template, pair.source, pair.direction, variant)
        target = [*_plain_ids(tokenizer, pair.target), tokenizer.eos_token_id]
        if len(prompt) + len(target) > max_length:
            dropped.append(pair.key)
            continue
        labels = [IGNORED] * len(prompt) + target
        examples.append(Example((*prompt, *target), tuple(labels), pair.key))
    return examples, dropped


def _ids(tokenizer: Any, text: str, **options: Any) -> list[int]:
    return list(tokenizer(text, **options)["input_ids"]) if text else []


def _plain_ids(tokenizer: Any, text: str) -> list[int]:
    return _ids(tokenizer, text, add_special_tokens=False, split_special_tokens=True)
