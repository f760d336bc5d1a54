/**
 * The client of a live conversation: session, WebSocket, WebRTC, microphone, reconnection. No page in it.
 *
 * Events (CustomEvent, `detail` as on the wire unless told otherwise):
 *   phase       {phase: "connecting" | "waiting" | "live" | "reconnecting" | "ended" | "failed", code, message, remedy, ahead}
 *   desk        the desk's document
 *   transport   {transport: "none" | "webrtc" | "socket" | "chat"}
 *   stream      {stream: MediaStream}  picture and sound, or sound alone
 *   microphone  {code: "on" | "off" | "mic_refused" | "mic_missing" | "mic_busy" | "mic_insecure" | "mic_lost" | "mic_silent"}
 *   level       {level, voiced}  of the microphone, every 50 ms
 *   person      {state: "waiting" | "talking" | "none", name, ahead}: whether a person has the conversation
 *   state, heard, caption, sentence, card, turn, suggestions, notice, error, report
 */

import { admit } from "./admission.js";
import { ask, BASE } from "./api.js";
import { Chat } from "./chat.js";
import { Link } from "./link.js";
import { Measures } from "./measures.js";
import { deferred, Peer } from "./peer.js";
import { MicrophoneError, openMicrophone, SocketSound, SoundRoom } from "./sound.js";

/** Milliseconds. */
const PERMISSION = 1500; // for the microphone, before the connection is made without it
const FIRST_CONNECT = 4000; // then sound goes over the WebSocket; WebRTC may still come
const DISCONNECTED = 1500; // a gap this short heals by itself
const RESTART = 5000; // for an ICE restart to help, then for a new connection
const RETRY_WEBRTC = 30_000; // while sound goes over the WebSocket
const REPORT_EVERY = 10_000;
const SILENT_MICROPHONE_S = 6; // of digital silence: even a quiet room has noise

/** One conversation. */
export class LiveSession extends EventTarget {
  #link = null;
  #peer = null;
  #video = null;
  #closing = false;
  #timers = new Map();
  #queue = new AbortController();
  #metered = null;
  #speakerStream = null;
  #level = { silent_s: 0 };
  #answered = null;
  #entered = deferred();
  #announced = false; // the server knows that sound comes over the WebSocket of the moment

