/**
 * The client of a live conversation: session, WebSocket, WebRTC, microphone, reconnection. No page in it.
 *
 * Events (CustomEvent, `detail` as on the wire unless told otherwise):
 *   phase       {phase: "connecting" | "waiting" | "live" | "reconnecting" | "ended" | "failed", code, message, remedy, ahead}
 *   desk        the desk's document
 *   transport   {transport: "none" | "webrtc" | "socket"}
 *   stream      {stream: MediaStream}  picture and sound, or sound alone
 *   microphone  {code: "on" | "off" | "mic_refused" | "mic_missing" | "mic_busy" | "mic_insecure" | "mic_lost" | "mic_silent"}
 *   level       {level, voiced}  of the microphone, every 50 ms
 *   state, heard, caption, sentence, turn, notice, error, report
 */

import { Measures } from "./measures.js";
import { MicrophoneError, openMicrophone, SocketSound, SoundRoom } from "./sound.js";

/** The server's root: one folder above this file's. */
export const BASE = new URL("../", import.meta.url);

/** Milliseconds. */
const RECONNECT_WITHIN = 60_000; // the server keeps a conversation so long
const RECONNECT_WAITS = [200, 400, 800, 1500, 3000, 5000]; // the last again and again
const ICE_GATHER = 1500; // addresses found later are left out: the answer does not trickle either
const FIRST_CONNECT = 4000; // then sound goes over the WebSocket; WebRTC may still come
const DISCONNECTED = 1500; // a gap this short heals by itself
const RESTART = 5000; // for an ICE restart to help, then for a new connection
const RETRY_WEBRTC = 30_000; // while sound goes over the WebSocket
const QUEUE_POLL = 2000;
const REPORT_EVERY = 10_000;
const SILENT_MICROPHONE_S = 6; // of digital silence: even a quiet room has noise

/** How a WebSocket's close code ends a conversation for good (RFC 6455's 1008 and this server's own 4xxx). */
const isFinal = (code) => code === 1008 || (code >= 4400 && code < 4500);

