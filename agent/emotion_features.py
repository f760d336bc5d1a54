"""What the classifier of feelings looks at: hashed words, pieces of words, and cues of the lexicon."""

from __future__ import annotations

import re
from zlib import crc32

from agent.emotion_words import Said

BUCKETS = 1 << 18
"""Features share so many weights."""
SHORT = 4
"""Words: up to here the whole text is a feature."""

_WORD = re.compile(r"[a-z\u3400-\u9fff]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def features_of(read: Said) -> dict[int, float]:
    """Return bucket → value of what is in a text."""
    words, pieces = _words(read), _pieces(read.tokens)
    values: dict[int, float] = {}
    for group, weight in ((words, 1.0), (pieces, 0.7)):
        share = weight / max(len(group), 1) ** 0.5
        for feature in group:
            bucket = crc32(feature.encode()) % BUCKETS
            values[bucket] = values.get(bucket, 0.0) + share
    for feature in _cues(read):
        bucket = crc32(feature.encode()) % BUCKETS
        values[bucket] = values.get(bucket, 0.0) + CUE_SHARE
    return values


CUE_SHARE = 0.35
"""Value of a cue beside hashed words, whose values' squares add up to 1."""


def _words(read: Said) -> set[str]:
    tokens = read.tokens
    features = set[str]()
    for place, token in enumerate(tokens):
        mark = "!" if read.denied[place] else ""
        features.add(f"w{mark}{token}")
        if mark:
            features.add(f"w{token}")
    for length in (2, 3):
        for begin in range(len(tokens) - length + 1):
            features.add(f"w{' '.join(tokens[begin : begin + length])}")
    worded = [token for token in tokens if _WORD.match(token)]
    if worded:
        features.add(f"b{' '.join(worded[:2])}")
        features.add(f"e{tokens[-1]}")
    if len(worded) <= SHORT:
        features.add(f"a{' '.join(tokens)}")
    return features


def _pieces(tokens: tuple[str, ...]) -> set[str]:
    features = set[str]()
    run = ""
    for token in (*tokens, " "):
        if _CHINESE.match(token):
            run += token
            continue
        if len(run) > 1:
            features.update(f"c{run[i : i + n]}" for n in (2, 3, 4) for i in range(len(run) - n + 1))
        run = ""
        if len(token) > 2 and token[0].isalpha():
            padded = f"<{token}>"
            features.update(f"c{padded[i : i + n]}" for n in (3, 4, 5) for i in range(len(padded) - n + 1))
    return features


def _cues(read: Said) -> set[str]:
    tokens = read.tokens
    language = "z" if read.chinese else "e"
    features = set[str]()
    names: dict[str, int] = {}
    for cue in read.cues:
        name = f"!{cue.name}" if cue.denied else cue.name
        names[name] = names.get(name, 0) + 1
        if cue.intensified:
            features.add(f"q+{name}")
        if cue.softened:
            features.add(f"q-{name}")
    for name, count in names.items():
        features |= {f"q{name}", f"q{language}{name}"}
        if count > 1:
            features.add(f"q2{name}")
    ordered = sorted(names)
    features.update(f"q{one}&{other}" for i, one in enumerate(ordered) for other in ordered[i + 1 :])
    if not names:
        features.add(f"q{language}none")
    if read.loud:
        features.add("qloud")
    if read.stretched:
        features.add("qstretched")
    marks = "".join(token for token in tokens if token[0] in "!?")
    if "!" in marks:
        features.add("q!" if marks.count("!") == 1 else "q!!")
    if "?" in marks:
        features.add("q?" if "!" not in marks else "q?!")
    if any(token[0] in ".…" and len(token) > 1 or token == "…" for token in tokens):
        features.add("q...")
    length = sum(1 for token in tokens if _WORD.match(token))
    features.add(f"n{language}{min(length, 16) if length < 6 else min(length // 4 * 4, 24)}")
    return features
