/** Conversation in writing over plain HTTP, where not even a WebSocket passes. */

import { ask } from "./api.js";

/** Puts questions to `POST /v1/chat` and tells the answers as the events of a live conversation. */
export class Chat {
  #session = null;
  #kept = []; // how to get at what is kept: of each conversation that the server made of this one
  #awaited = new Set(); // answers; none is given up, for only it says how to get at what is kept of its question
  #turn = 0;
  #closed = false;

  /**
   * @param {string} desk
   * @param {(type: string, message: object) => void} tell
   */
  constructor(desk, tell) {
    this.desk = desk;
    this.tell = tell;
  }

  /** Ask; the answer comes as events. */
  async type(text, language) {
    this.#turn += 1;
    const turn = this.#turn;
    this.tell("heard", { turn, text, final: true });
    this.tell("state", { state: "thinking" });
    const body = { text, desk: this.desk, language, ...(this.#session ? { session: this.#session } : {}) };
    const coming = ask("v1/chat", { method: "POST", body });
    this.#awaited.add(coming);
    try {
      const answer = await coming;
      this.#session = answer.session;
      if (answer.data) this.#kept.push(answer.data);
      if (this.#closed) return;
      for (const sentence of answer.sentences) this.tell("sentence", { turn, ...sentence });
      this.tell("turn", { turn, outcome: answer.outcome, heard: answer.reply, interrupted: false });
    } catch (error) {
      if (!this.#closed) this.tell("error", { code: error.code, message: error.status ? error.message : "", remedy: error.remedy ?? "" });
    } finally {
      this.#awaited.delete(coming);
    }
    if (!this.#closed) this.tell("state", { state: "listening" });
  }

  /** Delete all that is kept of what was written, also of questions whose answers are still to come. */
  async erase() {
    await Promise.allSettled(this.#awaited);
    return Promise.all(this.#kept.map(({ path, token }) => ask(path, { method: "DELETE", token })));
  }

  /** Tell nothing more. */
  close() {
    this.#closed = true;
  }
}
