/** A conversation on the page: the stage with the face, captions and controls, the written conversation, typing. */

import { el, icon, languageOf, reicon, translate } from "./dom.js";
import { layOut } from "./layout.js";
import { LiveSession } from "./live.js";
import { SoundRoom } from "./sound.js";
import { hasString, speakerOf } from "./strings.js";
import { Suggestions } from "./suggestions.js";
import { Transcript } from "./transcript.js";

/** A caption stays this long after its words, milliseconds. */
const CAPTION_STAYS = 1200;
/** After this the face has come to rest from speaking, milliseconds. */
const SETTLED = 700;
/** Problems of the microphone that the visitor can do something about. */
const MICROPHONE_TROUBLES = new Set(["mic_refused", "mic_missing", "mic_busy", "mic_insecure", "mic_silent", "mic_lost"]);

/**
 * Builds itself into `root` and carries one conversation after the other.
 * Events: those of LiveSession but "level"; language {language}; again (the visitor wants another conversation);
 * activity {by: "level" | "visitor" | "turn"}: somebody is there.
 */
export class ConversationView extends EventTarget {
  #captionTimer = 0;
  #pictureTimer = 0;
  #problem = null;
  #person = { state: "none", name: "", ahead: 0 };
  #microphone = "off";

  /** @param {boolean} atKiosk  its visitors can do nothing about the microphone */
  constructor(root, { language = "en", atKiosk = false } = {}) {
    super();
    this.root = root;
    this.atKiosk = atKiosk;
    this.language = language;
    this.desk = null;
    this.session = null;
    this.room = null;
    this.showsCaptions = true;
    this.keptPicture = null;
    Object.assign(this, layOut({
      microphone: () => this.#toggleMicrophone(),
      stop: () => this.session?.stop(),
      replay: () => this.session?.replay(),
      captions: () => this.captions(!this.showsCaptions),
      sound: () => this.silence(!this.video.muted),
      end: () => this.end(),
      submit: (event) => this.#submit(event),
      language: () => this.chooseLanguage(this.languages.value),
    }));
    this.root.append(this.view);
    this.input.addEventListener("input", () => this.#tell("activity", { by: "visitor" }));
    this.transcript = new Transcript(this.log, () => this.t, (turn, value) => this.session?.rate(turn, value) ?? false);
    this.suggestions = new Suggestions(this.form, () => this.t, { pick: (...picked) => this.#pick(...picked), want: (on) => this.session?.suggest(on) });
    this.speakIn(language);
    this.#show("idle");
  }

  /** Says the page's own lines. */
  get t() {
    const fallback = this.language === "zh" ? "数字助手" : "Assistant";
    return speakerOf(this.language, { name: this.desk?.persona || fallback, company: this.desk?.company || "" });
  }

  // -- what is shown ------------------------------------------------------------------------------

  /** Show whose desk this is. @param {object} desk  as in `GET /desks` and in a session's document */
  present(desk) {
    this.desk = { ...this.desk, ...desk };
    this.nameText.textContent = this.desk.persona;
    this.companyText.textContent = this.desk.company;
    this.initial.textContent = this.desk.persona.slice(0, 1);
    this.transcript.name = this.desk.persona;
    if (this.desk.size) this.view.style.setProperty("--r", String(this.desk.size[0] / this.desk.size[1]));
    this.languages.replaceChildren(...(this.desk.languages ?? []).map((one) =>
      el("option", { value: one, lang: one, text: speakerOf(one)("languageName") })));
    this.languages.value = this.language;
    this.languages.closest("label").hidden = (this.desk.languages ?? []).length < 2;
    this.captions(this.showsCaptions);
    if (this.desk.poster) this.showPoster(this.desk.poster);
    this.speakIn(this.language);
  }

  /** Show a still picture while there is no video. */
  showPoster(address) {
    this.poster.src = address;
    this.poster.hidden = false;
    this.poster.onerror = () => {
      this.poster.hidden = true;
    };
  }

  /** Take the video's present picture as the still one, for the time after it; unless it was made small for a slow network. */
  keepPicture() {
    if (!this.desk || this.desk.poster || this.video.videoWidth < this.desk.size[0]) return;
    const canvas = el("canvas", { width: this.video.videoWidth, height: this.video.videoHeight });
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    this.keptPicture = canvas.toDataURL("image/jpeg", 0.85);
    this.showPoster(this.keptPicture);
  }

  /** Change the language of the page itself. */
  speakIn(language) {
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : language;
    this.stage.setAttribute("aria-label", this.t("stageLabel"));
    if (this.desk) document.title = this.t("title");
    translate(this.view, this.t);
    this.#show();
    if (this.#problem) this.#draw();
    this.#showPerson();
  }

  /** The visitor chooses a language: of the page and of the conversation. */
  chooseLanguage(language) {
    this.languages.value = language;
    this.session?.speakLanguage(language);
    this.speakIn(language);
    this.#tell("language", { language });
  }

  captions(on) {
    this.showsCaptions = on;
    this.captionButton.setAttribute("aria-pressed", String(on));
    reicon(this.captionButton, "captions", on ? "captionsOff" : "captionsOn", this.t);
    this.caption.classList.toggle("off", !on);
  }

  silence(on) {
    this.video.muted = on;
    this.audio.muted = on;
    this.soundButton.setAttribute("aria-pressed", String(on));
    reicon(this.soundButton, on ? "soundOff" : "sound", on ? "soundOn" : "soundOff", this.t);
  }

  /** Show the state in words, colour and on the buttons. */
  #show(look = this.look ?? "idle") {
    this.look = look;
    const deaf = look === "listening" && this.session?.transport === "none"; // no way for sound is open yet
    this.view.dataset.state = deaf ? "connecting" : look;
    const line = look === "listening" ? this.#listening(deaf) : look === "idle" ? null : look;
    this.status.hidden = !line;
    this.status.querySelector(".status-text").textContent = line ? this.t(line) : "";
    const live = ["listening", "thinking", "speaking", "paused"].includes(look);
    this.stopButton.disabled = !["thinking", "speaking", "paused"].includes(look);
    this.replayButton.disabled = !live || this.log.querySelector(".reply") === null;
    this.mic.disabled = !live;
    this.sendButton.disabled = !live;
    this.endButton.disabled = ["idle", "ended"].includes(look);
  }

  #listening(deaf) {
    if (deaf) return "connecting";
    if (!this.session?.microphone || this.session.transport === "chat") return "listeningTyped";
    return this.session.muted ? "listeningMuted" : "listening";
  }

  /** Say what is wrong and what helps. @param {string | null} code  null: nothing is wrong; `lasting` cannot be put away */
  problem(code, { message = "", remedy = "", action = null, actionName = "tryAgain", also = null, urgent = true, lasting = false } = {}) {
    this.#problem = code ? { code, message, remedy, action, actionName, also, urgent, lasting } : null;
    this.#draw();
  }

  /** Take back a complaint that has become void. */
  solved(...codes) {
    if (codes.includes(this.#problem?.code)) this.problem(null);
  }

  get problemCode() {
    return this.#problem?.code ?? null;
  }

  #draw() {
    const now = this.#problem;
    this.banner.hidden = !now;
    if (!now) {
      this.banner.replaceChildren();
      return;
    }
    const { code, message, remedy, action, actionName, also, urgent, lasting } = now;
    const line = this.atKiosk && MICROPHONE_TROUBLES.has(code) ? (code === "mic_silent" ? "kiosk_silent" : "kiosk_deaf") : code;
    const text = message || this.t(hasString(line) ? line : "refused");
    const help = remedy || (hasString(`${line}_fix`) ? this.t(`${line}_fix`) : "");
    this.banner.classList.toggle("calm", !urgent);
    this.banner.classList.toggle("lasting", lasting);
    this.banner.replaceChildren(...[
      icon(urgent ? "warning" : "info"),
      el("div", { class: "words" }, el("strong", { text }), " ", el("span", { text: help })),
      action && el("button", { type: "button", class: "small", text: this.t(actionName), on: { click: action } }),
      also && el("button", { type: "button", class: "small also", text: this.t(also.name), on: { click: also.action } }),
      lasting ? null : el("button", { type: "button", class: "round quiet close", "aria-label": this.t("close"), title: this.t("close"), on: { click: () => this.problem(null) } }, icon("end")),
    ].filter(Boolean));
  }

  // -- one conversation ---------------------------------------------------------------------------

  /** Begin a conversation. @param {object} options  see LiveSession; `room` lives as long as this view */
  async start(options) {
    await this.end();
    this.problem(null);
    this.transcript.clear();
    this.#person = { state: "none", name: "", ahead: 0 };
    this.person.textContent = "";
    this.room ??= new SoundRoom();
    const session = new LiveSession({ language: this.language, room: this.room, ...options });
    this.session = session;
    session.suggests = this.suggestions.on;
    this.suggestions.begin(true);
    this.recording.hidden = !options.record;
    this.#listen(session);
    this.#show("connecting");
    await session.open();
    return session;
  }

  /** End the conversation, if there is one. */
  async end(code = "visitor") {
    const { session } = this;
    if (!session || ["ended", "failed"].includes(session.phase)) return;
    await session.end(code);
  }

  #listen(session) {
    const acts = {
      phase: (detail) => this.#phase(detail, session),
      desk: (desk) => this.present(desk),
      state: ({ state }) => {
        this.#show(state);
        clearTimeout(this.#pictureTimer);
        if (state === "listening") this.#pictureTimer = setTimeout(() => this.keepPicture(), SETTLED);
      },
      stream: ({ stream }) => this.#play(stream),
      transport: ({ transport }) => this.#transport(transport),
      microphone: ({ code }) => this.#heardMicrophone(code),
      level: ({ level, voiced }) => {
        this.view.style.setProperty("--level", Math.min(1, Math.sqrt(level) * 2.2).toFixed(3));
        if (voiced) this.#tell("activity", { by: "level" });
      },
      heard: (message) => {
        this.transcript.heard(message);
        this.suggestions.asked(message.turn);
      },
      suggestions: (message) => this.suggestions.show(message),
      caption: ({ text }) => this.#write(text),
      sentence: (message) => {
        this.transcript.sentence(message);
        this.#show();
      },
      card: (message) => {
        this.transcript.card(message);
        this.#show();
      },
      turn: (message) => {
        this.transcript.turnEnded(message);
        this.#show();
      },
      person: (message) => this.#passedOn(message),
      notice: ({ code, message }) => this.problem(code, { message: hasString(code) ? "" : message, urgent: false }),
      error: ({ code, message, remedy }) => this.problem(code, { message, remedy }),
    };
    for (const [type, act] of Object.entries(acts))
      session.addEventListener(type, ({ detail }) => {
        if (session !== this.session) return;
        act(detail);
        if (type !== "level") this.#tell(type, detail);
        if (type === "state" || (type === "heard" && detail.text)) this.#tell("activity", { by: "turn" });
      });
  }

  /** A person has the conversation, is waited for, or has handed it back. */
  #passedOn(message) {
    this.#person = message;
    this.#showPerson();
    if (message.state !== "waiting") this.solved("person_waiting");
    else {
      const place = message.ahead > 0 ? this.t("busy_ahead", { n: message.ahead }) : this.t("busy_next");
      const action = () => this.session?.withdraw();
      this.problem("person_waiting", { message: `${this.t("person_waiting")} ${place}`, urgent: false, action, actionName: "person_unwanted", lasting: true });
    }
  }

  /** Say who is talked with: a person, or, once one was, the AI again. */
  #showPerson() {
    const { state, name } = this.#person;
    const talking = state === "talking";
    this.view.classList.toggle("with-person", talking);
    this.person.textContent = talking ? this.t("talkingWith", { person: name }) : this.person.textContent && this.t("talkingWithAi");
  }

  #phase({ phase, code, message, remedy, ahead }, session) {
    if (phase === "live") {
      this.#show(session.state);
      this.solved("lost", "busy", "unreachable");
      return;
    }
    this.#show({ failed: "ended" }[phase] ?? phase);
    if (phase === "waiting") {
      const place = ahead > 0 ? this.t("busy_ahead", { n: ahead }) : this.t("busy_next");
      this.problem("busy", { message: `${this.t("busy")} ${place}`, urgent: false, action: () => this.end(), actionName: "cancel", lasting: true });
    } else if (phase === "reconnecting") {
      this.#write("");
      this.problem("lost");
    } else if (phase === "ended" || phase === "failed") this.#over(phase, code, message, remedy);
  }

