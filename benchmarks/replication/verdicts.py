"""What the paper showed, held against what findings say: shown, no difference found, the opposite.

A claim picks the findings that speak of it and says which verdict each should have. Nothing is
decided here that `mtlab.results.findings` has not decided; the numbers that the paper gives stand
beside ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mtlab.results.findings import Finding
from mtlab.results.labels import METRICS
from mtlab.results.paper_questions import HARDLY_SEEN
from mtlab.results.published import published
from mtlab.scoring.comparison import NOTHING_FOUND
from mtlab.spec import RunSpec

NOTHING = NOTHING_FOUND
OPPOSITE = {"higher": "lower", "lower": "higher", NOTHING: "lower"}
"""What speaks against a claim: where hardly any loss is expected, a loss."""

OUTCOMES = {
    "shown": "Shown here too",
    "no loss found": "No loss found, where Llama-2 had hardly any",
    "in part": "Shown in part",
    "not shown": "Not shown: no difference found",
    "otherwise": "Otherwise: the opposite, or a loss where Llama-2 had hardly any",
    "not compared": "Not compared",
}
"""How a claim can come out, and the heading for it."""


@dataclass(frozen=True)
class Seen:
    """A finding with the specs of the two sides, as far as one run of each tells them."""

    finding: Finding
    baseline: RunSpec
    system: RunSpec


@dataclass(frozen=True)
class Claim:
    """Something that Llama-2 showed, or a question of the same kind.

    Attributes:
        sweep: the preset that asks it.
        says: what was shown.
        expects: the verdict that a finding has where nano shows it too.
        picks: whether a finding speaks of it.
        published: whether the paper's own result is known here.
        by: what its findings are told apart by; each is told of by itself.
        theirs: the paper's own number, given what its findings are told apart by.
    """

    sweep: str
    says: str
    expects: str
    picks: Callable[[Seen], bool]
    published: bool = True
    by: Callable[[Seen], str] = lambda seen: ""
    theirs: Callable[[str], str] = lambda about: ""


@dataclass(frozen=True)
class Tally:
    """How the findings on a claim came out.

    Attributes:
        claim: what was shown.
        about: what these findings have in common, where the claim tells them apart.
        findings: those that speak of it.
    """

    claim: Claim
    about: str
    findings: tuple[Finding, ...]

    @property
    def says(self) -> str:
        """The claim, and what of it this is about."""
        return f"{self.claim.says} ({self.about})" if self.about else self.claim.says

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many came out as expected, how many against it, and how many neither way."""
        verdicts = [one.comparison.verdict for one in self.findings]
        expected = verdicts.count(self.claim.expects)
        against = verdicts.count(OPPOSITE[self.claim.expects])
        return expected, against, len(verdicts) - expected - against

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`."""
        expected, against, neither = self.counts
        if not self.findings:
            return "not compared"
        if self.claim.expects == NOTHING:
            if against > expected + neither:  # a gain is no loss
                return "otherwise"
            return "in part" if against else "no loss found"
        if expected:
            return "in part" if against or neither else "shown"
        return "otherwise" if against else "not shown"

    @property
    def verdict(self) -> str:
        """In words, from the counts alone."""
        expected, against, neither = self.counts
        n = len(self.findings)
        if not n:
            return "not compared: the runs that it needs are not there"
        no_loss = self.claim.expects == NOTHING
        parts = {
            "no difference found" if no_loss else "shown": expected,
            "a loss found" if no_loss else "the opposite found": against,
            "a gain found" if no_loss else "no difference found": neither,
        }
        said = [f"{what} in {_of(count, n)}" for what, count in parts.items() if count]
        return ", ".join(said)

    @property
    def numbers(self) -> str:
        """Shares kept, where these were compared; else the smallest and the largest difference."""
        kept = [
            f"keeps {one.more['ratio']:.0%} ({one.more['ratio_low']:.0%} to "
            f"{one.more['ratio_high']:.0%})"
            for one in self.findings
            if "ratio" in one.more
        ]
        if kept:
            return "; ".join(kept)
        if not self.findings:
            return "-"
        metric = self.findings[0].comparison.metric
        name, scale, form = (
            METRICS.get(metric, "points"),
            1,
            "+.3f" if metric == "comet" else "+.1f",
        )
        if metric not in METRICS:
            scale, form = 100, "+.0f"
        values = sorted(scale * one.comparison.difference for one in self.findings)
        low, high = (f"{value:{form}}" for value in (values[0], values[-1]))
        return f"{low} {name}" if low == high else f"{low} to {high} {name}"


def tallies(sweep: str, findings: Sequence[Finding], specs: Mapping[str, RunSpec]) -> list[Tally]:
    """The claims of a sweep, each with the findings that speak of it.

    Args:
        sweep: a preset's name.
        findings: of its runs.
        specs: of its runs, by id.
    """
    seen = [Seen(one, specs[one.runs[0]], specs[one.runs[-1]]) for one in findings]
    found = []
    for claim in CLAIMS:
        if claim.sweep != sweep:
            continue
        own = [one for one in seen if claim.picks(one)]
        for about in dict.fromkeys(map(claim.by, own)) or ("",):
            rows = tuple(one.finding for one in own if claim.by(one) == about)
            found.append(Tally(claim, about, rows))
    return found


def _of(count: int, n: int) -> str:
    if n == 1:
        return "the one comparison"
    return f"all {n} comparisons" if count == n else f"{count} of {n} comparisons"


def _published_sizes(about: str) -> str:
    """What 32 pairs kept of what all gave, in the paper."""
    table = published("size")
    assert table is not None
    scores = {size: float(score) for size, score in table.rows}
    least, most = scores["32"], max(scores.values())
    return f"{least} of {most} COMET ({least / most:.0%})"


def _published_shares(about: str, targets: Callable[[str], bool]) -> str:
    """The smallest and the largest share that one direction kept in the others, in the paper."""
    table = published("transfer")
    assert table is not None
    shares = [
        float(cell)
        for trained, *cells in table.rows
        if (trained == about.removesuffix(" alone") if about else trained.endswith("-en"))
        for tested, cell in zip(table.header[1:], cells, strict=True)
        if tested != trained and targets(tested)
    ]
    return f"{min(shares):.0f}% to {max(shares):.0f}% of COMET kept" if shares else ""


def _shares_in_others(about: str) -> str:
    return _published_shares(about, lambda tested: True)


def _shares_away(about: str) -> str:
    return _published_shares("", lambda tested: not tested.endswith("-en"))


def _shares_home(about: str) -> str:
    return _published_shares("", lambda tested: tested.endswith("-en"))


def _untuned(seen: Seen) -> bool:
    return seen.finding.topic == "untuned"


def _at_32(seen: Seen) -> bool:
    return seen.finding.topic == "kept" and seen.system.size == 32


def _into_english(spec: RunSpec) -> bool:
    return all(direction.target == "en" for direction in spec.train)


def _transfer_without_english(seen: Seen) -> bool:
    return seen.finding.topic == "transfer" and not _into_english(seen.system)


def _derailing(seen: Seen) -> bool:
    return seen.finding.topic == "derailing"


def _score_out_of_english(seen: Seen) -> bool:
    away = seen.finding.directions[0].target != "en"
    return seen.finding.topic == "fewer" and _into_english(seen.system) and away


def _still_into_english(seen: Seen) -> bool:
    home = seen.finding.directions[0].target == "en"
    return seen.finding.topic == "fewer" and _into_english(seen.system) and home


def _target_noise(seen: Seen) -> bool:
    return seen.finding.topic == "against clean" and seen.system.noise.side == "target"


def _source_noise(seen: Seen) -> bool:
    return seen.finding.topic == "against clean" and seen.system.noise.side == "source"


def _sides(seen: Seen) -> bool:
    return seen.finding.topic == "sides"


def _hardly_seen(seen: Seen) -> bool:
    return seen.finding.topic == "hardly seen" and seen.system.noise.side == "target"


def _with_hardly_seen(seen: Seen) -> bool:
    """A test direction with a hardly seen language, on one side or the other."""
    one = seen.finding.directions[0]
    return one.source in HARDLY_SEEN or one.target in HARDLY_SEEN


def _left_out(seen: Seen) -> bool:
    trained = {d for way in seen.system.train for d in (way.source, way.target)}
    without = not trained & set(HARDLY_SEEN)
    return seen.finding.topic == "fewer" and without and _with_hardly_seen(seen)


def _more_of_it(seen: Seen) -> bool:
    trained = {d for way in seen.system.train for d in (way.source, way.target)}
    return (
        seen.finding.topic == "step"
        and bool(trained & set(HARDLY_SEEN))
        and _with_hardly_seen(seen)
    )


def _alone(seen: Seen) -> bool:
    """Trained on one direction with a hardly seen language, tested between well-seen ones."""
    one = seen.system.train
    single = len(one) == 1 and bool({one[0].source, one[0].target} & set(HARDLY_SEEN))
    return seen.finding.topic == "fewer" and single and not _with_hardly_seen(seen)


def _kind(seen: Seen) -> str:
    return f"{seen.system.noise.kind} noise"


def _trained(seen: Seen) -> str:
    return " ".join(map(str, seen.system.train)) + " alone"


CLAIMS = (
    Claim(
        "paper/size",
        "A few pairs make a base model translate: fine-tuned against untuned",
        "higher",
        _untuned,
    ),
    Claim(
        "paper/size",
        "Beyond 32 pairs more data adds little: what 32 keep of what the most give",
        NOTHING,
        _at_32,
        theirs=_published_sizes,
    ),
    Claim(
        "paper/direction",
        "One direction is enough to translate in all: what it keeps of what all directions give",
        NOTHING,
        _transfer_without_english,
        by=_trained,
        theirs=_shares_in_others,
    ),
    Claim(
        "paper/direction",
        "With English as the only target the task is misread: output in the wrong language",
        "higher",
        _derailing,
    ),
    Claim(
        "paper/direction",
        "With English as the only target the score falls where another language is asked for",
        "lower",
        _score_out_of_english,
        theirs=_shares_away,
    ),
    Claim(
        "paper/direction",
        "With English as the only target translation into English stays as good",
        NOTHING,
        _still_into_english,
        theirs=_shares_home,
    ),
    Claim(
        "paper/noise",
        "Noise on the target side costs something",
        "lower",
        _target_noise,
        by=_kind,
    ),
    Claim(
        "paper/noise",
        "Noise on the source side costs little",
        NOTHING,
        _source_noise,
        by=_kind,
    ),
    Claim(
        "paper/noise",
        "Noise on the target side costs more than on the source side",
        "lower",
        _sides,
        by=_kind,
    ),
    Claim(
        "paper/noise",
        "Noise on the target side costs most in a language well represented in pre-training",
        "lower",
        _hardly_seen,
        by=_kind,
    ),
    Claim(
        "paper/unseen",
        "Without pairs of the hardly seen language, translation with it is worse",
        "lower",
        _left_out,
        published=False,
    ),
    Claim(
        "paper/unseen",
        "More pairs of the hardly seen language help to translate with it",
        "higher",
        _more_of_it,
        published=False,
    ),
    Claim(
        "paper/unseen",
        "Pairs of the hardly seen language alone teach to translate between well-seen ones",
        NOTHING,
        _alone,
        published=False,
        by=_trained,
    ),
)
"""What the paper showed (Zhu et al. 2024), and what its experiments ask beside that."""
