"""How the embedded classifier's weights were made: `python -m moderation.train --help`.

First `moderation.train_encoder` makes the small transformer (torch); then this fits the linear model, and how
the two are added, on texts that neither has learned from. Needs scikit-learn; none of it runs in the product.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moderation.classifier import BLEND, ENCODER, LINEAR, PIECES, WEIGHTS, Blend
from moderation.corpus import HEADS, Example, asked, kept_aside, say
from moderation.encoder import Encoder, open_pieces
from moderation.fitting import fit
from moderation.linear import LinearModel
from moderation.normalise import language_of
from moderation.training import examples, options

FEWEST = 25
"""Positive texts of a head and language, from which on its own blend is fitted."""
FEWEST_TO_PLACE = 5
"""Positive texts, from which on they tell where a head's threshold may lie; else it is `UNPLACED`."""
UNPLACED = -2.5
LOWEST = -2.5
"""Below, neither model thinks a text harmful, whatever few templates say."""
PLAIN = 0.002
"""Share of customers' sentences and documents that may reach 0.5, per head."""
CONTRAST = {"injection": 0.01, "self_harm": 0.06, "sexual_minors": 0.06}
"""Share of the written harmless pairs that may: `CONTRAST_ELSE`, but less where a company's documents are at
stake, and more where a false alarm is answered with care."""
CONTRAST_ELSE = 0.03
WRITTEN = 3.0
"""Weight of a written text where a blend is fitted: the pairs are what n-grams alone get wrong."""
ENOUGH = 50
"""Harmless texts, from which on a share of them says something."""
CAUTION = 1.5
"""How far above the best F1 the limits may lift a threshold: what is kept aside is few templates."""
CUSTOMERS = ("banking77", "covid_faq", "hwu64", "dstc11", "xquad", "cped", "told", "bipia", "asked")
"""Sets of ordinary talk and documents."""
STRICTER = {("zh", "dangerous"): 2.5, ("en", "self_harm"): 0.35, ("en", "toxic"): 0.4}
"""Of a logit, by hand: 怎么在你们这里买东西 and other questions for the way look like such requests; the
end of a contract is none of a life; letters without sense are no swearing."""
PLAIN_TEXTS = ("customers", "chat", "agents", "things", "life")
"""Endings of the files of written texts that are ordinary talk too."""
PRIOR = Blend(0.8, 0.8, 0.0)

Floats = NDArray[np.float32]


def labels(examples: Sequence[Example]) -> dict[str, Floats]:
    """Head → float32[examples]: 1, 0, NaN where it is not known."""
    return {
        head: np.array([example.labels.get(head, np.nan) for example in examples], np.float32)
        for head in HEADS
    }