  #over(phase, code, message, remedy) {
    clearTimeout(this.#pictureTimer);
    this.suggestions.begin(false);
    this.video.srcObject = null;
    this.audio.srcObject = null;
    this.view.classList.remove("has-video");
    clearTimeout(this.#captionTimer);
    this.caption.hidden = true;
    this.recording.hidden = true;
    if (phase === "failed") this.problem(hasString(code) ? code : "refused", { message, remedy, action: () => this.#tell("again", {}), lasting: true });
    else {
      const again = { action: () => this.#tell("again", {}), actionName: "startOver" };
      this.problem(endingOf(code), { remedy: this.t("ended_fix"), urgent: false, lasting: true, ...again, also: this.#erasing(again) });
    }
  }

  /** The button that deletes the conversation that has ended, once it was pressed twice; null where nothing is kept. */
  #erasing(again, sure = false) {
    const { session } = this;
    if (!session?.session || !keeps(this.desk) && !session.wishes.record) return null;
    const told = (code) => this.problem(code, { urgent: code !== "erased", lasting: true, ...again, also: code === "erased" ? null : this.#erasing(again) });
    return { name: sure ? "eraseSure" : "erase", action: () => {
      if (sure) session.erase().then(() => told("erased"), () => told("erase_failed"));
      else {
        this.problem(this.problemCode, { remedy: this.t("ended_fix"), urgent: false, lasting: true, ...again, also: this.#erasing(again, true) });
        this.banner.querySelector(".also")?.focus();
      }
    } };
  }

  #play(stream) {
    const hasPicture = stream.getVideoTracks().length > 0;
    const element = hasPicture ? this.video : this.audio;
    (hasPicture ? this.audio : this.video).srcObject = null;
    element.srcObject = stream;
    if (hasPicture) {
      this.session.watch(this.video);
      this.video.onloadeddata = () => this.view.classList.add("has-video");
    } else this.view.classList.remove("has-video");
    element.play().catch((error) => {
      if (error.name !== "NotAllowedError") return;
      this.problem("sound_blocked", { action: () => this.#unblock(element), actionName: "sound_blocked_do" });
    });
  }

  #unblock(element) {
    this.room.wake();
    element.play().then(() => this.solved("sound_blocked"));
  }

  #transport(transport) {
    if (transport === "socket") this.problem(this.session.crowded ? "socket_busy" : "socket_sound", { urgent: false });
    else if (transport === "chat") this.problem("chat_only", { urgent: false });
    else this.solved("socket_sound", "socket_busy");
    this.#show();
  }

  #heardMicrophone(code) {
    this.#microphone = code;
    if (MICROPHONE_TROUBLES.has(code)) this.problem(code, { action: code === "mic_silent" || this.atKiosk ? null : () => this.#openMicrophone() });
    else this.solved(...MICROPHONE_TROUBLES);
    const on = code === "on" || code === "mic_silent";
    reicon(this.mic, on ? "mic" : "micOff", on ? "mute" : "unmute", this.t);
    this.mic.setAttribute("aria-pressed", String(!on));
    this.view.classList.toggle("muted", !on);
    this.#show();
  }

  async #openMicrophone() {
    await this.session?.openMicrophone();
  }

  async #toggleMicrophone() {
    const { session } = this;
    if (!session) return;
    if (!session.microphone) await session.openMicrophone();
    else session.mute(!session.muted);
  }

  #write(text) {
    clearTimeout(this.#captionTimer);
    if (text) {
      this.caption.textContent = text;
      this.caption.lang = languageOf(text);
      this.caption.hidden = false;
    } else this.#captionTimer = setTimeout(() => {
      this.caption.hidden = true;
    }, CAPTION_STAYS);
  }

  #submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text || !this.session?.type(text)) return;
    this.transcript.typed(text);
    this.input.value = "";
    this.#tell("activity", { by: "visitor" });
  }

  /** A suggestion was pressed: it is asked, and who came by keyboard goes on typing. */
  #pick(turn, number, text, byKey) {
    if (!this.session?.pick(turn, number)) return;
    this.transcript.typed(text);
    (byKey ? this.input : this.stage).focus({ preventScroll: true });
    this.#tell("activity", { by: "visitor" });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** The line of strings.js for the reason that an ended conversation gave. */
function endingOf(code) {
  const known = { visitor: "visitor", idle: "idle", too_long: "longest", replaced: "elsewhere", lost: "lost", gone: "lost", session_over: "lost" };
  return `ended_${known[code] ?? "server"}`;
}

/** Tell whether a desk keeps words of its conversations; one that does not say so tells nothing. */
function keeps(desk) {
  return Boolean(desk?.kept_days) && desk.keep !== "none";
}

/** Say in a visitor's language what a desk keeps of the words, and for how long; "" where it does not say. */
export function keepingOf(desk, t) {
  if (desk.keep === undefined) return "";
  if (!keeps(desk)) return t("keepNone");
  const days = Math.max(1, Math.round(desk.kept_days));
  return t(desk.keep === "plain" ? "keepPlain" : "keepMasked", { days });
}
