"""The small transformer as torch trains it, and how it becomes ONNX; nothing here runs in the product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.nn import functional

from moderation.classifier import ENCODER
from moderation.corpus import HEADS
from moderation.encoder import LONGEST
from moderation.feelings import FEELINGS

WIDTH, ATTENTION_HEADS, INNER = 384, 12, 1536
"""Of the teacher."""
RANK = 128
"""Numbers a word piece: a third of the teacher's, which the first matrix widens again."""
LAYERS = (0, 1)
"""Of the teacher's six."""
DROPPED, DROPPED_LAST = 0.1, 0.2
"""Share of numbers that one lesson does without, in the layers and before the heads."""


class Layer(nn.Module):  # type: ignore[misc]
    """One layer of BERT."""

    NAMES = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "out": "attention.output.dense",
        "after": "attention.output.LayerNorm",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
        "last": "output.LayerNorm",
    }

    def __init__(self, weights: dict[str, Tensor], number: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.after, self.last = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)
        self.drop = nn.Dropout(DROPPED)
        for own, theirs in self.NAMES.items():
            for kind in ("weight", "bias"):
                getattr(getattr(self, own), kind).data = weights[
                    f"encoder.layer.{number}.{theirs}.{kind}"
                ].float()

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x float[texts, length, WIDTH]; mask: 0 where something is, very negative elsewhere."""

        def heads(each: Tensor) -> Tensor:
            return each.unflatten(2, (ATTENTION_HEADS, -1)).transpose(1, 2)

        query, key, value = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        looked = torch.softmax(
            query @ key.transpose(2, 3) / math.sqrt(WIDTH // ATTENTION_HEADS) + mask, dim=-1
        )
        x = self.after(x + self.drop(self.out((looked @ value).transpose(1, 2).flatten(2))))
        return self.last(x + self.drop(self.narrow(functional.gelu(self.widen(x)))))


class Net(nn.Module):  # type: ignore[misc]
    """Word pieces → what every head says."""

    def __init__(self, weights: dict[str, Tensor], kept: Sequence[int], added: int, heads: int) -> None:
        super().__init__()
        table = weights["embeddings.word_embeddings.weight"][list(kept)].float()
        left, strength, right = torch.linalg.svd(table, full_matrices=False)
        root = strength[:RANK].sqrt()
        squeezed = left[:, :RANK] * root
        new = torch.randn(added, RANK) * squeezed.std(0) + squeezed.mean(0)
        self.pieces = nn.Embedding(len(kept) + added, RANK)
        self.pieces.weight.data = torch.cat([squeezed, new])
        self.unsqueeze = nn.Linear(RANK, WIDTH, bias=False)
        self.unsqueeze.weight.data = (root[:, None] * right[:RANK]).T.contiguous()
        self.places = nn.Parameter(
            weights["embeddings.position_embeddings.weight"][:LONGEST].float()
            + weights["embeddings.token_type_embeddings.weight"][0].float()
        )
        self.first = nn.LayerNorm(WIDTH, 1e-12)
        self.first.weight.data = weights["embeddings.LayerNorm.weight"].float()
        self.first.bias.data = weights["embeddings.LayerNorm.bias"].float()
        self.layers = nn.ModuleList(Layer(weights, number) for number in LAYERS)
        self.drop = nn.Dropout(DROPPED_LAST)
        self.heads = nn.Linear(2 * WIDTH, heads)
        self.heads.weight.data *= 0.1

    def forward(self, pieces: Tensor) -> Tensor:
        """pieces int64[texts, length] → float[texts, heads]."""
        there = (pieces != 0).float()
        x = self.first(self.unsqueeze(self.pieces(pieces)) + self.places[: pieces.shape[1]])
        for layer in self.layers:
            x = layer(x, (1.0 - there)[:, None, None, :] * -1e4)
        there = there[:, :, None]
        mean = (x * there).sum(1) / there.sum(1)
        top = (x - (1.0 - there) * 1e4).amax(1)
        found: Tensor = self.heads(self.drop(torch.cat([mean, top], 1)))
        return found


def export(net: Net, out: Path) -> None:
    """Write the net as ONNX with whole-number weights."""
    net.eval()
    plain = out / "encoder.plain.onnx"
    torch.onnx.export(
        net,
        (torch.ones(2, 9, dtype=torch.int64),),
        str(plain),
        input_names=["pieces"],
        output_names=["logits"],
        dynamic_axes={"pieces": {0: "texts", 1: "length"}, "logits": {0: "texts"}},
        opset_version=17,
        dynamo=False,
    )
    quantize_dynamic(
        plain,
        out / ENCODER,
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
    model = onnx.load(out / ENCODER)
    onnx.helper.set_model_props(model, {"heads": ",".join((*HEADS, *FEELINGS))})
    onnx.save(model, out / ENCODER)
    plain.unlink()