def main() -> None:
    """Read, fit, write, and print how well it went."""
    parser = options("moderation.train", __doc__)
    parser.add_argument("--asked", type=Path, nargs="*", default=[], help="files of questions (*.jsonl)")
    parser.add_argument("--encoder", type=Path, default=WEIGHTS, help=f"folder with {ENCODER} and {PIECES}")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--keep-linear", action="store_true", help="only fit anew how the two are added")
    given = parser.parse_args()

    every = list(examples(given))
    learned = [example for example in every if not kept_aside(example)]
    aside = [example for example in every if kept_aside(example)] + list(asked(given.asked))
    say(f"{len(learned)} texts to learn from, {len(aside)} kept aside")
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.keep_linear:
        fit(
            [example.text for example in learned],
            labels(learned),
            np.array([example.weight for example in learned], np.float32),
        ).save(given.out / LINEAR)
    model = LinearModel.load(given.out / LINEAR)
    for name in (ENCODER, PIECES):
        if given.encoder.resolve() != given.out.resolve():
            shutil.copy(given.encoder / name, given.out / name)
    encoder = Encoder(given.out / ENCODER, open_pieces(given.out / PIECES))
    blends = blended(model, encoder, aside)
    table = {
        language: {head: asdict(blend) for head, blend in heads.items()} for language, heads in blends.items()
    }
    (given.out / BLEND).write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def blended(linear: LinearModel, encoder: Encoder, aside: Sequence[Example]) -> dict[str, dict[str, Blend]]:
    """Language → head → how the two models are added."""
    texts = [example.text for example in aside]
    found = np.stack([linear.logits(texts), encoder.logits(texts)[:, : len(HEADS)]])
    languages = np.array([language_of(text) for text in texts])
    plain = np.array(
        [example.source in CUSTOMERS or example.source.endswith(PLAIN_TEXTS) for example in aside]
    )
    pairs = np.array([example.source.startswith("written:") for example in aside])
    known = labels(aside)
    out: dict[str, dict[str, Blend]] = {}
    for language in ("en", "zh"):
        out[language] = {}
        for column, head in enumerate(HEADS):
            use = (languages == language) & ~np.isnan(known[head])
            sources = np.where(plain[use], "plain", np.where(pairs[use], "contrast", "other"))
            limits = {"plain": PLAIN, "contrast": CONTRAST.get(head, CONTRAST_ELSE)}
            blend, line = _blend(found[:, use, column], known[head][use] > 0.5, sources, limits)
            stricter = STRICTER.get((language, head), 0.0)
            out[language][head] = replace(blend, bias=round(blend.bias - stricter, 4))
            say(f"{language} {head:14} {line}")
    return out


def _blend(
    logits: Floats, yes: NDArray[np.bool_], sources: NDArray[np.str_], limits: Mapping[str, float]
) -> tuple[Blend, str]:
    """Fit one blend; and say what it reaches on what it was fitted on.

    Half of the way the two models count alike: n-grams that public sets share flatter the linear one.

    Args:
        logits: float32[2, texts], of the linear model and the encoder.
        yes: bool[texts].
        sources: str[texts]: a key of `limits`, or "other".
        limits: share of harmless texts from there that may count.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score

    slopes = np.array([PRIOR.linear, PRIOR.encoder])
    if yes.sum() >= FEWEST:
        weights = np.where(sources == "contrast", WRITTEN, 1.0)
        fitted = LogisticRegression(C=1.0, class_weight="balanced").fit(logits.T, yes, weights)
        slopes = np.maximum(fitted.coef_[0], 0.05)
        slopes = (slopes + slopes.mean()) / 2
    total = slopes @ logits
    best = _best_f1(total, yes) if yes.sum() >= FEWEST_TO_PLACE else UNPLACED
    bounds = {source: _bound(total[(sources == source) & ~yes], share) for source, share in limits.items()}
    edge = max(best, min(bounds["contrast"], best + CAUTION), bounds["plain"], LOWEST)
    caught = float((total[yes] > edge).mean()) if yes.any() else float("nan")
    alarms = float((total[~yes] > edge).mean())
    parts = [float(average_precision_score(yes, each)) if yes.any() else 0.0 for each in (*logits, total)]
    line = (
        f"yes {int(yes.sum()):5}  AP linear {parts[0]:.3f} encoder {parts[1]:.3f} both {parts[2]:.3f}  "
        f"recall {caught:.3f} "
        f"false alarms {alarms:.4f}  slopes {slopes.round(2)} best {best:.2f} edge {edge:.2f}"
    )
    return Blend(*(round(float(each), 4) for each in (*slopes, -edge))), line


def _bound(harmless: Floats, share: float) -> float:
    """Where only this share of harmless texts lies above; far below everything where there are few."""
    if len(harmless) < ENOUGH:
        return -100.0
    place = min(len(harmless) - 1, int((1 - share) * len(harmless)))
    return float(np.sort(harmless)[place]) + 1e-3


def _best_f1(total: Floats, yes: NDArray[np.bool_]) -> float:
    """Where F1 is highest."""
    order = np.argsort(-total)
    hits = np.cumsum(yes[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + yes.sum())
    return float(total[order[int(np.argmax(f1))]]) - 1e-3


if __name__ == "__main__":
    main()
