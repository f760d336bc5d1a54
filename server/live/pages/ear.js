/** The kiosk's ear while nobody talks: opens the microphone once and starts a conversation when somebody speaks. */

import { openMicrophone } from "./sound.js";

/** Above the hall's noise by 12 dB, and no whisper from afar: somebody stands in front of the screen. */
const VOICE = { least: 0.02, ratio: 4, hang_s: 0.25 };
/** Voice lasts at least so long, seconds; a cough and a slammed door do not. */
const LEAST_S = 0.35;
/** A screen that has just become free is deaf to the visitor who leaves, milliseconds. */
const DEAF = 4000;
/** A microphone that is missing is looked for again after so long, milliseconds. */
const AGAIN = 15_000;

/** Calls `spoken` when voice was heard while it listens. */
export class Ear {
  #since = null;
  #listens = false;
  #deafUntil = 0;

  constructor(room, spoken) {
    this.room = room;
    this.spoken = spoken;
    this.stream = null;
  }

  /** Whether a voice would be noticed now. */
  get hears() {
    return this.stream !== null && this.room.context.state === "running";
  }

  async open() {
    try {
      this.stream = await openMicrophone();
      await this.room.wake();
      await this.room.meter(this.stream, VOICE, (told) => this.#told(told));
      this.stream.getAudioTracks()[0].addEventListener("ended", () => this.#again());
    } catch {
      this.#again();
    }
  }

  #again() {
    this.stream = null;
    setTimeout(() => this.open(), AGAIN);
  }

  #told({ type, at_s, voiced }) {
    if (type === "onset") this.#since = at_s;
    if (type === "offset") this.#since = null;
    if (!this.#listens || !voiced || this.#since === null || performance.now() < this.#deafUntil) return;
    if (this.room.context.currentTime - this.#since < LEAST_S) return;
    this.#listens = false;
    this.spoken();
  }

  /** @param {boolean} afterTalk  a visitor has just left */
  listen(afterTalk) {
    this.#listens = true;
    this.#since = null;
    this.#deafUntil = afterTalk ? performance.now() + DEAF : 0;
  }

  rest() {
    this.#listens = false;
  }

  /** The next visitor is heard even if this one had muted the microphone. */
  unmute() {
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = true;
  }
}