  /**
   * @param {object} options
   * @param {string} [options.desk]  empty: the server's first
   * @param {string} [options.language]  "en", "zh" or empty
   * @param {boolean} [options.record]  the visitor agreed
   * @param {string} [options.client]  what kind of client this is
   * @param {boolean} [options.speak]  open the microphone
   * @param {MediaStream} [options.microphone]  one that is open already
   * @param {SoundRoom} [options.room]
   * @param {object} [options.session]  of an earlier `saved`, to go on with
   */
  constructor({ desk = "", language = "", record = false, client = "page", speak = true, microphone = null, room = null, session = null } = {}) {
    super();
    this.wishes = { language, record, client, ...(desk ? { desk } : {}) };
    this.speak = speak;
    this.microphone = microphone;
    this.ownsMicrophone = !microphone;
    this.room = room ?? new SoundRoom();
    this.ownsRoom = !room;
    this.session = session;
    this.phase = "new";
    this.state = "listening";
    this.transport = "none";
    this.crowded = false; // the server had no way left for a picture
    this.muted = false;
    this.suggests = true;
    this.sound = null;
    this.chat = null;
    this.turn = null;
    this.measures = new Measures(this.room, (level) => this.#heardLevel(level));
  }

  // -- life ---------------------------------------------------------------------------------------

  /** Begin; resolves when the conversation is live, has failed or was ended. */
  async open() {
    this.#tell("phase", { phase: "connecting" });
    const opening = this.speak ? this.openMicrophone() : Promise.resolve();
    await this.room.wake().catch(() => false);
    if (!this.session) {
      try {
        this.session = await admit(this.wishes, this.#queue.signal, (ahead) => this.#tell("phase", { phase: "waiting", code: "busy", ahead }));
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (!this.session || this.#closing) return;
      this.#tell("phase", { phase: "connecting" });
    }
    const { poster: _, ...desk } = this.session.desk;
    this.#tell("desk", desk);
    this.#connect();
    // whoever still looks at the browser's question about the microphone sees and hears the greeting all the same
    await Promise.race([opening, new Promise((resolve) => setTimeout(resolve, PERMISSION))]);
    await this.#entered.promise;
    if (this.phase === "live" && !this.chat) await this.#negotiate();
  }

  /** What a reloaded page needs to come back into this conversation. */
  get saved() {
    return this.session ? { session: this.session, at: Date.now() } : null;
  }

  /** End the conversation. @param {string} code  why, as in strings.js: "visitor", "idle" … */
  async end(code = "visitor") {
    if (this.#closing) return;
    const told = this.#send({ type: "end" });
    const { session } = this;
    this.#close("ended", { code });
    if (session && !told)
      await ask(`v1/sessions/${encodeURIComponent(session.session)}`, { method: "DELETE", token: session.token, keepalive: true }).catch(() => null);
  }

  /** Delete all that is kept of the conversation. */
  async erase() {
    const { session, token } = this.session;
    await this.chat?.erase();
    return ask(`v1/sessions/${encodeURIComponent(session)}/data`, { method: "DELETE", token });
  }

  #fail(error) {
    this.#close("failed", { code: error.code, message: error.status ? error.message : "", remedy: error.remedy });
  }

  #close(phase, why) {
    if (this.#closing) return;
    this.#closing = true;
    this.#queue.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#link?.close();
    this.chat?.close();
    this.#dropPeer();
    this.sound?.close();
    this.measures.close();
    this.#metered = null;
    if (this.ownsMicrophone) for (const track of this.microphone?.getTracks() ?? []) track.stop();
    if (this.ownsRoom) this.room.close();
    this.#tell("phase", { phase, ...why });
    this.#entered.resolve();
  }

  // -- the WebSocket ------------------------------------------------------------------------------

  #connect() {
    const address = new URL(this.session.ws.replace(/^\//, ""), BASE);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.#link = new Link({
      address,
      hello: { type: "hello", token: this.session.token },
      onMessage: (message) => this.#take(message),
      onSound: (sound) => this.sound?.play(sound),
      onLost: () => {
        this.#announced = false;
        this.#tell("phase", { phase: "reconnecting", code: "lost" });
        this.sound?.flush();
      },
      onGone: (code) => this.#close("ended", { code }),
      onImpossible: () => this.#useChat(),
    });
    this.#link.connect();
  }

  #send(message) {
    return this.#link?.send(message) ?? false;
  }

  /** Neither sound nor picture: questions and answers in writing. */
  #useChat() {
    this.chat = new Chat(this.session.desk.id, (type, message) => this.#take({ type, ...message }));
    this.#carriedBy("chat");
    this.#tell("phase", { phase: "live" });
    this.#entered.resolve();
  }

  #take(message) {
    const { type } = message;
    if (type === "ready") this.#ready(message);
    else if (type === "answer") {
      this.crowded = false;
      this.#answered?.resolve(message.sdp);
    } else if (type === "ended") this.#close("ended", { code: message.reason });
    else if (type === "error") {
      if (this.phase === "connecting") this.#entered.reason = message;
      if (message.code?.startsWith("offer_")) this.#answered?.reject(message);
      if (message.code === "offer_ports") this.crowded = true; // sound comes over the WebSocket now: `transport` tells
      else this.#tell("error", message);
    } else {
      if (type === "state") {
        this.state = message.state;
        if (message.state === "thinking") this.measures.thinking();
        if (message.state === "paused") this.sound?.flush(); // "listening" comes while the last words are still on their way
      }
      if (message.turn !== undefined) this.turn = message.turn;
      this.#tell(type, message);
      if (type === "turn") {
        if (message.interrupted) this.sound?.flush();
        this.#report(Boolean(message.interrupted));
      }
    }
  }

  #ready(message) {
    const again = this.#link.enter();
    if (message.token) {
      // it takes the place of the one before, once the server knows that it has come
      this.session.token = message.token;
      this.#link.given.hello.token = message.token;
      this.#send({ type: "kept" });
    }
    if (message.ice_servers) this.session.ice_servers = message.ice_servers; // their passwords end: the newest are used
    this.#tell("phase", { phase: "live" });
    if (message.state) this.#take({ type: "state", state: message.state });
    this.#after("report", REPORT_EVERY, () => this.#report(false));
    this.#entered.resolve();
    if (!this.suggests || again || message.resumed) this.#send({ type: "suggest", on: this.suggests });
    if (again || message.resumed) {
      // the server knows how it was before, which is not how it is on a page that was loaded anew
      this.#send({ type: "mute", muted: this.muted });
      if (this.sound) this.#announce();
      else this.#send({ type: "audio", on: false });
    }
    if (!again) return;
    // a server that was away knows the old connection no more; a short gap of the WebSocket alone leaves it be
    if (!this.#peer?.connected) this.#mend("restart");
  }

  // -- WebRTC -------------------------------------------------------------------------------------

  async #negotiate() {
    if (!globalThis.RTCPeerConnection) {
      await this.#useSocket();
      return;
    }
    this.#after("connect", FIRST_CONNECT, () => this.#useSocket());
    try {
      await this.#newPeer();
    } catch (error) {
      if (!error?.superseded) await this.#useSocket();
    }
  }

