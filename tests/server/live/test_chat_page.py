"""The page's conversation in writing, run by Node against a server that it makes up."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import server.live

PAGE = """
const calls = [];
let answer;
globalThis.fetch = (url, { method, headers, signal }) => {
  calls.push([method, headers.Authorization ?? ""]);
  if (method === "DELETE") return Promise.resolve(new Response(null, { status: 204 }));
  const document = { session: "c1", data: { path: "/v1/sessions/k/data", token: "t" }, sentences: [] };
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("given up")));
    answer = () => resolve(Response.json(document));
  });
};
const { Chat } = await import(process.argv[1]);
const told = [];
const chat = new Chat("front", (type) => told.push(type));
chat.type("Where is my order?", "en");
chat.close();
const erased = chat.erase();
setTimeout(() => answer(), 5);
await erased;
console.log(JSON.stringify({ calls, told }));
"""


def test_a_question_whose_answer_was_not_waited_for_is_erased_as_well() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node runs the page's script")
    file = Path(server.live.__file__).parent / "pages" / "chat.js"
    ran = subprocess.run(  # noqa: S603
        [node, "--no-warnings", "--input-type=module", "-e", PAGE, str(file)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    found = json.loads(ran.stdout)
    assert found["calls"] == [["POST", ""], ["DELETE", "Bearer t"]]
    assert found["told"] == ["heard", "state"]
