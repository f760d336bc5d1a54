/** The way into a conversation: a place at the desk, or one in the queue. */

import { ask } from "./api.js";

/** How often the place in the queue is looked up; the server takes it away after 20 s. Milliseconds. */
const POLL = 2000;
/** A server that cannot be reached is tried again after so long, and once more after twice that, milliseconds. */
const AGAIN = 600;
/** Others behind the same address are about to come in: asked again after so long, at most so often. */
const UNJOINED = 1500;
const UNJOINED_TRIES = 8;

/**
 * Ask for a session, wait in the queue where there is one.
 *
 * @param {object} wishes  desk, language, record, client
 * @param {AbortSignal} signal  the visitor does not want to wait any longer
 * @param {(ahead: number) => void} onWaiting
 * @returns {Promise<object | null>} the session's document; null when the visitor gave up
 * @throws the server's error, or one with the code "unreachable"
 */
export async function admit(wishes, signal, onWaiting) {
  let ticket;
  let failures = 0;
  let held = 0;
  while (!signal.aborted) {
    try {
      return await ask("v1/sessions", { method: "POST", body: { ...wishes, ...(ticket ? { ticket } : {}) }, signal });
    } catch (error) {
      if (signal.aborted) break;
      if (error.code === "unreachable" && failures < 2) {
        failures += 1;
        await pause(AGAIN * failures, signal);
      } else if (error.code === "too_many_unjoined" && held < UNJOINED_TRIES) {
        held += 1;
        await pause(UNJOINED, signal);
      } else if (error.ticket) {
        ticket = error.ticket;
        onWaiting(error.ahead ?? 0);
        await queue(ticket, signal, onWaiting);
      } else throw error;
    }
  }
  return null;
}

/** Wait until the ticket lets in, or is worth nothing any more. */
async function queue(ticket, signal, onWaiting) {
  while (!signal.aborted) {
    await pause(POLL, signal);
    try {
      const place = await ask(`v1/queue/${encodeURIComponent(ticket)}`, { signal });
      if (place.ready) return;
      onWaiting(place.ahead);
    } catch (error) {
      if (error.status >= 400 && error.status < 500) return;
    }
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