  async #newPeer() {
    this.#dropPeer();
    const peer = new Peer({
      iceServers: this.session.ice_servers ?? [],
      track: this.microphone?.getAudioTracks()[0],
      exchange: (sdp) => this.#exchange(sdp),
      onState: (state) => peer === this.#peer && this.#line(state),
      onStream: (stream) => peer === this.#peer && this.#speaker(stream),
    });
    this.#peer = peer;
    await peer.offer();
  }

  #exchange(sdp) {
    this.#answered?.reject(Object.assign(new Error("a newer offer was made"), { superseded: true }));
    this.#answered = deferred();
    if (!this.#send({ type: "offer", sdp })) this.#answered.reject(new Error("not connected"));
    return this.#answered.promise;
  }

  #line(state) {
    if (state === "connected") {
      for (const name of ["connect", "mend", "disconnected", "retry"]) this.#clear(name);
      this.#leaveSocket();
      this.#carriedBy("webrtc");
    } else if (state === "disconnected") this.#after("disconnected", DISCONNECTED, () => this.#mend("restart"));
    else if (state === "failed") this.#mend(this.transport === "webrtc" ? "restart" : "socket");
  }

  /** Help a broken connection: first an ICE restart, then a new connection, then sound over the WebSocket. */
  async #mend(how) {
    if (this.#closing || this.#link.lost) return; // without the WebSocket nothing can be offered; `ready` comes back here
    this.#clear("disconnected");
    try {
      if (how === "restart" && this.#peer) {
        this.#after("mend", RESTART, () => this.#mend("replace"));
        this.#peer.useServers(this.session.ice_servers ?? []);
        await this.#peer.offer({ iceRestart: true });
      } else if (how === "socket") await this.#useSocket();
      else {
        this.#after("mend", RESTART, () => this.#mend("socket"));
        await this.#newPeer();
      }
    } catch (error) {
      if (error?.superseded) return; // what made the newer offer has set the timer
      if (!this.#closing && !this.#link.lost) this.#after("mend", 500, () => this.#mend(how === "restart" ? "replace" : "socket"));
    }
  }

  #dropPeer() {
    this.#peer?.close();
    this.#peer = null;
  }

  // -- sound over the WebSocket -------------------------------------------------------------------

  async #useSocket() {
    if (this.#closing || this.transport === "socket") return;
    this.#clear("mend");
    this.#carriedBy("socket");
    try {
      this.sound = new SocketSound(this.room);
      await this.sound.open();
      if (this.microphone) this.sound.send(this.microphone, () => this.#hearing());
      this.#announce();
      this.#speaker(this.sound.stream);
    } catch {
      this.#tell("notice", { type: "notice", code: "unsupported", message: "" });
    }
    if (globalThis.RTCPeerConnection) this.#after("retry", RETRY_WEBRTC, () => this.#retry());
  }

  /** Say that sound comes over the WebSocket; before that the server drops it. */
  #announce() {
    this.#announced = !this.#link.lost && this.#send({ type: "audio", on: true });
  }

  /** The WebSocket that takes the microphone's sound; null while there is none. */
  #hearing() {
    return this.#announced ? this.#link.socket : null;
  }

  async #retry() {
    if (this.#closing || this.transport !== "socket") return;
    this.#after("retry", RETRY_WEBRTC, () => this.#retry());
    if (!this.#link.lost) await this.#newPeer().catch(() => null);
  }

  #leaveSocket() {
    if (!this.sound) return;
    this.#announced = false;
    this.#send({ type: "audio", on: false });
    this.sound.close();
    this.sound = null;
  }

  #carriedBy(transport) {
    if (this.transport === transport) return;
    this.transport = transport;
    this.#tell("transport", { transport });
  }

  #speaker(stream) {
    if (this.#speakerStream === stream) return;
    this.#speakerStream = stream;
    this.#tell("stream", { stream });
    if (stream.getAudioTracks().length) this.measures.remote(stream).catch(() => null);
  }

  // -- the microphone -----------------------------------------------------------------------------

  /** Open the microphone, now or after it was refused; the running connection takes it up. */
  async openMicrophone() {
    try {
      this.microphone ??= await openMicrophone();
    } catch (error) {
      if (!(error instanceof MicrophoneError)) throw error;
      this.#tell("microphone", { code: error.code });
      return false;
    }
    if (this.#closing) {
      if (this.ownsMicrophone) for (const one of this.microphone.getTracks()) one.stop();
      return false;
    }
    const track = this.microphone.getAudioTracks()[0];
    track.enabled = !this.muted;
    track.onended = () => this.#microphoneLost();
    await this.#peer?.speakWith(track);
    this.sound?.send(this.microphone, () => this.#hearing());
    if (this.#metered !== this.microphone) {
      this.#metered = this.microphone;
      this.measures.local(this.microphone).catch(() => null);
    }
    this.speak = true;
    this.#tell("microphone", { code: this.muted ? "off" : "on" });
    return true;
  }

  #microphoneLost() {
    this.microphone = null;
    if (!this.#closing) this.#tell("microphone", { code: "mic_lost" });
  }

  #heardLevel(level) {
    if (this.#closing) return;
    const wasSilent = this.#level.silent_s > SILENT_MICROPHONE_S;
    const isSilent = level.silent_s > SILENT_MICROPHONE_S;
    this.#level = level;
    this.#tell("level", level);
    if (!this.muted && this.phase === "live" && isSilent !== wasSilent) this.#tell("microphone", { code: isSilent ? "mic_silent" : "on" });
  }

  // -- what the visitor does ----------------------------------------------------------------------

  /** Ask a typed question. @returns {boolean} whether it could be sent */
  type(text) {
    this.measures.typed();
    if (this.chat) {
      this.chat.type(text, this.wishes.language);
      return true;
    }
    return this.#send({ type: "text", text });
  }

  /** Ask a question that was suggested. @returns {boolean} whether it could be sent */
  pick(turn, number) {
    this.measures.typed();
    return this.#send({ type: "pick", turn, number });
  }

  /** Tell what the visitor thinks of a reply: 1, -1, or 0 for neither. @returns {boolean} whether it could be told */
  rate(turn, value) {
    return this.#send({ type: "rate", turn, value });
  }

  /** Want suggestions, or none. */
  suggest(on) {
    this.suggests = on;
    this.#send({ type: "suggest", on });
  }

  /** Wait for a person no longer. */
  withdraw() {
    this.#send({ type: "withdraw" });
  }

  stop() {
    this.sound?.flush();
    this.#send({ type: "stop" });
  }

  replay() {
    this.#send({ type: "replay" });
  }

  mute(muted) {
    this.muted = muted;
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#send({ type: "mute", muted });
    this.#tell("microphone", { code: muted || !this.microphone ? "off" : "on" });
  }

  speakLanguage(language) {
    this.wishes.language = language;
    this.#send({ type: "language", language });
  }

  /** Count the frames that this element shows. @param {HTMLVideoElement} video */
  watch(video) {
    if (this.#video === video) return;
    this.#video = video;
    this.measures.watch(video);
  }

  async #report(interrupted) {
    this.#after("report", REPORT_EVERY, () => this.#report(false));
    if (this.phase !== "live") return;
    const figures = await this.measures.report(this.#peer?.connection ?? null, interrupted).catch(() => null);
    if (!figures || this.#closing) return;
    const report = { type: "report", ...(Number.isInteger(this.turn) ? { turn: this.turn } : {}), transport: this.transport, ...figures };
    this.#send(report);
    this.#tell("report", report);
  }

  // -- helpers ------------------------------------------------------------------------------------

  #tell(type, detail) {
    if (type === "phase") this.phase = detail.phase;
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #after(name, ms, act) {
    this.#clear(name);
    if (this.#closing) return;
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      act();
    }, ms));
  }

  #clear(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
