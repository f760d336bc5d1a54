/**
 * Keeps a page that nobody tends alive: follows the server's health, and reloads a page that is stuck.
 * A page whose script hangs for good cannot help itself; the browser's own watchdog or the system's has to.
 */

import { BASE } from "./api.js";

/** Milliseconds. */
const POLL_AWAY = 2000;
const ANSWER_WITHIN = 4000;
const CONNECTING = 40_000;
const THINKING = 60_000;
const MUTE_SPEAKING = 30_000; // speaking, but nothing is heard
const STILL = 10_000; // a face that stands
const ASLEEP = 20_000; // this page's own clock stood
const OLD = 6 * 3_600_000; // a browser's page grows with the hours
/** Failed health checks before the kiosk says that it is away. */
const PATIENCE = 2;
/** So many uncaught errors within a minute mean that the page is broken. */
const ERRORS = 3;
/** Reloads allowed within five minutes: one that helps nothing must not become a storm. */
const RELOADS = 5;

/** Looks after a ConversationView. */
export class Watchdog {
  #failures = 0;
  #uptime = 0;
  #outdated = false;
  #errors = [];
  #sinceMs = performance.now();
  #state = "";
  #bornMs = performance.now();
  #tickMs = performance.now();

  /**
   * @param {import("./view.js").ConversationView} view
   * @param {{away: () => void, back: () => void, free: () => boolean}} told  the server is gone; is there again;
   *   whether the page may be reloaded now
   * @param {number} poll  milliseconds between two questions to the server
   */
  constructor(view, told, poll) {
    this.view = view;
    this.told = told;
    this.poll = poll;
  }

  start() {
    for (const type of ["error", "unhandledrejection"]) addEventListener(type, () => this.#failed());
    setInterval(() => this.#look(), 1000);
    this.#poll();
  }

  async #poll() {
    let wait = this.poll;
    try {
      const response = await fetch(new URL("healthz", BASE), { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN) });
      const health = await response.json();
      if (!response.ok || health.status !== "ok") throw new Error(`the server is ${health.status}`);
      this.#failures = 0;
      if (health.uptime_s < this.#uptime) this.#outdated = true; // a new server may bring new pages
      this.#uptime = health.uptime_s;
      if (this.#outdated && this.told.free()) this.reload("the server is a new one");
      else this.told.back();
    } catch {
      this.#failures += 1;
      wait = Math.min(wait, POLL_AWAY);
      const talking = ["live", "reconnecting", "connecting"].includes(this.view.session?.phase); // it has means of its own
      if (this.#failures >= PATIENCE && !talking) this.told.away();
    }
    setTimeout(() => this.#poll(), wait);
  }

  #look() {
    const nowMs = performance.now();
    const slept = nowMs - this.#tickMs > ASLEEP;
    this.#tickMs = nowMs;
    const { session } = this.view;
    const state = session ? `${session.phase}/${session.state}` : "none";
    if (state !== this.#state) {
      this.#state = state;
      this.#sinceMs = nowMs;
    }
    const forMs = nowMs - this.#sinceMs;
    const talking = session && !["ended", "failed"].includes(session.phase);
    if (!talking) {
      if (slept || nowMs - this.#bornMs > OLD) this.reload("the page is old");
      return;
    }
    const { phase, measures, transport } = session;
    const listens = session.room.context.state === "running"; // without sound in the page nothing can be said of it
    const hushed = nowMs - Math.max(measures.remoteSoundedAt, this.#sinceMs);
    if (phase === "connecting" && forMs > CONNECTING) this.reload("connecting never ends");
    else if (phase === "live" && session.state === "thinking" && forMs > THINKING) this.reload("thinking never ends");
    else if (phase === "live" && session.state === "speaking" && listens && hushed > MUTE_SPEAKING) this.reload("speaking without sound");
    else if (phase === "live" && transport === "webrtc" && measures.stillMs() > STILL) this.reload("the picture stands");
  }

  #failed() {
    const nowMs = performance.now();
    this.#errors = [...this.#errors.filter((at) => nowMs - at < 60_000), nowMs];
    if (this.#errors.length >= ERRORS) this.reload("errors");
  }

  /** Start the page afresh, unless that was done too often lately. */
  reload(why) {
    const key = "visavis.reloads";
    let recent = [];
    try {
      recent = JSON.parse(sessionStorage.getItem(key) ?? "[]").filter((at) => Date.now() - at < 300_000);
      if (recent.length >= RELOADS) return;
      sessionStorage.setItem(key, JSON.stringify([...recent, Date.now()]));
    } catch {
      return; // without a memory of reloads there could be no end of them
    }
    console.warn(`visavis: reloading, ${why}`);
    this.view.session?.end("server");
    location.reload();
  }
}
