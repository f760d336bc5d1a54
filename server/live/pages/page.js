/** The visitor's page, alone or inside the widget (`?embed=1`). */

import { el, icon, paint, translate } from "./dom.js";
import { desks } from "./api.js";
import { nearestLanguage } from "./strings.js";
import { ConversationView, keepingOf } from "./view.js";

/** Where a reloaded page finds the conversation it was in; the server keeps one for a minute. */
const SAVED = "visavis.session";
const SAVED_MS = 13_000; // the server keeps the place of a page that was left for 15 s

const params = new URLSearchParams(location.search);
const embedded = params.has("embed");
const host = embedded && window.parent !== window ? params.get("origin") : null;

const view = new ConversationView(document.getElementById("app"), {
  language: nearestLanguage(params.get("language"), ...navigator.languages),
});
const { view: frame } = view;
document.body.classList.toggle("embed", embedded);
paint(document.documentElement, params.get("colour") ?? params.get("color"));

/** Tell the page around the widget; only the origin that it named, and never what the visitor said. */
function tellHost(type, detail = {}) {
  if (host) window.parent.postMessage({ visavis: type, ...detail }, host);
}

// -- the welcome --------------------------------------------------------------------------------

const consent = el("input", { type: "checkbox", id: "consent" });
const hello = el("h2", {});
const intro = el("p", { class: "intro" });
const start = el("button", { type: "submit", class: "primary" }, icon("mic"), el("span", { string: "startTalking" }));
const typing = el("button", { type: "button", class: "secondary", on: { click: () => begin({ speak: false }) } },
  icon("keyboard"), el("span", { string: "startTyping" }));
const goOn = el("button", { type: "button", class: "primary", hidden: true, on: { click: () => begin({ session: saved()?.session }) } },
  el("span", { string: "goOn" }));
const asks = el("label", { class: "consent", for: "consent", hidden: true }, consent,
  el("span", {}, el("strong", { string: "consent" }), el("small", { string: "consentWhy" })));
const unasked = el("p", { class: "privacy", string: "consentUnasked" });
const welcome = el("form", { class: "welcome", on: { submit: (event) => {
  event.preventDefault();
  begin({});
} } }, hello, intro, el("div", { class: "starts" }, goOn, start, typing), asks, unasked);
const keeping = el("p", { class: "privacy" });
welcome.append(keeping);
view.log.parentElement.before(welcome);

function greet() {
  const { desk, t } = view;
  if (!desk) return;
  hello.textContent = t("hello");
  intro.textContent = t(desk.company ? "intro" : "introPlain");
  asks.hidden = !desk.record;
  unasked.hidden = Boolean(desk.record);
  keeping.textContent = keepingOf(desk, t);
  keeping.hidden = !keeping.textContent;
  goOn.hidden = !saved();
  translate(document.body, t);
}

function welcomeAgain() {
  welcome.hidden = false;
  frame.classList.add("welcoming");
  greet();
}

async function begin({ speak = true, session = null }) {
  welcome.hidden = true;
  frame.classList.remove("welcoming");
  const options = {
    desk: view.desk?.id ?? "", record: Boolean(view.desk?.record) && consent.checked, client: embedded ? "widget" : "page", speak, session,
  };
  (speak ? view.stage : view.input).focus(); // the buttons that were pressed are gone
  await view.start(options);
  if (!speak) view.input.focus();
}

/** The window was closed: the next opening begins with the welcome again. */
async function endQuietly() {
  await view.end();
  view.problem(null);
  if (welcome.hidden) welcomeAgain();
}

// -- coming back after a reload -------------------------------------------------------------------

function saved() {
  try {
    const found = JSON.parse(sessionStorage.getItem(SAVED));
    return found && Date.now() - found.at < SAVED_MS && found.session.desk.id === view.desk?.id ? found : null;
  } catch {
    return null;
  }
}

function keep(value) {
  try {
    if (value) sessionStorage.setItem(SAVED, JSON.stringify(value));
    else sessionStorage.removeItem(SAVED);
  } catch {
    // a browser that stores nothing only loses the way back after a reload
  }
}

window.addEventListener("pagehide", () => {
  if (view.session?.phase === "live" || view.session?.phase === "reconnecting") keep(view.session.saved);
});

// -- what happens ---------------------------------------------------------------------------------

view.addEventListener("phase", ({ detail }) => {
  if (["ended", "failed"].includes(detail.phase)) keep(null);
  tellHost("phase", { phase: detail.phase, code: detail.code ?? null });
});
view.addEventListener("again", () => {
  view.problem(null);
  welcomeAgain();
});
view.addEventListener("language", greet);
view.addEventListener("state", ({ detail }) => tellHost("state", { state: detail.state }));
view.addEventListener("sentence", ({ detail }) => tellHost("sentence", { turn: detail.turn, text: detail.text, language: detail.language }));
view.addEventListener("turn", ({ detail }) => tellHost("turn", { turn: detail.turn, outcome: detail.outcome, interrupted: detail.interrupted }));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (!view.stopButton.disabled) view.session?.stop();
  else if (embedded) tellHost("close");
});
window.addEventListener("message", ({ origin, source, data }) => {
  if (source !== window.parent || origin !== host) return;
  if (data?.visavis === "end") endQuietly();
  if (data?.visavis === "focus") (welcome.hidden ? view.input : start).focus();
});
if (embedded) view.extra.append(el("button", { type: "button", class: "round quiet", label: "closeChat", on: { click: () => tellHost("close") } }, icon("end")));

// -- begin ----------------------------------------------------------------------------------------

async function arrive() {
  view.problem(null);
  try {
    const all = await desks();
    const desk = all.find((one) => one.id === params.get("desk")) ?? all[0];
    const chosen = nearestLanguage(params.get("language"), ...navigator.languages);
    view.present(desk);
    view.captions(desk.captions !== false);
    view.speakIn(desk.languages.includes(chosen) ? chosen : nearestLanguage(...desk.languages));
    view.languages.value = view.language;
    welcomeAgain();
    tellHost("ready");
  } catch (error) {
    view.problem(error.code ?? "unreachable", { action: arrive, lasting: true });
  }
}
frame.classList.add("welcoming");
welcome.hidden = true;
arrive();
