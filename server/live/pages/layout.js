/** The elements of a conversation on the page; what they do is the view's matter. */

import { el, icon, iconButton } from "./dom.js";

/**
 * Build the stage (face, captions, controls) and the written side (names, problems, log, typing).
 *
 * @param {Record<"microphone" | "stop" | "replay" | "captions" | "sound" | "end" | "submit" | "language", (event: Event) => void>} acts
 * @returns {Record<string, HTMLElement>}
 */
export function layOut(acts) {
  const video = el("video", { playsinline: true, autoplay: true, disablepictureinpicture: true, "aria-hidden": "true", tabindex: "-1" });
  const audio = el("audio", { autoplay: true });
  const poster = el("img", { class: "poster", alt: "", hidden: true });
  const initial = el("span", { class: "initial", "aria-hidden": "true" });
  const caption = el("p", { class: "caption", "aria-hidden": "true", hidden: true });
  const status = el("p", { class: "status", role: "status" }, el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "status-text" }));
  const person = el("p", { class: "person", role: "status" });
  const recording = el("p", { class: "recording", hidden: true }, icon("record"), el("span", { string: "recording" }));
  const mic = iconButton("mic", "mute", acts.microphone, { class: "round mic" });
  const stopButton = iconButton("stop", "stop", acts.stop, { class: "round stop" });
  const replayButton = iconButton("replay", "replay", acts.replay);
  const captionButton = iconButton("captions", "captionsOff", acts.captions, { "aria-pressed": "true" });
  const soundButton = iconButton("sound", "soundOff", acts.sound, { "aria-pressed": "false" });
  const endButton = iconButton("end", "end", acts.end, { class: "round end" });
  const controls = el("div", { class: "controls", role: "toolbar", label: "controlsLabel" },
    mic, stopButton, replayButton, captionButton, soundButton, endButton);
  const banner = el("div", { class: "banner", role: "alert", hidden: true });
  const stage = el("section", { class: "stage", tabindex: "-1" },
    el("div", { class: "picture" }, initial, poster, video),
    el("div", { class: "top" }, status, person, recording),
    el("div", { class: "bottom" }, caption, controls));
  const nameText = el("span", { class: "name" });
  const companyText = el("span", { class: "company" });
  const log = el("ol", { role: "log", "aria-live": "polite", "aria-relevant": "additions text", label: "logLabel" });
  const input = el("input", { type: "text", id: "say", name: "say", autocomplete: "off", enterkeyhint: "send", maxlength: "2000", placeholder: "", label: "say" });
  const sendButton = el("button", { type: "submit", class: "round send", label: "send" }, icon("send"));
  const form = el("form", { class: "composer", on: { submit: acts.submit } }, input, sendButton);
  const languages = el("select", { id: "language", label: "chooseLanguage", on: { change: acts.language } });
  const extra = el("span", { class: "extra" });
  const talk = el("section", { class: "talk" },
    el("header", { class: "who-am-i" },
      el("div", { class: "names" }, el("h1", {}, nameText, el("abbr", { class: "ai", string: "ai", label: "aiLong" })), companyText),
      el("label", { class: "language" }, icon("language"), languages), extra),
    banner,
    el("div", { class: "log" }, log),
    form);
  const view = el("div", { class: "talkview" }, stage, talk, audio);
  controls.addEventListener("keydown", walk);
  return {
    video, audio, poster, initial, caption, status, person, recording, mic, stopButton, replayButton,
    captionButton, soundButton, endButton, controls, banner, stage, nameText, companyText, log,
    input, sendButton, form, languages, extra, talk, view,
  };
}

/** Arrow keys go along a toolbar, as screen readers' users expect. */
function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const buttons = [...event.currentTarget.querySelectorAll("button:not(:disabled)")];
  const at = buttons.indexOf(document.activeElement);
  buttons[(at + step + buttons.length) % buttons.length]?.focus();
  event.preventDefault();
}
