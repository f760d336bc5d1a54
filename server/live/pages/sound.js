/** The microphone, level meters, and sound over the WebSocket. */

/** What the browser's own processing is asked for; echo cancellation keeps the assistant from hearing itself. */
const MICROPHONE = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
};

/** Bytes that may wait in the WebSocket before pieces of the microphone are dropped: two seconds. */
const WAITING_BYTES = 64_000;

/** An error with a code of strings.js: mic_refused, mic_missing, mic_busy, mic_insecure. */
export class MicrophoneError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/** Open the microphone. Throws MicrophoneError. */
export async function openMicrophone() {
  if (!globalThis.isSecureContext || !navigator.mediaDevices?.getUserMedia) throw new MicrophoneError("mic_insecure");
  try {
    return await navigator.mediaDevices.getUserMedia(MICROPHONE);
  } catch (error) {
    const codes = { NotFoundError: "mic_missing", OverconstrainedError: "mic_missing", NotReadableError: "mic_busy", AbortError: "mic_busy" };
    throw new MicrophoneError(codes[error.name] ?? "mic_refused", error);
  }
}

/** One AudioContext for everything on the page: its clock relates the microphone to the loudspeaker. */
export class SoundRoom {
  #ready = null;

  constructor() {
    this.context = new AudioContext({ latencyHint: "interactive" });
  }

  /** Load the processors, once. */
  ready() {
    this.#ready ??= this.context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    return this.#ready;
  }

  /** Wake up; a browser lets sound begin only after a touch or a key, and else leaves the promise open. */
  async wake() {
    if (this.context.state === "suspended")
      await Promise.race([this.context.resume(), new Promise((resolve) => setTimeout(resolve, 300))]);
    return this.context.state === "running";
  }

  /**
   * Watch a stream's loudness.
   *
   * @param {MediaStream} stream
   * @param {{least: number, ratio: number, hang_s: number}} options  see worklet.js
   * @param {(message: object) => void} told
   * @returns {Promise<() => void>} ends the watch
   */
  async meter(stream, options, told) {
    await this.ready();
    const source = this.context.createMediaStreamSource(stream);
    const node = new AudioWorkletNode(this.context, "visavis-meter", { numberOfOutputs: 0, processorOptions: options });
    node.port.onmessage = ({ data }) => told(data);
    source.connect(node);
    return () => {
      node.port.onmessage = null;
      source.disconnect();
    };
  }

  async close() {
    if (this.context.state !== "closed") await this.context.close();
  }
}

/** Both directions of sound over a WebSocket, where WebRTC cannot pass: PCM16, 16 kHz up, 24 kHz down. */
export class SocketSound {
  #close = [];

  constructor(room) {
    this.room = room;
    this.destination = room.context.createMediaStreamDestination();
  }

  /** The assistant's voice, for an audio element (which Chromium's echo canceller hears) and for meters. */
  get stream() {
    return this.destination.stream;
  }

  async open() {
    await this.room.ready();
    this.player = new AudioWorkletNode(this.room.context, "visavis-playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.player.connect(this.destination);
    this.#close.push(() => this.player.disconnect());
  }

  /** Send a microphone's sound; pieces that a slow network cannot take are dropped. */
  send(microphone, socket) {
    const source = this.room.context.createMediaStreamSource(microphone);
    const capture = new AudioWorkletNode(this.room.context, "visavis-capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => {
      const into = socket();
      if (into?.readyState === WebSocket.OPEN && into.bufferedAmount < WAITING_BYTES) into.send(data);
    };
    source.connect(capture);
    this.#close.push(() => {
      capture.port.onmessage = null;
      source.disconnect();
    });
  }

  /** Play a piece. @param {ArrayBuffer} piece */
  play(piece) {
    this.player?.port.postMessage(piece, [piece]);
  }

  /** Forget what waits to be played. */
  flush() {
    this.player?.port.postMessage("flush");
  }

  close() {
    for (const one of this.#close.splice(0)) one();
  }
}
