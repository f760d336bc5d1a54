/** The written conversation: what was heard, what was answered, and the passages that answers rest on. */

import { el, icon, languageOf, translate, webAddress } from "./dom.js";

/** Turns that stay on the page; older ones go, so that a page that runs all day stays small. */
const KEPT = 60;

/** A list of turns in an element with role="log", and the dialog that opens a source. */
export class Transcript {
  #turns = new Map();
  #pending = null;
  #dialog = null;

  /**
   * @param {HTMLElement} list  an <ol>
   * @param {() => ((key: string, more?: object) => string)} speaker  returns the page's present language
   * @param {(turn: number, value: number) => boolean} rate  tells what the visitor thinks of a reply
   */
  constructor(list, speaker, rate) {
    this.list = list;
    this.speaker = speaker;
    this.rate = rate;
    this.name = "";
  }

  clear() {
    this.list.replaceChildren();
    this.#turns.clear();
    this.#pending = null;
    this.closeSource();
  }

  /** Show a typed question at once; the server's word of it is bound to the same line. */
  typed(text) {
    this.#pending = this.#line("visitor", text);
  }

  heard({ turn, text, final }) {
    const found = this.#turn(turn);
    if (!found.visitor) found.visitor = this.#pending ?? this.#line("visitor", "", found.reply);
    this.#pending = null;
    write(found.visitor, text);
    found.visitor.classList.toggle("unsure", !final);
    if (final && !text.trim()) found.visitor.remove();
    this.#follow();
  }

  sentence({ turn, text, language, citations = [], by = "ai", name = "" }) {
    const found = this.#turn(turn);
    const who = by === "person" ? this.speaker()("person", { person: name }) : this.name;
    if (found.reply && found.who !== who) found.reply = null; // another one goes on
    found.who = who;
    if (this.#pending && !found.visitor) {
      found.visitor = this.#pending;
      this.#pending = null;
    }
    found.reply ??= this.#line("reply", "", null, who);
    const body = found.reply.querySelector(".words");
    const apart = body.childElementCount > 0 && language !== "zh" ? " " : "";
    body.append(apart, el("span", { lang: language, text }));
    found.said.push({ line: found.reply, text });
    for (const citation of citations) this.#cite(found, citation);
    this.#follow();
  }

  /** What is better read than heard: a link, a list, steps. */
  card({ turn, form, title, items = [], url = "" }) {
    const found = this.#turn(turn);
    found.reply ??= this.#line("reply", "");
    const address = webAddress(url);
    const head = address ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer", text: title || address }) : el("strong", { text: title });
    const list = items.length ? el(form === "steps" ? "ol" : "ul", {}, ...items.map((item) => el("li", { text: plain(item) }))) : "";
    found.reply.append(el("aside", { class: "shown", lang: languageOf(title) }, head, list));
    this.#follow();
  }

  /** A reply is over; of one that was interrupted only what was heard stays. */
  turnEnded({ turn, heard, interrupted }) {
    const found = this.#turns.get(turn);
    if (!found?.reply) return;
    if (found.visitor && heard) this.#askWhatTheyThink(turn, found.reply);
    if (!interrupted) return;
    const lines = [...new Set([...found.said.map(({ line }) => line), found.reply])];
    const parts = heardBy(found.said, heard);
    if (!found.said.length) parts.set(found.reply, heard);
    const last = lines.findLast((line) => parts.get(line));
    for (const line of lines) {
      const text = parts.get(line);
      if (!text) line.remove();
      if (!text || line !== last) continue;
      const body = line.querySelector(".words");
      body.replaceChildren(el("span", { lang: languageOf(text), text: `${text} …` }), " ", el("small", { string: "interrupted" }));
      translate(body, this.speaker());
    }
    found.reply = last ?? null;
    found.said = [];
  }

