"""`python -m benchmarks.noise`: one example of every kind of noise, into docs/noise.md.

Runs the command that the page shows, once a kind. Sentence noise is made by a run on nano that is
trained for it first; all of it takes about a minute without a GPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from mtlab import Lab, RunSpec
from mtlab.noise import diff
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.settings import Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "noise.md"
SHOWN = ("--direction", "de-en", "--size", "1", "--seed", "SEED")
SEED = 9  # of the pair shown: one that every kind has something to do with
OPTIONS: dict[str, tuple[str, ...]] = {"sentence": ("--translator", "latest")}


def main() -> int:
    """Write the page; returns an exit status."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        lab = Lab(Settings.from_environment({"MTLAB_HOME": str(home), "HF_HUB_OFFLINE": "1"}))
        run = lab.launch(
            RunSpec(size=32, train=["de-en"], test_limit=4, score_base=False, metrics=["chrf"])
        )
        state = run.wait().state
        lab.close()
        if state != "finished":
            print(run.log_tail(), file=sys.stderr)
            return 1
        rows = [(kind, _example(home, kind, *OPTIONS.get(kind, ()))) for kind in NOISE_KINDS]
        rows.append(("wrong-language", _example(home, "wrong-language", "--noise-language", "fr")))
    PAGE.write_text(_page(rows), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0


def _example(home: Path, kind: str, *options: str) -> dict[str, Any]:
    """The command for one kind, and the pair it shows."""
    words = ["noise", "--kind", kind, *options, *_pair_flags()]
    done = subprocess.run(
        [sys.executable, "-m", "mtlab", *words, "--json"],
        env={**os.environ, "MTLAB_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    (pair,) = json.loads(done.stdout.splitlines()[-1])["pairs"]
    return {"options": " ".join(options), **pair}


def _pair_flags() -> list[str]:
    return [str(SEED) if word == "SEED" else word for word in SHOWN]


def marked(pair: dict[str, Any]) -> str:
    """The target of a noisy pair as the page shows it: what is new in bold."""
    clean, noisy = pair.get("clean_target", pair["target"]), pair["target"]
    return " ".join(f"**{word}**" if new else word for word, new in diff(clean, noisy))


def _page(rows: list[tuple[str, dict[str, Any]]]) -> str:
    pair = rows[0][1]
    lines = [
        "# Kinds of noise",
        "",
        "Noise is put on the source, the target or both sides of a share of the training pairs.",
        "Which pairs are touched and what becomes of them depends on the seed and the pair alone;",
        "`train.jsonl` of a run keeps the clean side beside the noisy one. A kind is a file in",
        "`mtlab/noise` and a line in `mtlab/noise_kinds.py`.",
        "",
        "Written by `python -m benchmarks.noise`, which runs this once a kind:",
        "",
        "```text",
        f"mtlab noise --kind KIND {' '.join(_pair_flags())}",
        "```",
        "",
        "What is new in bold; the pair is",
        "",
        f"> {pair['source']}  ",
        f"> {pair.get('clean_target', pair['target'])}",
        "",
        "| kind | what becomes of a side | the target then |",
        "|---|---|---|",
    ]
    for kind, found in rows:
        name = f"`{kind}`" + (f" `{found['options']}`" if found["options"] else "")
        lines.append(f"| {name} | {NOISE_KINDS[kind]} | {marked(found)} |")
    return "\n".join([*lines, "", *_NOTES, ""])


_NOTES = """\
- `sentence` needs `--translator`: a run's id, `latest`, `base:NAME`, or a translation model of the
  hub or in a folder (NLLB, M2M-100, OPUS-MT), with safetensors weights; `NAME@REVISION` names one
  of its revisions. `{source}` and `{target}` in a name stand for the two codes, as in
  `Helsinki-NLP/opus-mt-{source}-{target}`. In the example it is a run of nano on 32 pairs. What was
  translated is kept under the model's digest, the direction and the text, and not made twice.
- `word` induces its lexicon from the corpus; `--dictionary FILE` reads one in the MUSE format
  instead (a word and its translation a line). `de-en.txt` or `FILE:de-en` serves both ways.
- `grammar` and `semantic` have rules for English, German, French and Icelandic, `grammar` for
  Japanese and Chinese particles too; elsewhere endings are cut, short words left out, words
  exchanged, numbers, negators and content words changed. The rules work on words, without a parser.
- `jargon` has terms of medicine, law and accounting; `--terms FILE` brings others, one a line.
- `misaligned` takes the next pair of the draw, never one that is tested on.
- `wrong-language` leaves the other side untranslated; `--noise-language fr` takes the sentence in a
  third language where the corpus has it.
- A side that noise leaves as it is (a short sentence, word by word) does not count as touched.
""".splitlines()


if __name__ == "__main__":
    sys.exit(main())
