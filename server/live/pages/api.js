/** The HTTP side of the server. */

/** The server's root: one folder above this file's. */
export const BASE = new URL("../", import.meta.url);

/** Ask the server; throws {code, message, remedy, status, …} of its error document. */
export async function ask(path, { method = "GET", body, token, keepalive = false, signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(new URL(path.replace(/^\//, ""), BASE), {
      method, headers, keepalive, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    throw Object.assign(new Error("unreachable", { cause }), { code: "unreachable", status: 0 });
  }
  const document_ = await response.json().catch(() => ({}));
  if (response.ok) return document_;
  const { code = "refused", message = "", remedy = "" } = document_.error ?? {};
  throw Object.assign(new Error(message || code), { code, remedy, status: response.status, ahead: document_.ahead, ticket: document_.ticket });
}

/** Return what desks there are, each as the server's document with its poster's address made whole. */
export async function desks() {
  const found = await ask("desks");
  return found.map((desk) => ({ ...desk, poster: desk.poster ? new URL(desk.poster.replace(/^\//, ""), BASE).href : null }));
}