  /** Two buttons below a reply; pressing one again takes it back. */
  #askWhatTheyThink(turn, reply) {
    if (reply.querySelector(".rate")) return;
    const buttons = [["good", 1], ["bad", -1]].map(([name, value]) => {
      const button = el("button", { type: "button", label: `rate-${name}`, "aria-pressed": "false", on: { click: () => {
        const pressed = button.getAttribute("aria-pressed") === "false";
        if (!this.rate(turn, pressed ? value : 0)) return;
        for (const one of buttons) one.setAttribute("aria-pressed", String(one === button && pressed));
      } } }, icon(name));
      return button;
    });
    reply.append(el("div", { class: "rate" }, ...buttons));
    translate(reply, this.speaker());
    this.#follow();
  }

  #turn(number) {
    let found = this.#turns.get(number);
    if (!found) {
      found = { visitor: null, reply: null, sources: new Map(), said: [] };
      this.#turns.set(number, found);
    }
    return found;
  }

  #line(who, text, before = null, name = this.name) {
    const line = el("li", { class: `line ${who}` },
      el("span", { class: "who", ...(who === "visitor" ? { string: "you" } : { text: name }) }),
      el("div", { class: "words" }));
    if (text) write(line, text);
    translate(line, this.speaker());
    if (before) before.before(line);
    else this.list.append(line);
    while (this.list.childElementCount > KEPT) this.list.firstElementChild.remove();
    if (this.#turns.size > KEPT) this.#turns.delete(this.#turns.keys().next().value);
    this.#follow();
    return line;
  }

  #cite(found, citation) {
    const key = `${citation.source} ${citation.title} ${citation.text}`;
    if (found.sources.has(key)) return;
    const t = this.speaker();
    let shelf = found.reply.querySelector(".sources");
    if (!shelf) {
      shelf = el("ul", { class: "sources", label: "sources" });
      found.reply.append(shelf);
    }
    const place = citation.page ? ` · ${t("page", { page: citation.page })}` : "";
    const title = `${citation.title || citation.source}${place}`;
    const card = el("button", { type: "button", class: "card", "aria-label": t("openSource", { title }), on: { click: () => this.openSource(citation) } },
      icon("source"), el("span", { class: "card-title", text: title, lang: languageOf(title) }),
      el("span", { class: "card-text", text: plain(citation.text).slice(0, 120), lang: languageOf(citation.text) }));
    shelf.append(el("li", {}, card));
    translate(found.reply, t);
    found.sources.set(key, card);
  }

  /** Open the passage that an answer rests on. */
  openSource({ title, source, text, url = "", page = null, section = "" }) {
    this.closeSource();
    const t = this.speaker();
    const address = webAddress(url) ?? webAddress(source);
    const place = [address ? "" : source, page ? t("page", { page }) : "", section].filter(Boolean).join(" · ");
    const dialog = el("dialog", { class: "source", "aria-labelledby": "source-title" },
      el("header", {},
        el("h2", { id: "source-title", text: title || source, lang: languageOf(title) }),
        el("button", { type: "button", class: "round", label: "close", on: { click: () => dialog.close() } }, icon("end"))),
      el("div", { class: "passage", tabindex: "0", text: plain(text), lang: languageOf(text) }),
      el("footer", {},
        address ? el("a", { href: address, target: "_blank", rel: "noopener noreferrer", string: "sourceLink" }) : "",
        el("span", { class: "path", text: address && place ? ` ${place}` : place })));
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    translate(dialog, t);
    (this.list.closest(".talkview") ?? document.body).append(dialog);
    this.#dialog = dialog;
    dialog.showModal();
  }

  closeSource() {
    if (this.#dialog?.open) this.#dialog.close();
    this.#dialog = null;
  }

  #follow() {
    const box = this.list.parentElement;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 240) box.scrollTop = box.scrollHeight;
  }
}

/** What was heard of each line of a reply, where `heard` is what was heard of all its sentences together. */
function heardBy(said, heard) {
  const parts = new Map();
  said.forEach(({ line, text }, number) => {
    const whole = number < said.length - 1 && heard.startsWith(text);
    const part = whole ? text : heard;
    const before = parts.get(line) ?? "";
    const apart = before && part && languageOf(part) !== "zh" ? " " : "";
    parts.set(line, before + apart + part);
    heard = whole ? heard.slice(text.length).trimStart() : "";
  });
  return parts;
}

function write(line, text) {
  const body = line.querySelector(".words");
  body.textContent = text;
  body.lang = languageOf(text);
}

/** Passages are Markdown: leave out its marks, keep its lines. */
function plain(text) {
  return text
    .replace(/^#{1,6}\s+/gm, "")
    .replace(/\*\*(.+?)\*\*/g, "$1")
    .replace(/\[([^\]]+)\]\([^)]*\)/g, "$1")
    .replace(/^\s*[-*]\s+/gm, "• ")
    .trim();
}
