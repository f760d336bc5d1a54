"""Knowledge: documents in, passages out, and how likely they answer a question."""

from knowledge.base import KnowledgeBase
from knowledge.embedder import Embedder, HashedEmbedder
from knowledge.embedders import load_embedder
from knowledge.errors import DocumentError, EmbedderError, KnowledgeError, StoreError
from knowledge.learning import Skipped
from knowledge.passage import Passage
from knowledge.table import TableEmbedder
from knowledge.writer import LearnReport

__all__ = [
    "DocumentError",
    "Embedder",
    "EmbedderError",
    "HashedEmbedder",
    "KnowledgeBase",
    "KnowledgeError",
    "LearnReport",
    "Passage",
    "Skipped",
    "StoreError",
    "TableEmbedder",
    "load_embedder",
]