/** Ask the server; throws {code, message, remedy, status, …} of its error document. */
export async function ask(path, { method = "GET", body, token, keepalive = false, signal } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(new URL(path.replace(/^\//, ""), BASE), {
      method, headers, keepalive, signal, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (cause) {
    throw Object.assign(new Error("unreachable", { cause }), { code: "unreachable", status: 0 });
  }
  const document_ = await response.json().catch(() => ({}));
  if (response.ok) return document_;
  const { code = "refused", message = "", remedy = "" } = document_.error ?? {};
  throw Object.assign(new Error(message || code), { code, remedy, status: response.status, ahead: document_.ahead, ticket: document_.ticket });
}

/** Return what desks there are, each as the server's document with its poster's address made whole. */
export async function desks() {
  const found = await ask("desks");
  return found.map((desk) => ({ ...desk, poster: desk.poster ? new URL(desk.poster.replace(/^\//, ""), BASE).href : null }));
}

/** One conversation. */
export class LiveSession extends EventTarget {
  #socket = null;
  #peer = null;
  #video = null;
  #closing = false;
  #lostAt = 0;
  #tries = 0;
  #timers = new Map();
  #queue = new AbortController();
  #metered = null;
  #speakerStream = null;
  #level = { silent_s: 0 };
  #answered = null;

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
    this.muted = false;
    this.sound = null;
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
      this.session = await this.#admit();
      if (!this.session) return;
    }
    const { poster: _, ...desk } = this.session.desk;
    this.#tell("desk", desk);
    this.#connect();
    await opening;
    await this.#entered.promise;
    if (this.phase === "live") await this.#negotiate();
  }

  #entered = deferred();

  async #admit() {
    let ticket;
    for (let failures = 0; !this.#closing; ) {
      try {
        return await ask("v1/sessions", { method: "POST", body: { ...this.wishes, ...(ticket ? { ticket } : {}) }, signal: this.#queue.signal });
      } catch (error) {
        if (this.#closing) break;
        if (error.code === "unreachable" && failures < 2) {
          failures += 1;
          await this.#pause(600 * failures);
        } else if (error.ticket) {
          ticket = error.ticket;
          await this.#queueUp(ticket, error.ahead ?? 0);
        } else {
          this.#fail(error);
          return null;
        }
      }
    }
    return null;
  }

  async #queueUp(ticket, ahead) {
    this.#tell("phase", { phase: "waiting", code: "busy", ahead });
    while (!this.#closing) {
      await this.#pause(QUEUE_POLL);
      if (this.#closing) return;
      try {
        const place = await ask(`v1/queue/${encodeURIComponent(ticket)}`, { signal: this.#queue.signal });
        if (place.ready) return;
        this.#tell("phase", { phase: "waiting", code: "busy", ahead: place.ahead });
      } catch (error) {
        if (error.status >= 400 && error.status < 500) return; // the place is lost: ask for a new one
      }
    }
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

  #fail(error) {
    this.#close("failed", { code: error.code, message: error.status ? error.message : "", remedy: error.remedy });
  }

  #close(phase, why) {
    if (this.#closing) return;
    this.#closing = true;
    this.#queue.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (this.#socket) {
      const socket = this.#socket;
      this.#socket = null;
      setTimeout(() => socket.close(1000), 50); // lets "end" leave first
    }
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
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", token: this.session.token }));
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.#take(JSON.parse(data));
      else this.sound?.play(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket || this.#closing) return;
      this.#socket = null;
      if (isFinal(code)) this.#close("ended", { code: reason || "server" });
      else this.#lost();
    };
  }

  #lost() {
    const now = performance.now();
    if (!this.#lostAt) {
      this.#lostAt = now;
      this.#tries = 0;
      this.#tell("phase", { phase: "reconnecting", code: "lost" });
      this.sound?.flush();
      globalThis.addEventListener("online", () => this.#hurry(), { once: true });
    }
    const wait = RECONNECT_WAITS[Math.min(this.#tries, RECONNECT_WAITS.length - 1)];
    if (now - this.#lostAt + wait > RECONNECT_WITHIN) {
      this.#close("ended", { code: "lost" });
      return;
    }
    this.#tries += 1;
    this.#after("reconnect", wait, () => this.#connect());
  }

  #hurry() {
    if (!this.#timers.has("reconnect") || this.#closing) return;
    this.#clear("reconnect");
    this.#connect();
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #take(message) {
    const { type } = message;
    if (type === "ready") this.#ready(message);
    else if (type === "answer") this.#answered?.resolve(message.sdp);
    else if (type === "ended") this.#close("ended", { code: message.reason });
    else if (type === "error") {
      if (this.phase === "connecting") this.#entered.reason = message;
      this.#answered?.reject(message);
      this.#tell("error", message);
    } else {
      if (type === "state") {
        this.state = message.state;
        if (message.state === "thinking") this.measures.thinking();
        if (message.state === "listening" || message.state === "paused") this.sound?.flush();
      }
      if (message.turn !== undefined) this.turn = message.turn;
      this.#tell(type, message);
      if (type === "turn") this.#report(Boolean(message.interrupted));
    }
  }

  #ready(message) {
    const again = this.#lostAt > 0;
    this.#lostAt = 0;
    this.#tries = 0;
    this.#clear("reconnect");
    this.#tell("phase", { phase: "live" });
    if (message.state) this.#take({ type: "state", state: message.state });
    this.#after("report", REPORT_EVERY, () => this.#report(false));
    this.#entered.resolve();
    if (!again) return;
    if (this.muted) this.#send({ type: "mute", muted: true });
    if (this.transport === "socket") this.#send({ type: "audio", on: true });
    // a server that was away knows the old connection no more; a short gap of the WebSocket alone leaves it be
    if (this.#peer?.connectionState !== "connected") this.#mend("restart");
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
    } catch {
      await this.#useSocket();
    }
  }

  async #newPeer() {
    this.#dropPeer();
    const peer = new RTCPeerConnection({ iceServers: this.session.ice_servers ?? [], bundlePolicy: "max-bundle" });
    this.#peer = peer;
    const stream = new MediaStream();
    const track = this.microphone?.getAudioTracks()[0];
    // a line for the voice is there even without a microphone: one that is allowed later needs no new offer
    peer.addTransceiver(track ?? "audio", { direction: "sendrecv" });
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.ontrack = ({ track: got }) => {
      stream.addTrack(got);
      if (peer === this.#peer && stream.getTracks().length === 2) this.#speaker(stream);
    };
    peer.onconnectionstatechange = () => peer === this.#peer && this.#line(peer);
    await this.#offer(peer, {});
  }

  async #offer(peer, options) {
    await peer.setLocalDescription(await peer.createOffer(options));
    await gathered(peer);
    this.#answered?.reject(new Error("a newer offer was made"));
    const answered = deferred();
    this.#answered = answered;
    if (!this.#send({ type: "offer", sdp: peer.localDescription.sdp })) answered.reject(new Error("not connected"));
    const sdp = await answered.promise;
    if (peer === this.#peer) await peer.setRemoteDescription({ type: "answer", sdp });
  }

  #line(peer) {
    const state = peer.connectionState;
    if (state === "connected") {
      for (const name of ["connect", "mend", "disconnected", "retry"]) this.#clear(name);
      this.#leaveSocket();
      this.#carriedBy("webrtc");
    } else if (state === "disconnected") this.#after("disconnected", DISCONNECTED, () => this.#mend("restart"));
    else if (state === "failed") this.#mend(this.transport === "webrtc" ? "restart" : "socket");
  }

  /** Help a broken connection: first an ICE restart, then a new connection, then sound over the WebSocket. */
  async #mend(how) {
    if (this.#closing || this.#lostAt) return; // without the WebSocket nothing can be offered; `ready` comes back here
    this.#clear("disconnected");
    try {
      if (how === "restart" && this.#peer) {
        this.#after("mend", RESTART, () => this.#mend("replace"));
        await this.#offer(this.#peer, { iceRestart: true });
      } else if (how === "socket") await this.#useSocket();
      else {
        this.#after("mend", RESTART, () => this.#mend("socket"));
        await this.#newPeer();
      }
    } catch {
      if (!this.#closing && !this.#lostAt) this.#after("mend", 500, () => this.#mend(how === "restart" ? "replace" : "socket"));
    }
  }

  #dropPeer() {
    const peer = this.#peer;
    this.#peer = null;
    if (!peer) return;
    peer.ontrack = null;
    peer.onconnectionstatechange = null;
    peer.close();
  }

  // -- sound over the WebSocket -------------------------------------------------------------------

  async #useSocket() {
    if (this.#closing || this.transport === "socket") return;
    this.#clear("mend");
    this.#carriedBy("socket");
    try {
      this.sound = new SocketSound(this.room);
      await this.sound.open();
      if (this.microphone) this.sound.send(this.microphone, () => this.#socket);
      this.#send({ type: "audio", on: true });
      this.#speaker(this.sound.stream);
    } catch {
      this.#tell("notice", { type: "notice", code: "unsupported", message: "" });
    }
    if (globalThis.RTCPeerConnection) this.#after("retry", RETRY_WEBRTC, () => this.#retry());
  }

  async #retry() {
    if (this.#closing || this.transport !== "socket") return;
    this.#after("retry", RETRY_WEBRTC, () => this.#retry());
    if (!this.#lostAt) await this.#newPeer().catch(() => null);
  }

  #leaveSocket() {
    if (!this.sound) return;
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
    const line = this.#peer?.getTransceivers()[0];
    if (line) await line.sender.replaceTrack(track);
    this.sound?.send(this.microphone, () => this.#socket);
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
    return this.#send({ type: "text", text });
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
    const figures = await this.measures.report(this.#peer, interrupted).catch(() => null);
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

  #pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#queue.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  }
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  made.promise.catch(() => null); // one that nobody awaits is no error
  return made;
}

/** Wait until the browser knows its addresses, or long enough. */
function gathered(peer) {
  if (peer.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ICE_GATHER);
    peer.addEventListener("icegatheringstatechange", () => {
      if (peer.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
