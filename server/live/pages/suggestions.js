/** Questions that may be asked next, as buttons below what was said. */

import { el, languageOf, translate } from "./dom.js";

/** Where the visitor's wish to see none is kept, in this browser alone. */
const KEPT = "visavis.suggestions";
const HEADINGS = { next: "suggestNext", topics: "suggestTopics", choice: "suggestChoice" };

/** A group of buttons that goes before the field for typing. */
export class Suggestions {
  #turn = 0; // of the latest question
  #live = false;

  /**
   * @param {HTMLElement} before  the group is put before it
   * @param {() => ((key: string, more?: object) => string)} speaker  returns the page's present language
   * @param {{pick: (turn: number, number: number, text: string, byKey: boolean) => void, want: (on: boolean) => void}} acts
   */
  constructor(before, speaker, acts) {
    this.speaker = speaker;
    this.acts = acts;
    this.on = kept() !== "off";
    this.title = el("p", { class: "suggest-title", id: "suggest-title", "aria-live": "polite" });
    this.list = el("ul", {});
    this.switch = el("button", { type: "button", class: "suggest-switch", on: { click: () => this.want(!this.on) } });
    this.root = el("section", { class: "suggest", role: "group", "aria-labelledby": "suggest-title", hidden: true },
      el("div", { class: "suggest-head" }, this.title, this.switch), this.list);
    before.before(this.root);
    this.#draw();
  }

  /** A conversation has begun or is over. */
  begin(live) {
    this.#live = live;
    this.#turn = 0;
    this.clear();
  }

  /** Show what was suggested after a turn, unless the visitor has asked on. */
  show({ turn, heading, questions }) {
    if (!this.on || turn < this.#turn) return;
    this.#turn = turn;
    const log = this.root.previousElementSibling;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 240;
    this.title.dataset.string = HEADINGS[heading] ?? HEADINGS.next;
    this.list.replaceChildren(...questions.map((text, number) => el("li", {},
      el("button", { type: "button", class: "suggestion", text, lang: languageOf(text), on: { click: (event) => this.#pick(turn, number, text, event.detail === 0) } }))));
    this.#draw();
    if (atEnd) log.scrollTop = log.scrollHeight; // the buttons take room from the answer
  }

  /** The visitor has asked something: what was suggested before is past. */
  asked(turn) {
    if (turn <= this.#turn && this.list.childElementCount) return;
    this.#turn = Math.max(turn, this.#turn);
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    delete this.title.dataset.string;
    this.#draw();
  }

  /** Suggest, or do not; the browser remembers. */
  want(on) {
    this.on = on;
    try {
      if (on) localStorage.removeItem(KEPT);
      else localStorage.setItem(KEPT, "off");
    } catch {
      // a browser that stores nothing forgets the wish with the page
    }
    this.clear();
    this.acts.want(on);
  }

  #pick(turn, number, text, byKey) {
    this.#turn = turn + 1;
    this.clear();
    this.acts.pick(turn, number, text, byKey);
  }

  #draw() {
    const full = this.list.childElementCount > 0;
    this.switch.dataset.string = this.on ? "suggestOff" : "suggestOn";
    this.root.hidden = !this.#live || (this.on && !full);
    this.title.hidden = this.list.hidden = !full;
    if (!full) this.title.textContent = "";
    translate(this.root, this.speaker());
  }
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
