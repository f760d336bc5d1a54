/** One WebRTC connection: the visitor's voice up, face and voice of the assistant down. */

/** Addresses found later are left out: the answer does not trickle either. Milliseconds. */
const ICE_GATHER = 1500;

/** What receivers keep in hand: pictures leave the server 30 ms after their sound and are decoded quicker. */
const BUFFER_MS = { audio: 60, video: 80 };

/** An RTCPeerConnection that offers, and offers again. */
export class Peer {
  /**
   * @param {object} given
   * @param {RTCIceServer[]} given.iceServers
   * @param {MediaStreamTrack | undefined} given.track  the microphone's
   * @param {(sdp: string) => Promise<string>} given.exchange  sends an offer, resolves to its answer
   * @param {(state: RTCPeerConnectionState) => void} given.onState
   * @param {(stream: MediaStream) => void} given.onStream  once, with picture and sound
   */
  constructor({ iceServers, track, exchange, onState, onStream }) {
    this.exchange = exchange;
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    const stream = new MediaStream();
    // a line for the voice is there even without a microphone: one that is allowed later needs no new offer
    this.voice = this.connection.addTransceiver(track ?? "audio", { direction: "sendrecv" });
    this.connection.addTransceiver("video", { direction: "recvonly" });
    this.connection.ontrack = ({ track: got, receiver }) => {
      // Left alone, Chromium begins with more buffer for sound than for pictures and takes 20 s to even that out.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = BUFFER_MS[got.kind];
      stream.addTrack(got);
      if (stream.getTracks().length === 2) onStream(stream);
    };
    this.connection.onconnectionstatechange = () => onState(this.connection.connectionState);
  }

  get connected() {
    return this.connection.connectionState === "connected";
  }

  /** Look for ways with the help of these from the next offer on. @param {RTCIceServer[]} iceServers */
  useServers(iceServers) {
    this.connection.setConfiguration({ iceServers, bundlePolicy: "max-bundle" });
  }

  /** Offer; with `iceRestart` the connection looks for a new way through the network. */
  async offer({ iceRestart = false } = {}) {
    const { connection } = this;
    await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
    await gathered(connection);
    const sdp = await this.exchange(connection.localDescription.sdp);
    if (connection.signalingState !== "closed") await connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** Speak with another microphone. */
  async speakWith(track) {
    await this.voice.sender.replaceTrack(track);
  }

  close() {
    this.connection.ontrack = null;
    this.connection.onconnectionstatechange = null;
    this.connection.close();
  }
}

/** A promise that is settled from outside. */
export function deferred() {
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
