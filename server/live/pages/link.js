/** The WebSocket of a conversation, which finds its way back. */

/** Milliseconds. */
const WITHIN = 60_000; // the server keeps a conversation so long
const WAITS = [200, 400, 800, 1500, 3000, 5000]; // between tries; the last again and again
/** A first connection that fails so often will not come about: something on the way knows no WebSockets. */
const FIRST_TRIES = 4;

/** How a close code ends a conversation for good: RFC 6455's 1008, and this server's own 44xx. */
const isFinal = (code) => code === 1008 || (code >= 4400 && code < 4500);

/** Sends and receives; after a loss it connects again, with waits, for a minute. */
export class Link {
  #socket = null;
  #timer = 0;
  #tries = 0;
  #lostAt = 0;
  #entered = false;
  #closed = false;
  #hurry = () => this.#retryNow();

  /**
   * @param {object} given
   * @param {URL} given.address
   * @param {object} given.hello  the first message of every connection
   * @param {(message: object) => void} given.onMessage
   * @param {(sound: ArrayBuffer) => void} given.onSound
   * @param {() => void} given.onLost  once for each loss
   * @param {(code: string) => void} given.onGone  it will not come back: "lost", or what the server said
   * @param {() => void} given.onImpossible  it never came about
   */
  constructor(given) {
    this.given = given;
    addEventListener("online", this.#hurry);
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** The WebSocket of the moment, for sound. */
  get socket() {
    return this.#socket;
  }

  get lost() {
    return this.#lostAt > 0;
  }

  connect() {
    const socket = new WebSocket(this.given.address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify(this.given.hello));
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.given.onMessage(JSON.parse(data));
      else this.given.onSound(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket || this.#closed) return;
      this.#socket = null;
      if (isFinal(code)) this.given.onGone(reason || "server");
      else this.#lose();
    };
  }

  /** The server has let this connection in. @returns {boolean} whether another had been lost before */
  enter() {
    const again = this.#lostAt > 0 && this.#entered;
    this.#entered = true;
    this.#lostAt = 0;
    this.#tries = 0;
    return again;
  }

  /** @returns {boolean} whether it could be sent */
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #lose() {
    const now = performance.now();
    if (!this.#lostAt) {
      this.#lostAt = now;
      if (this.#entered) this.given.onLost();
    }
    if (!this.#entered && this.#tries >= FIRST_TRIES) {
      this.given.onImpossible();
      return;
    }
    const wait = WAITS[Math.min(this.#tries, WAITS.length - 1)];
    if (now - this.#lostAt + wait > WITHIN) {
      this.given.onGone("lost");
      return;
    }
    this.#tries += 1;
    this.#timer = setTimeout(() => this.#retryNow(), wait);
  }

  #retryNow() {
    if (!this.#timer || this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.connect();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener("online", this.#hurry);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) setTimeout(() => socket.close(1000), 50); // lets the last message leave first
  }
}
