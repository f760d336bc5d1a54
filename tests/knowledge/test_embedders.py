"""Other embedders: a tiny ONNX model that is made here, and a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import KnowledgeBase
from knowledge.embedder import HashedEmbedder
from knowledge.embedders import EndpointEmbedder, load_embedder
from knowledge.errors import EmbedderError
from knowledge.rerank import CrossEncoder
from knowledge.table import default_embedder
from tests.loopback import QuietHandler, served

WORDS = ("refund", "money", "back", "parcel", "late", "lamp", "warranty", "years", "how", "is", "the")
VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3} | {
    word: number + 4
    for number, word in enumerate(
        ["refund", "money", "back", "parcel", "late", "lamp", "warranty", "years", "how", "long", "is", "the"]
    )
}


def tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    made.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"pad_token_id": 0}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64, "pad_token": "[PAD]"}))
    (folder / "special_tokens_map.json").write_text(json.dumps({"pad_token": "[PAD]", "unk_token": "[UNK]"}))


def save(nodes: list[Any], tables: dict[str, np.ndarray[Any, Any]], output: str, folder: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="makes the test's model")
    from onnx import TensorProto, helper, numpy_helper

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    given = [numpy_helper.from_array(table, name) for name, table in tables.items()]
    graph = helper.make_graph(
        nodes, "g", inputs, [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], given
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))


@pytest.fixture
def onnx_embedder(tmp_path: Path) -> Path:
    """A folder whose model gives each word its own direction."""
    pytest.importorskip("onnx", reason="makes the test's model")
    from onnx import helper

    folder = tmp_path / "tiny"
    folder.mkdir()
    tokenizer(folder)
    table = np.eye(len(VOCABULARY), dtype=np.float32)
    table[:4] = 0.0
    save([helper.make_node("Gather", ["table", "input_ids"], ["states"])], {"table": table}, "states", folder)
    return folder


def test_a_folder_with_an_onnx_model_embeds(onnx_embedder: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastembed", reason="the extra `embed`")
    embedder = load_embedder(f"fastembed:{onnx_embedder}", offline=True)
    assert embedder.dimension == len(VOCABULARY)
    one, two, three = embedder.embed(["parcel late", "late parcel", "lamp warranty"])
    assert one @ two == pytest.approx(1.0, abs=1e-3)
    assert one @ three == pytest.approx(0.0, abs=1e-3)
    assert embedder.name.startswith("fastembed:tiny-")
    base = KnowledgeBase.open(tmp_path / "index", embedder=embedder)
    base.add_texts([("a", "the parcel is late"), ("b", "lamp warranty years")])
    assert base.search("late parcel")[0].id == "a"
    assert base._load().vectors.shape[1] == len(VOCABULARY)


def test_unknown_embedders_are_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match='write "embedded"'):
        load_embedder("word2vec")
    with pytest.raises(EmbedderError, match="check the name"):
        load_embedder("fastembed:no/such-model", cache=tmp_path, offline=True)
    assert load_embedder("embedded") is default_embedder()


@contextmanager
def endpoint(status: int = 200, raw: str = "") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve embeddings that are hashed ones, answered in another order than asked."""
    asked: list[dict[str, Any]] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            vectors = HashedEmbedder().embed(asked[-1]["input"]) * 3.0
            rows = [
                {"object": "embedding", "index": n, "embedding": v.tolist()} for n, v in enumerate(vectors)
            ]
            answer = {
                "object": "list",
                "data": rows[::-1],
                "model": "m",
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
            body = (raw or json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Handler) as url:
        yield url, asked


def test_an_endpoint_embeds_in_the_order_that_was_asked(tmp_path: Path) -> None:
    with endpoint() as (url, asked):
        embedder = load_embedder("openai:tiny", base_url=url)
        found = embedder.embed(["late parcel", "", "lamp"])
        np.testing.assert_allclose(found, HashedEmbedder().embed(["late parcel", " ", "lamp"]), atol=1e-5)
        base = KnowledgeBase.open(tmp_path / "index", embedder=embedder)
        base.add_texts([("a", "the parcel is late"), ("b", "lamp warranty years")])
        assert base.search("late parcel")[0].id == "a"
        before = len(asked)
        base.search("late parcel")
        assert len(asked) == before, "a question that came before is not asked again"
        assert asked[0]["model"] == "tiny"


def test_an_endpoint_that_is_gone_leaves_the_search_by_words(tmp_path: Path) -> None:
    with endpoint() as (url, _):
        base = KnowledgeBase.open(tmp_path / "index", embedder=EndpointEmbedder("m", base_url=url))
        base.add_texts([("a", "the parcel is late"), ("b", "lamp warranty years")])
        base.close()
    assert base.search("late parcel")[0].id == "a"
    with pytest.raises(EmbedderError, match="check the address"):
        base.add_texts([("c", "a new text")])
    assert base.search("lamp")[0].id == "b"


def test_an_endpoint_that_did_not_answer_is_left_alone_for_a_while(tmp_path: Path) -> None:
    with endpoint() as (url, _):
        embedder = load_embedder("openai:tiny", base_url=url)
        base = KnowledgeBase.open(tmp_path / "index", embedder=embedder)
        base.add_texts([("a", "the parcel is late"), ("b", "lamp warranty years")])
    with endpoint(status=500) as (other, asked):
        broken = load_embedder("openai:tiny", base_url=other)
        broken.name = embedder.name
        base = KnowledgeBase.open(tmp_path / "index", embedder=broken)
        assert [base.search(text)[0].id for text in ("late parcel", "lamp", "warranty")] == ["a", "b", "b"]
    assert len(asked) == 1


def test_an_endpoint_that_answers_nonsense_is_named(tmp_path: Path) -> None:
    with (
        endpoint(raw='{"object": "list", "data": []}') as (url, _),
        pytest.raises(EmbedderError, match="openai:m"),
    ):
        EndpointEmbedder("m", base_url=url).embed(["a"])
    with endpoint(status=401) as (url, _), pytest.raises(EmbedderError, match="the key"):
        EndpointEmbedder("m", base_url=url).embed(["a"])


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Path:
    """A folder whose model counts how often "warranty" comes."""
    pytest.importorskip("onnx", reason="makes the test's model")
    from onnx import helper

    folder = tmp_path / "cross"
    folder.mkdir()
    tokenizer(folder)
    table = np.zeros((len(VOCABULARY), 1), dtype=np.float32)
    table[VOCABULARY["warranty"]] = 1.0
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axis"], ["logits"], keepdims=0),
    ]
    save(nodes, {"table": table, "axis": np.asarray([1], dtype=np.int64)}, "logits", folder)
    return folder


def test_a_second_model_puts_the_passages_in_its_order(cross_encoder: Path, tmp_path: Path) -> None:
    texts = [("a", "the lamp is late"), ("b", "the lamp has a warranty"), ("c", "warranty lamp warranty")]
    plain = KnowledgeBase.open(tmp_path / "index")
    plain.add_texts(texts)
    again = KnowledgeBase.open(tmp_path / "index", reranker=CrossEncoder(cross_encoder))
    assert plain.search("the lamp is late")[0].id == "a"
    found = again.search("the lamp is late")
    assert [passage.id for passage in found] == ["c", "b", "a"]
    assert [passage.score for passage in found] == sorted((p.score for p in found), reverse=True)


def test_a_folder_without_a_model_is_no_cross_encoder(tmp_path: Path) -> None:
    with pytest.raises(EmbedderError, match="visavis models"):
        CrossEncoder(tmp_path)
    tokenizer(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(EmbedderError, match="cannot be loaded"):
        CrossEncoder(tmp_path)
