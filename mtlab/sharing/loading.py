"""How a pushed run is loaded back, as Python that needs transformers, and peft for an adapter."""

from __future__ import annotations

from typing import Literal

from mtlab.corpora.examples import example_pairs
from mtlab.prompts import INSTRUCTIONS, SOURCE, Template
from mtlab.sharing.origin import Origin
from mtlab.spec import RunSpec

Weights = Literal["adapter", "merged", "model"]
"""What is pushed: the adapter alone, base and adapter as one, or a model fine-tuned in full."""

BASE_FOLDER = "base"
"""Where the bundled base lies beside an adapter of it: the hub has it nowhere else."""


def loading_code(name: str, spec: RunSpec, weights: Weights, origin: Origin) -> str:
    """A script that translates one sentence with what was pushed under a name."""
    direction = spec.tested[0]
    source = example_pairs(direction)[0].source
    beams = spec.decoding.beams if spec.decoding.strategy == "beam" else 1
    lines = [
        *_loads(name, weights, origin),
        "",
        f"source = {source!r}  # {direction.source_name}",
        *_prompts(spec),
        "output = model.generate(",
        f"    **inputs, num_beams={beams}, do_sample=False, "
        f"max_new_tokens={spec.decoding.token_limit}",
        ")",
        'answer = output[0, inputs["input_ids"].shape[1] :]',
        f"print(tokenizer.decode(answer, skip_special_tokens=True).strip())"
        f"  # {direction.target_name}",
    ]
    return "\n".join(lines) + "\n"


def _loads(name: str, weights: Weights, origin: Origin) -> list[str]:
    if weights != "adapter":
        return [
            "from transformers import AutoModelForCausalLM, AutoTokenizer",
            "",
            f"tokenizer = AutoTokenizer.from_pretrained({name!r})",
            f"model = AutoModelForCausalLM.from_pretrained({name!r}).eval()",
        ]
    if origin.is_bundled:  # by its folder: transformers takes the name for that of the adapter
        more = ["from huggingface_hub import snapshot_download"]
        fetched = [f"folder = snapshot_download({name!r})"]
        where, adapter = f'f"{{folder}}/{BASE_FOLDER}"', "folder"
    else:
        more, fetched = [], []
        where, adapter = f"{origin.base.repo!r}", f"{name!r}"
        if origin.revision:
            where += f", revision={origin.revision!r}"
    return [
        *more,
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        *fetched,
        f"tokenizer = AutoTokenizer.from_pretrained({where})",
        f"base = AutoModelForCausalLM.from_pretrained({where})",
        f"model = PeftModel.from_pretrained(base, {adapter}).eval()",
    ]


def _prompts(spec: RunSpec) -> list[str]:
    direction = spec.tested[0]
    if Template.from_spec(spec).is_chat:
        content = INSTRUCTIONS[0].format(
            source_language=direction.source_name, target_language=direction.target_name
        )
        return [
            f"messages = [{{'role': 'user', 'content': {content + chr(10)!r} + source}}]",
            "prompt = tokenizer.apply_chat_template(",
            "    messages, tokenize=False, add_generation_prompt=True",
            ")",
            "inputs = tokenizer(",
            '    prompt, return_tensors="pt", add_special_tokens=False, '
            "return_token_type_ids=False",
            ")",
        ]
    prompt = Template.from_spec(spec).prompt(SOURCE, direction)
    return [
        f"prompt = {prompt!r}",
        f"prompt = prompt.replace({SOURCE!r}, source)",
        'inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)',
    ]
