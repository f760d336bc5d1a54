/** What the visitor's side alone can know: when sound was heard, how picture and sound lie to each other, freezes. */

/** Voice at the microphone: above its noise; pauses of a breath lie inside it. */
const LOCAL = { least: 0.006, ratio: 3, hang_s: 0.2 };
/** Voice of the assistant: the line is digitally silent between sentences. */
const REMOTE = { least: 0.003, ratio: 1, hang_s: 0.12 };
/** A picture that stands longer than this counts as frozen, milliseconds. */
const FREEZE_MS = 200;
/** A reply that falls silent within this time of the visitor's words was interrupted by them, seconds. */
const YIELDS_S = 0.7;
/** A first sound later than this belongs to something else, milliseconds. */
const LONGEST_WAIT_MS = 20_000;

/** Measures one conversation and makes reports of it. */
export class Measures {
  #ends = [];
  #pendingS = null;
  #thought = false;
  #overlapS = null;
  #localEndS = Infinity;
  #remoteVoiced = false;
  #video = null;
  #watch = 0;
  #lastFrameMs = null;
  #frames = 0;
  #sinceMs = performance.now();
  #before = new Map();

  /**
   * @param {import("./sound.js").SoundRoom} room
   * @param {(level: {level: number, voiced: boolean, silent_s: number}) => void} onLevel  the microphone's
   */
  constructor(room, onLevel) {
    this.room = room;
    this.onLevel = onLevel;
    this.firstSoundMs = null;
    this.interruptMs = null;
    this.freezes = 0;
    this.longestGapMs = 0;
    this.remoteLevel = 0;
    this.remoteSoundedAt = 0;
  }

  async local(stream) {
    this.#ends.push(await this.room.meter(stream, LOCAL, (told) => this.#heardLocal(told)));
  }

  async remote(stream) {
    this.#ends.push(await this.room.meter(stream, REMOTE, (told) => this.#heardRemote(told)));
  }

  /** A question was typed: neither what it interrupts nor what answers it is a matter of voices. */
  typed() {
    this.#pendingS = null;
    this.#overlapS = null;
  }

  /** The server's word that a turn is being thought about: what sounds next answers the visitor. */
  thinking() {
    this.#thought = true;
  }

  #heardLocal(told) {
    if (told.type === "level") this.onLevel(told);
    else if (told.type === "onset") {
      this.#localEndS = Infinity;
      if (this.#remoteVoiced) this.#overlapS = told.at_s;
    } else {
      this.#localEndS = told.at_s;
      this.#pendingS = told.at_s;
      this.#thought = false;
    }
  }

