/** Audio processors: they run on the browser's sound thread, where timing is exact to the sample. */

/** Samples a level is taken of: 10.7 ms at 48 kHz. */
const BLOCK = 512;

/**
 * Tells when there is voice, and how loud it is.
 * Posts {type: "onset" | "offset", at_s} (context time of the first, the last voiced block) and {type: "level", level, silent_s}.
 */
class Meter extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.least = processorOptions.least; // RMS below which nothing counts as voice
    this.ratio = processorOptions.ratio; // times the noise floor that voice has at least
    this.hangS = processorOptions.hang_s; // pauses up to here lie inside the voice
    this.floor = this.least;
    this.sum = 0;
    this.count = 0;
    this.peak = 0;
    this.voiced = false;
    this.run = 0;
    this.lastS = 0;
    this.reportedS = 0;
    this.deadSince = currentTime;
  }

  process(inputs) {
    const channel = inputs[0]?.[0];
    for (let at = 0; at < 128; at += 1) {
      const sample = channel ? channel[at] : 0;
      this.sum += sample * sample;
    }
    this.count += 128;
    if (this.count >= BLOCK) this.block(currentTime + 128 / sampleRate);
    return true;
  }

  block(endS) {
    const rms = Math.sqrt(this.sum / this.count);
    const lengthS = this.count / sampleRate;
    this.sum = 0;
    this.count = 0;
    if (rms > 1e-6) this.deadSince = endS;
    this.floor = rms < this.floor ? 0.9 * this.floor + 0.1 * rms : Math.min(this.floor * 1.0015 + 1e-7, 0.05);
    const loud = rms > Math.max(this.least, this.floor * this.ratio);
    this.run = loud ? this.run + 1 : 0;
    if (loud && (this.voiced || this.run >= 2)) {
      this.lastS = endS;
      if (!this.voiced) {
        this.voiced = true;
        this.port.postMessage({ type: "onset", at_s: endS - 2 * lengthS });
      }
    } else if (this.voiced && endS - this.lastS > this.hangS) {
      this.voiced = false;
      this.port.postMessage({ type: "offset", at_s: this.lastS });
    }
    this.peak = Math.max(this.peak, rms);
    if (endS - this.reportedS >= 0.05) {
      this.port.postMessage({ type: "level", level: this.peak, voiced: this.voiced, silent_s: endS - this.deadSince });
      this.reportedS = endS;
      this.peak = 0;
    }
  }
}

/** Posts what comes in as PCM16 pieces of 20 ms at 16 kHz, each sample the mean of those it stands for. */
class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ratio = sampleRate / 16000;
    this.piece = new Int16Array(320);
    this.filled = 0;
    this.sum = 0;
    this.weight = 0;
  }

  process(inputs) {
    const channel = inputs[0]?.[0];
    if (!channel) return true;
    for (const sample of channel) {
      let left = 1;
      while (left > 0) {
        const take = Math.min(left, this.ratio - this.weight);
        this.sum += sample * take;
        this.weight += take;
        left -= take;
        if (this.weight >= this.ratio - 1e-9) this.put(this.sum / this.weight);
      }
    }
    return true;
  }

  put(sample) {
    this.sum = 0;
    this.weight = 0;
    this.piece[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32767)));
    this.filled += 1;
    if (this.filled === this.piece.length) {
      const sent = this.piece.slice().buffer;
      this.port.postMessage(sent, [sent]);
      this.filled = 0;
    }
  }
}

/** Plays PCM16 at 24 kHz as it arrives: begins with 80 ms in hand, never holds more than 600 ms. */
class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = 24000 / sampleRate;
    this.queue = new Float32Array(14400);
    this.start = 0;
    this.held = 0;
    this.phase = 0;
    this.playing = false;
    this.port.onmessage = ({ data }) => {
      if (data === "flush") this.held = 0;
      else this.take(new Int16Array(data));
    };
  }

  take(piece) {
    const room = this.queue.length;
    for (const sample of piece) {
      this.queue[(this.start + this.held) % room] = sample / 32768;
      if (this.held < room) this.held += 1;
      else this.start = (this.start + 1) % room;
    }
  }

  process(_, outputs) {
    const room = this.queue.length;
    if (!this.playing && this.held >= 1920) this.playing = true;
    for (let at = 0; at < 128; at += 1) {
      let sample = 0;
      if (this.playing && this.held >= 2) {
        const now = this.queue[this.start];
        sample = now + (this.queue[(this.start + 1) % room] - now) * this.phase;
        this.phase += this.step;
        while (this.phase >= 1 && this.held > 0) {
          this.phase -= 1;
          this.start = (this.start + 1) % room;
          this.held -= 1;
        }
      } else this.playing = false;
      for (const channel of outputs[0]) channel[at] = sample;
    }
    return true;
  }
}

registerProcessor("visavis-meter", Meter);
registerProcessor("visavis-capture", Capture);
registerProcessor("visavis-playback", Playback);
