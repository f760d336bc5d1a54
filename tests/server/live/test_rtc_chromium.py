"""A real Chromium as the visitor: both codecs, a microphone, an ICE restart; measured in the page."""

from __future__ import annotations

import asyncio
import shutil
import time
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.live.ice import IceSettings
from server.live.rtc import Peer
from tests.server.live.coturn import turn_server
from tests.server.live.rtc_client import moment, until

SIZE = (512, 512)
PAGE = """<!doctype html><video id=v autoplay playsinline></video><script>
const flashes = [], clicks = [], shown = [];
let pc;
async function gathered() {
  if (pc.iceGatheringState === "complete") return;
  await new Promise(done => pc.addEventListener("icegatheringstatechange",
    () => pc.iceGatheringState === "complete" && done()));
}
async function negotiate(restart) {
  await pc.setLocalDescription(await pc.createOffer({iceRestart: restart}));
  await gathered();
  await pc.setRemoteDescription({type: "answer", sdp: await answer(pc.localDescription.sdp)});
}
async function begin([codec, config]) {
  const ctx = new AudioContext();
  await ctx.audioWorklet.addModule(URL.createObjectURL(new Blob([`registerProcessor("ear",
    class extends AudioWorkletProcessor { process([input]) {
      const pcm = input[0];
      if (pcm) for (let i = 0; i < pcm.length; i++)
        if (Math.abs(pcm[i]) > 0.2) {
          if (!this.quiet || currentFrame + i - this.quiet > sampleRate * 0.2)
            this.port.postMessage((currentFrame + i) / sampleRate);
          this.quiet = currentFrame + i;
        }
      return true; } })`], {type: "text/javascript"})));
  const ear = new AudioWorkletNode(ctx, "ear");
  ear.port.onmessage = ({data}) => {
    const now = ctx.getOutputTimestamp();
    clicks.push(now.performanceTime + (data - now.contextTime) * 1000);
  };
  pc = new RTCPeerConnection(config);
  const mic = await navigator.mediaDevices.getUserMedia({audio: true});
  pc.addTransceiver(mic.getAudioTracks()[0], {direction: "sendrecv", streams: [mic]});
  const video = pc.addTransceiver("video", {direction: "recvonly"});
  const known = RTCRtpReceiver.getCapabilities("video").codecs;
  const mine = known.filter(c => c.mimeType === "video/" + codec);
  video.setCodecPreferences([...mine, ...known.filter(c => !mine.includes(c))]);
  const v = document.getElementById("v"), stream = new MediaStream(), small = new OffscreenCanvas(8, 8);
  const look = small.getContext("2d", {willReadFrequently: true});
  pc.ontrack = ({track}) => {
    stream.addTrack(track);
    v.srcObject = stream;
    if (track.kind === "audio") ctx.createMediaStreamSource(new MediaStream([track])).connect(ear);
  };
  let bright = false;
  const frame = (now, about) => {
    look.drawImage(v, 0, 0, 8, 8);
    const light = look.getImageData(4, 1, 1, 1).data[1] > 200;
    shown.push(now);
    if (light && !bright) flashes.push(about.expectedDisplayTime);
    bright = light;
    v.requestVideoFrameCallback(frame);
  };
  v.requestVideoFrameCallback(frame);
  ear.connect(ctx.destination);
  await negotiate(false);
}
async function report() {
  const found = {flashes, clicks, shown, state: pc.connectionState};
  for (const s of (await pc.getStats()).values())
    if (s.type === "inbound-rtp") found[s.kind] = s;
    else if (s.type === "local-candidate" && s.candidateType === "relay") found.relay = s.relayProtocol;
  return JSON.parse(JSON.stringify(found));
}
</script>"""


