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
    words, pieces = _words(read), _pieces(read)
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
        features.add(f"w!{token}" if read.denied[place] else f"w{token}")
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


def _pieces(read: Said) -> set[str]:
    features = set[str]()
    run, first = "", 0
    for place, token in enumerate((*read.tokens, " ")):
        if _CHINESE.match(token):
            first = first if run else place
            run += token
            continue
        for length in (2, 3, 4):
            for begin in range(len(run) - length + 1):
                denied = all(read.denied[first + begin : first + begin + length])
                features.add(f"c{'!' if denied else ''}{run[begin : begin + length]}")
        run = ""
        if len(token) > 2 and token[0].isalpha():
            padded, mark = f"<{token}>", "!" if read.denied[place] else ""
            for length in (3, 4, 5):
                for begin in range(len(padded) - length + 1):
                    features.add(f"c{mark}{padded[begin : begin + length]}")
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