  #heardRemote(told) {
    if (told.type === "level") this.remoteLevel = told.level;
    if (told.type === "onset" || told.voiced) this.remoteSoundedAt = performance.now();
    if (told.type === "onset") {
      this.#remoteVoiced = true;
      const waitMs = this.#pendingS === null ? -1 : (told.at_s - this.#pendingS) * 1000;
      if (this.#thought && waitMs > 0 && waitMs < LONGEST_WAIT_MS) this.firstSoundMs = waitMs;
      if (this.#thought) this.#pendingS = null;
    } else if (told.type === "offset") {
      this.#remoteVoiced = false;
      const meant = told.at_s - this.#localEndS < YIELDS_S; // else the reply ended by itself, long after a cough
      if (this.#overlapS !== null && told.at_s > this.#overlapS && meant) this.interruptMs = (told.at_s - this.#overlapS) * 1000;
      this.#overlapS = null;
    }
  }

  /** Count the frames that are shown. */
  watch(video) {
    this.#video = video;
    if (!video.requestVideoFrameCallback) return;
    const seen = (nowMs) => {
      this.#frames += 1;
      if (this.#lastFrameMs !== null && document.visibilityState === "visible") {
        const gap = nowMs - this.#lastFrameMs;
        this.longestGapMs = Math.max(this.longestGapMs, gap);
        if (gap > FREEZE_MS) this.freezes += 1;
      }
      this.#lastFrameMs = nowMs;
      this.#watch = video.requestVideoFrameCallback(seen);
    };
    this.#watch = video.requestVideoFrameCallback(seen);
    const hidden = () => {
      this.#lastFrameMs = null; // a page in the background draws nothing, and that is no freeze
    };
    document.addEventListener("visibilitychange", hidden);
    this.#ends.push(() => document.removeEventListener("visibilitychange", hidden));
  }

  /** Milliseconds since a frame was shown; 0 before the first and while the page is hidden. */
  stillMs() {
    return this.#lastFrameMs === null ? 0 : performance.now() - this.#lastFrameMs;
  }

  /**
   * Sum up since the last report.
   *
   * @param {RTCPeerConnection | null} peer
   * @param {boolean} interrupted  the turn that is reported was interrupted
   * @returns {Promise<object>} figures in milliseconds unless their name says otherwise; what is unknown is left out
   */
  async report(peer, interrupted = false) {
    const nowMs = performance.now();
    const spanS = (nowMs - this.#sinceMs) / 1000;
    const report = { freezes: this.freezes };
    if (this.#frames > 0 && spanS > 1) report.fps = round(this.#frames / spanS);
    if (this.longestGapMs > 0) report.longest_gap_ms = round(this.longestGapMs);
    if (this.firstSoundMs !== null) report.first_sound_ms = round(this.firstSoundMs);
    if (interrupted && this.interruptMs !== null) report.interrupt_ms = round(this.interruptMs);
    const outputS = this.room.context.outputLatency;
    if (outputS > 0) report.output_ms = round(outputS * 1000);
    Object.assign(report, peer ? await this.#line(peer) : {});
    this.#sinceMs = nowMs;
    this.#frames = 0;
    this.freezes = 0;
    this.longestGapMs = 0;
    this.firstSoundMs = null;
    this.interruptMs = null;
    return report;
  }

  async #line(peer) {
    const found = {};
    const playing = {};
    for (const one of (await peer.getStats()).values()) {
      if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined)
        found.rtt_ms = round(one.currentRoundTripTime * 1000);
      if (one.type !== "inbound-rtp") continue;
      if (one.estimatedPlayoutTimestamp) playing[one.kind] = one.estimatedPlayoutTimestamp;
      const held = this.#since(`${one.kind}.held`, one.jitterBufferDelay);
      const emitted = this.#since(`${one.kind}.emitted`, one.jitterBufferEmittedCount);
      if (emitted > 0) found[one.kind === "audio" ? "buffer_ms" : "video_buffer_ms"] = round((held / emitted) * 1000);
      if (one.kind !== "audio") continue;
      found.jitter_ms = round((one.jitter ?? 0) * 1000);
      const lost = this.#since("lost", one.packetsLost);
      const got = this.#since("got", one.packetsReceived);
      if (lost + got > 0) found.loss = round(lost / (lost + got), 4);
      const made = this.#since("made", one.totalSamplesReceived);
      const concealed = this.#since("concealed", one.concealedSamples) - this.#since("quiet", one.silentConcealedSamples);
      if (made > 0) found.concealed = round(Math.max(0, concealed) / made, 4);
    }
    // both are the sender's clock of what is being played now; positive: the sound comes later than its picture
    if (playing.audio && playing.video) found.skew_ms = round(playing.video - playing.audio);
    return found;
  }

  #since(name, value = 0) {
    const before = this.#before.get(name) ?? 0;
    this.#before.set(name, value);
    return Math.max(0, value - before);
  }

  close() {
    if (this.#watch && this.#video) this.#video.cancelVideoFrameCallback(this.#watch);
    for (const end of this.#ends.splice(0)) end();
  }
}

function round(value, digits = 1) {
  return Number(value.toFixed(digits));
}
