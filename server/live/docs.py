"""The interface's description as a page of its own: no script, nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import Any

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a2230; background: #fff }
h2 { border-top: 1px solid #d5dbe3; padding-top: 1rem; font-size: 1.1rem }
code, pre { font: 14px/1.45 ui-monospace, monospace; background: #f2f4f7; border-radius: 4px }
code { padding: .1em .3em } pre { padding: .8rem; overflow-x: auto }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem .3rem 0;
  vertical-align: top; border-bottom: 1px solid #e6eaef }
.verb { text-transform: uppercase; font-weight: 700; color: #0b5cad }
@media (prefers-color-scheme: dark) { body { color: #e5eaf1; background: #12161c }
  code, pre { background: #1e252e } h2, th, td { border-color: #303945 } .verb { color: #7bb8ff } }
"""


def docs_page(openapi: dict[str, Any], messages: dict[str, dict[str, Any]]) -> str:
    """Write the page.

    Args:
        openapi: of the HTTP interface.
        messages: name → JSON schema of each message that a WebSocket client may send.
    """
    info = openapi["info"]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(info['title'])}: interface</title>"
        "<link rel=stylesheet href=/docs.css></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info.get('description', ''))} As data: <a href=/openapi.json>openapi.json</a>.</p>",
    ]
    for path, operations in openapi["paths"].items():
        for verb, operation in operations.items():
            parts += _operation(path, verb, operation, openapi)
    parts.append("<h2>What a client sends over the WebSocket</h2>")
    for name, schema in messages.items():
        parts.append(f"<h3><code>{escape(name)}</code></h3><p>{escape(schema.get('description', ''))}</p>")
        parts.append(_fields(schema, schema.get("$defs", {})))
    parts.append("</body></html>")
    return "\n".join(parts)


def _operation(path: str, verb: str, operation: dict[str, Any], openapi: dict[str, Any]) -> list[str]:
    schemas = openapi.get("components", {}).get("schemas", {})
    parts = [
        f"<h2><span class=verb>{escape(verb)}</span> <code>{escape(path)}</code></h2>",
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>",
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body:
        parts += ["<p>Takes</p>", _fields(_resolved(body, schemas), schemas)]
    for status, answer in operation.get("responses", {}).items():
        content = ", ".join(answer.get("content", {})) or "nothing"
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        parts.append(f"<p>Answers <strong>{escape(status)}</strong> ({escape(content)})</p>")
        if schema and str(status).startswith("2"):
            parts.append(_fields(_resolved(schema, schemas), schemas))
    return parts


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = []
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        note = field.get("description", "")
        needed = "" if name in required else " (optional)"
        kind = escape(_kind(field, schemas))
        rows.append(
            f"<tr><td><code>{escape(name)}</code>{needed}</td><td><code>{kind}</code></td>"
            f"<td>{escape(note)}</td></tr>"
        )
    return f"<table><tbody>{''.join(rows)}</tbody></table>" if rows else ""


def _kind(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " | ".join(_kind(one, schemas) for one in field["anyOf"])
    if "const" in field:
        return json.dumps(field["const"])
    if "enum" in field:
        return " | ".join(json.dumps(one) for one in field["enum"])
    if field.get("type") == "array":
        return f"[{_kind(field.get('items', {}), schemas)}]"
    return str(field.get("type", "any"))


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    found: dict[str, Any] = schemas.get(name, schema)
    return found
