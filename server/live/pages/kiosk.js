/**
 * The kiosk: an attract screen that starts by touch, key or voice, one visitor after the other, all day.
 *
 * Address: /kiosk?desk=ID&language=en&idle_s=45&asked_s=10&poll_s=5&voice=1&colour=%23155e63
 * A browser lets sound begin by itself, and the microphone open without asking, only where it was told so, in Chromium:
 * --kiosk --autoplay-policy=no-user-gesture-required --use-fake-ui-for-media-stream (or the policy AudioCaptureAllowedUrls).
 */

import { el, icon, paint, translate } from "./dom.js";
import { Ear } from "./ear.js";
import { desks } from "./api.js";
import { SoundRoom } from "./sound.js";
import { nearestLanguage, speakerOf } from "./strings.js";
import { ConversationView, keepingOf } from "./view.js";
import { Watchdog } from "./watchdog.js";

const params = new URLSearchParams(location.search);
const seconds = (name, usual) => Math.max(1, Number(params.get(name)) || usual);
/** A visitor who says and touches nothing for so long is asked whether they are there. */
const IDLE_S = seconds("idle_s", 45);
/** Then so long remains to answer. */
const ASKED_S = seconds("asked_s", 10);
/** How often the server is asked how it is. */
const POLL_S = seconds("poll_s", 5);
/** A conversation that ended shows why for so long, milliseconds. */
const FAREWELL = 3500;
const ERASING = 10_000;
/** Nobody waits longer for a free place, seconds. */
const WAIT_S = 180;
const POSTER = `visavis.poster.${params.get("desk") ?? ""}`;

paint(document.documentElement, params.get("colour") ?? params.get("color"));
const view = new ConversationView(document.getElementById("app"), { language: nearestLanguage(params.get("language")), atKiosk: true });
view.room = new SoundRoom();
const ear = new Ear(view.room, () => screen === "attract" && begin());
const watchdog = new Watchdog(view, { away: outOfService, back: inService, free: () => screen === "attract" || screen === "away" }, POLL_S * 1000);

let screen = "attract"; // attract | talking | asking | away
let activeAt = performance.now();
let home = view.language;

// -- screens --------------------------------------------------------------------------------------

const face = el("img", { class: "face", alt: "", hidden: true });
const greeting = el("p", { class: "greeting" });
const beginText = el("span", {});
const tongues = el("div", { class: "tongues" });
const attractName = el("span", { class: "name" });
const beginButton = el("button", { type: "button", class: "begin" }, icon("mic"), beginText);
const keeping = el("p", { class: "note" });
const attract = el("section", { class: "attract", hidden: true, on: { click: () => begin() } },
  el("div", { class: "no-face" }), face, el("div", { class: "shade" }),
  el("header", {}, attractName, el("abbr", { class: "ai", string: "ai", label: "aiLong" })),
  el("footer", {}, greeting, beginButton, tongues, el("p", { class: "note", string: "aiLong" }), keeping));
const noticeTitle = el("h2", {});
const noticeText = el("p", {});
const yes = el("button", { type: "button", string: "stillThereYes", on: { click: stay } });
const no = el("button", { type: "button", string: "stillThereNo", on: { click: () => leave("visitor") } });
const noticeActs = el("div", { class: "acts" }, yes, no);
const notice = el("section", { class: "notice", role: "alertdialog", hidden: true }, noticeTitle, noticeText, noticeActs);
document.body.append(attract, notice);

function show(next) {
  screen = next;
  attract.hidden = next !== "attract";
  view.root.inert = next !== "talking";
  notice.hidden = next !== "asking" && next !== "away";
  noticeActs.hidden = next !== "asking";
  if (next === "attract") {
    ear.listen(view.session !== null);
    beginButton.focus({ preventScroll: true });
  } else ear.rest();
  if (next === "asking") yes.focus();
  words();
}

function words() {
  const { desk, t } = view;
  translate(document.body, t);
  attractName.textContent = desk ? [desk.persona, desk.company].filter(Boolean).join(" · ") : "";
  greeting.textContent = desk ? t("hello") : "";
  keeping.textContent = desk ? keepingOf(desk, t) : "";
  beginText.textContent = t(ear.hears ? "touchOrSpeak" : "touch");
  if (screen === "away") {
    noticeTitle.textContent = t("outOfService");
    noticeText.textContent = t("outOfServiceFix");
  }
}

function fillTongues() {
  const others = view.desk.languages.length > 1 ? view.desk.languages : [];
  tongues.replaceChildren(...others.map((one) => el("button", { type: "button", lang: one, text: speakerOf(one)("languageName"), on: { click: (event) => {
    event.stopPropagation();
    begin(one);
  } } })));
}

