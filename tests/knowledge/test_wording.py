from __future__ import annotations

import numpy as np

from knowledge.index import K1, B, WordIndex
from knowledge.passage import Passage
from knowledge.ragged import find, joined, places_of, ragged, taken
from knowledge.ranking import BLOCK, _best
from knowledge.wording import Wording
from knowledge.words import tokens_of

TEXTS = [
    "where is my parcel",
    "track my parcel please",
    "my parcel is late",
    "pay by card",
    "card payment failed",
]
TOPICS = np.asarray([0, 0, 0, 1, 1], dtype=np.int32)


def test_words_that_were_asked_with_speak_for_their_topic_and_others_for_none() -> None:
    wording = Wording.fit(TEXTS, TOPICS, 2)
    assert int(wording.logits("the parcel has not come").argmax()) == 0
    assert int(wording.logits("is a card accepted").argmax()) == 1
    assert not wording.logits("xylophone quartz").any()
    assert wording.logits("where is my parcel")[0] > wording.logits("parcel")[0] > 0


def test_wording_of_nothing_says_nothing() -> None:
    wording = Wording.fit(["alpha", "beta"], np.asarray([0, 1], dtype=np.int32), 2)
    assert wording.logits("gamma").tolist() == [0.0, 0.0]


def test_ragged_rows_are_joined_and_taken() -> None:
    rows = joined(ragged([[1, 2], [], [3]]), ragged([[4, 5, 6]]))
    items, pointers = taken(rows, np.asarray([3, 0, 1]))
    assert items.tolist() == [4, 5, 6, 1, 2]
    assert pointers.tolist() == [0, 3, 5, 5]
    assert places_of(rows[1], np.asarray([2, 0])).tolist() == [2, 0, 1]
    known = np.asarray([7, 3, 9], dtype=np.uint64)
    assert find(known, np.asarray([9, 4, 7], dtype=np.uint64)).tolist() == [2, -1, 0]


def test_a_word_index_that_grew_is_one_that_was_made_anew() -> None:
    chance = np.random.default_rng(0)
    words = ["kettle", "lamps", "garden", "tent", "boots", "退货", "运费", "invoices", "shelf", "engine"]
    passages = [
        Passage(
            id=str(n),
            source=f"d{n // 3}",
            title=f"Number{n}: " + " ".join(chance.choice(words, 2)),
            text=" ".join(chance.choice(words, 9)),
        )
        for n in range(40)
    ]
    grown = WordIndex.build([*passages[25:], *passages[3:9]], WordIndex.build(passages[:30]))
    fresh = WordIndex.build([*passages[25:], *passages[3:9]])
    assert grown.vocabulary.keys() == fresh.vocabulary.keys()
    assert "number1" not in grown.vocabulary
    for word, number in grown.vocabulary.items():
        scores = fresh.scores([(fresh.vocabulary[word], 1.0)])
        np.testing.assert_allclose(grown.scores([(number, 1.0)]), scores, rtol=1e-5)

    def named(index: WordIndex, tokens: frozenset[int]) -> set[str]:
        return {word for word, number in index.vocabulary.items() if number in tokens}

    for at in range(grown.count):
        assert named(grown, grown.tokens(at)) == named(fresh, fresh.tokens(at))
        one, two = grown.units(at), fresh.units(at)
        assert [named(grown, tokens) for tokens, _ in one] == [named(fresh, tokens) for tokens, _ in two]
        np.testing.assert_allclose([weight for _, weight in one], [weight for _, weight in two], rtol=1e-5)


def test_word_scores_are_those_of_bm25s() -> None:
    import bm25s

    texts = ["red kettle boils kettle", "garden lamp", "lamp lamp boots shelf engine", "tent"]
    index = WordIndex.build([Passage(id=t, source=t, title="", text=t) for t in texts])
    retriever = bm25s.BM25(k1=K1, b=B, method="lucene")
    retriever.index([tokens_of(text) for text in texts], show_progress=False)
    for token in ("lamp", "kettl"):
        expected = retriever.get_scores([token])
        np.testing.assert_allclose(index.scores([(index.vocabulary[token], 1.0)]), expected, rtol=1e-4)


def test_the_best_of_many_scores_are_found_block_by_block() -> None:
    scores = np.random.default_rng(2).random(BLOCK * 40 + 7).astype(np.float32)
    scores[-1] = 2.0
    assert sorted(_best(scores, 12)) == sorted(np.argsort(scores)[-12:].tolist())
    assert _best(np.zeros(BLOCK * 40, dtype=np.float32), 12) == []