def a_voice(path: Path) -> Path:
    """Two seconds of a hum that swells, 48 kHz, for the fake microphone."""
    at = np.arange(96_000) / 48_000
    pcm = (9000 * np.abs(np.sin(np.pi * at)) * np.sin(2 * np.pi * 300 * at)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(pcm.tobytes())
    return path


@asynccontextmanager
async def chromium_page(voice: Path) -> AsyncIterator[Any]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={voice}",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        page = await browser.new_page()
        await page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        await page.goto("http://localhost/")
        yield page
        await browser.close()


async def play_on(peer: Peer, size: tuple[int, int]) -> None:
    """Moments in real time until cancelled."""
    began, index = time.monotonic(), 0
    while True:
        await asyncio.sleep(max(0.0, began + index * 0.04 - time.monotonic()))
        peer.take(moment(index, size))
        index += 1


async def talk(
    voice: Path,
    codec: str,
    seconds: float = 2.0,
    *,
    enough: Callable[[dict[str, Any]], bool] = lambda _: True,
    restart: bool = False,
    ice: IceSettings | None = None,
) -> dict[str, Any]:
    """Show marks to a Chromium and return what its page saw, with the server's own figures."""
    heard: list[Any] = []
    states: list[str] = []
    peer = Peer(size=SIZE, ice=ice or IceSettings(), on_audio=heard.append, on_state=states.append)
    config = {"iceServers": ice.for_browser("visit"), "iceTransportPolicy": "relay"} if ice else {}
    async with chromium_page(voice) as page:
        await page.expose_function("answer", peer.answer)
        playing = asyncio.create_task(play_on(peer, SIZE))
        await page.evaluate("choice => begin(choice)", [codec, config])
        await until(lambda: peer.stats().state == "connected", 20)
        await asyncio.sleep(seconds)
        report: dict[str, Any] = await page.evaluate("report()")
        end = time.monotonic() + 40.0
        while not enough(report):
            assert time.monotonic() < end, report
            await asyncio.sleep(0.5)
            report = await page.evaluate("report()")
        if restart:
            await page.evaluate("negotiate(true)")
            await until(lambda: states.count("connected") == 2 and peer.stats().state == "connected", 20)
            for _ in range(40):
                await asyncio.sleep(0.5)
                report["after"] = await page.evaluate("report()")
                if len(report["after"]["clicks"]) > len(report["clicks"]):
                    break
        report["server"] = peer.stats()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
    await peer.close()
    report["heard"] = np.concatenate(heard) if heard else np.zeros(0)
    return report


def skews_ms(report: dict[str, Any]) -> np.ndarray[Any, Any]:
    """Sound minus picture of each mark, ms; the first marks are left out while the two settle."""
    clicks = np.array(report["clicks"])
    return np.array([clicks[np.argmin(np.abs(clicks - flash))] - flash for flash in report["flashes"][2:]])


@pytest.mark.parametrize("codec", ["VP8", "H264"])
async def test_chromium_sees_hears_and_is_heard(tmp_path: Path, codec: str) -> None:
    def enough(report: dict[str, Any]) -> bool:
        return min(len(report["flashes"]) - 3, len(report["clicks"]) - 3, len(report["shown"]) - 50) > 0

    report = await talk(a_voice(tmp_path / "voice.wav"), codec, enough=enough)
    assert report["server"].codec == codec
    assert report["video"]["frameWidth"] >= SIZE[0] // 2
    # a wrong pairing of the two clocks would be seconds; what is left depends on the machine's load
    assert abs(float(np.median(skews_ms(report)))) < 300
    assert len(report["heard"]) > 16_000
    assert np.abs(report["heard"]).max() > 0.05


async def test_chromium_goes_on_after_an_ice_restart(tmp_path: Path) -> None:
    report = await talk(a_voice(tmp_path / "voice.wav"), "VP8", restart=True)
    assert report["after"]["state"] == "connected"
    assert len(report["after"]["shown"]) > len(report["shown"]) + 10
    assert len(report["after"]["clicks"]) > len(report["clicks"])


async def test_chromium_talks_through_a_relay_where_only_tcp_gets_out(tmp_path: Path) -> None:
    def enough(report: dict[str, Any]) -> bool:
        return len(report["shown"]) > 25 and len(report["clicks"]) > 1

    async with turn_server(tmp_path, "only for this test") as port:
        ice = IceSettings(turn=(f"turn:127.0.0.1:{port}?transport=tcp",), turn_secret="only for this test")
        report = await talk(a_voice(tmp_path / "voice.wav"), "VP8", enough=enough, ice=ice)
    assert report["relay"] == "tcp"
    assert len(report["heard"]) > 16_000