function showFace(address) {
  if (!address) return;
  face.src = address;
  face.onload = () => {
    face.hidden = false;
  };
  face.onerror = () => {
    face.hidden = true;
  };
}

// -- one visitor ----------------------------------------------------------------------------------

async function begin(language = home) {
  if (screen !== "attract" || !view.desk) return;
  show("talking");
  activeAt = performance.now();
  view.speakIn(language);
  view.languages.value = language;
  await view.room.wake();
  await view.start({ desk: view.desk.id, language, client: "kiosk", speak: true, microphone: ear.stream });
}

async function leave(code) {
  await view.end(code);
  reset();
}

/** Nothing of one visitor may be there for the next. */
function reset() {
  view.transcript.clear();
  view.input.value = "";
  view.problem(null);
  view.captions(true);
  view.silence(false);
  if (!view.suggestions.on) view.suggestions.want(true);
  view.speakIn(home);
  ear.unmute();
  if (screen !== "away") show("attract");
}

function stay() {
  activeAt = performance.now();
  show("talking");
}

view.addEventListener("activity", ({ detail }) => {
  if (detail.by === "level") return; // a lobby is never quite silent: words count, noise does not
  activeAt = performance.now();
  if (screen === "asking") show("talking");
});
for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => {
  activeAt = performance.now();
});
document.addEventListener("keydown", (event) => {
  if (screen === "attract" && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    begin();
  }
});

view.addEventListener("phase", ({ detail }) => {
  if (detail.phase !== "ended" && detail.phase !== "failed") return;
  try {
    const picture = view.keptPicture;
    if (picture) localStorage.setItem(POSTER, picture); // the assistant's face alone, nothing of a visitor
    showFace(picture);
  } catch {
    // without storage the attract screen begins with the desk's own poster
  }
  if (detail.code === "unreachable") outOfService();
  else farewell(detail.phase, FAREWELL);
});
/** Make room for the next visitor, after a while; who may delete the conversation gets longer. */
function farewell(phase, ms) {
  setTimeout(() => {
    if ((screen !== "talking" && screen !== "asking") || view.session.phase !== phase) return;
    if (ms === FAREWELL && view.banner.querySelector(".also")) farewell(phase, ERASING);
    else reset();
  }, ms);
}
view.addEventListener("again", reset);
view.addEventListener("language", words);

setInterval(() => {
  const quietS = (performance.now() - activeAt) / 1000;
  const { session } = view;
  if (screen === "attract") {
    beginText.textContent = view.t(ear.hears ? "touchOrSpeak" : "touch");
    return;
  }
  if (screen === "away" || !session) return;
  if (session.phase === "waiting") {
    if (quietS > WAIT_S) leave("idle");
    return;
  }
  if (session.phase !== "live") return;
  if (screen === "talking" && (session.state === "thinking" || session.state === "speaking")) activeAt = performance.now();
  else if (screen === "talking" && quietS > IDLE_S) show("asking");
  if (screen !== "asking") return;
  noticeTitle.textContent = view.t("stillThere");
  noticeText.textContent = view.t("stillThereFix", { n: Math.max(0, Math.ceil(IDLE_S + ASKED_S - quietS)) });
  if (quietS > IDLE_S + ASKED_S) leave("idle");
}, 250);

// -- the machine ----------------------------------------------------------------------------------

function outOfService() {
  if (screen === "away") return;
  view.end("server");
  view.transcript.clear();
  view.problem(null);
  show("away");
}

async function inService() {
  if (screen !== "away") return;
  if (await arrive()) {
    screen = "attract";
    reset();
  }
}

async function arrive() {
  try {
    const all = await desks();
    const desk = all.find((one) => one.id === params.get("desk")) ?? all[0];
    home = desk.languages.includes(params.get("language")) ? params.get("language") : nearestLanguage(...desk.languages);
    view.present(desk);
    view.speakIn(home);
    fillTongues();
    showFace(desk.poster ?? localStorage.getItem(POSTER));
    return true;
  } catch {
    return false;
  }
}

for (const type of ["contextmenu", "gesturestart", "dragstart", "dblclick"]) document.addEventListener(type, (event) => event.preventDefault());
document.addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { passive: false });
document.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
document.addEventListener("keydown", (event) => (event.ctrlKey || event.metaKey) && ["+", "-", "=", "0"].includes(event.key) && event.preventDefault());

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // a screen that is kept on by the system needs none
  }
}
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stayAwake());
stayAwake();

if (params.get("voice") !== "0") ear.open();
if (await arrive()) show("attract");
else show("away");
watchdog.start();
