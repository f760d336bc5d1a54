"""The pages in a real Chromium, against a server that plays a script."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from server.live.telling import FOR_VISITORS
from tests.server.live.scripted_server import PAGES, Script, ScriptedServer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed here (apt install chromium)"
)

REFUSE = """
Object.defineProperty(navigator.mediaDevices, "getUserMedia", {
  value: () => Promise.reject(new DOMException("no", "NotAllowedError")) });
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser whose microphone beeps and asks nobody."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        browser.close()


class Visit:
    """A page that is being visited, with what went wrong on it."""

    def __init__(self, page: Any, script: Script, address: str) -> None:
        self.page, self.script, self.address = page, script, address
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: said.type == "error" and self.complaints.append(f"{said.text} {said.location}"),
        )
        page.on("request", lambda request: self.hosts.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url)))

    def start(self, button: str = "Start talking") -> None:
        """Begin the conversation."""
        self.page.get_by_role("button", name=button, exact=True).click()
        self.until(lambda: bool(self.script.sessions), "a session")
        self.page.wait_for_selector(".composer .send:enabled")

    def say(self, text: str) -> None:
        """Type a question."""
        self.page.fill("#say", text)
        self.page.press("#say", "Enter")

    def until(self, condition: Callable[[], bool], what: str, within_s: float = 10.0) -> None:
        """Wait for something that the server sees."""
        end = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end, f"waited in vain for {what}"
            self.page.wait_for_timeout(25)


Opens = Callable[..., Visit]


@pytest.fixture
def visit(chromium: Any) -> Iterator[Opens]:
    """Open a page of a scripted server; at the end nothing may have gone wrong unseen on it."""
    with ExitStack() as stack:
        visits: list[Visit] = []

        def opens(path: str = "/", script: Script | None = None, *, init: str = "", **context: Any) -> Visit:
            script = script or Script()
            address = stack.enter_context(ScriptedServer(script).running())
            opened = chromium.new_context(**{"locale": "en-GB", **context})
            stack.callback(opened.close)
            if init:
                opened.add_init_script(init)
            found = Visit(opened.new_page(), script, address)
            visits.append(found)
            found.page.goto(address + path)
            return found

        yield opens
        for one in visits:
            assert one.complaints == []


def test_a_typed_question_is_shown_answered_and_captioned(visit: Opens) -> None:
    here = visit()
    here.start("Type instead")
    here.say("Can I send this back?")
    page = here.page
    page.wait_for_selector(".caption:visible")
    page.locator(".caption").get_by_text("Refunds reach you in five working days.").wait_for()
    page.get_by_text("Refunds reach you in five working days.").first.wait_for()
    assert page.inner_text(".line.visitor .words") == "Can I send this back?"
    assert page.inner_text(".line.reply .words") == (
        "You can return anything within 30 days. Refunds reach you in five working days."
    )
    assert here.script.of("text") == [{"type": "text", "text": "Can I send this back?"}]
    helped, not_so = (
        page.get_by_role("button", name=f"This answer {what}") for what in ("helped", "did not help")
    )
    not_so.click()
    helped.click()
    assert [one.get_attribute("aria-pressed") for one in (helped, not_so)] == ["true", "false"]
    helped.press("Enter")
    assert helped.get_attribute("aria-pressed") == "false"
    here.until(lambda: len(here.script.of("rate")) == 3, "the ratings")
    assert [one["value"] for one in here.script.of("rate")] == [-1, 1, 0]
    assert page.locator(".line.reply").count() == page.locator(".rate").count() == 1


def test_a_chinese_visitor_gets_the_page_and_the_captions_in_chinese(visit: Opens) -> None:
    here = visit(locale="zh-CN")
    here.start("改用打字")
    here.say("可以退货吗？")
    page = here.page
    page.wait_for_selector(".caption:visible")
    assert page.get_attribute(".caption", "lang") == "zh"
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "三十天" in page.inner_text(".line.reply .words")
    assert here.script.sessions[0].language == "zh"


def test_links_and_lists_of_an_answer_are_shown_and_never_run(visit: Opens) -> None:
    cards = [
        {"form": "steps", "title": "How to", "items": ["Print <b>it</b>.", "Post it."], "url": ""},
        {"form": "link", "title": "Our form", "items": [], "url": "https://shop.example/form"},
        {"form": "link", "title": "Bad one", "items": [], "url": "javascript:alert(1)"},
    ]
    here = visit(script=Script(cards=cards))
    here.start("Type instead")
    here.say("Returns?")
    shown = here.page.locator(".line.reply .shown")
    here.until(lambda: shown.count() == 3, "the cards")
    assert shown.nth(0).locator("ol li").all_inner_texts() == ["Print <b>it</b>.", "Post it."]
    assert shown.nth(1).get_by_role("link").get_attribute("href") == "https://shop.example/form"
    assert shown.nth(2).get_by_role("link").count() == 0
    assert "Bad one" in shown.nth(2).inner_text()


def test_the_words_of_a_source_never_become_markup(visit: Opens) -> None:
    here = visit()
    here.start("Type instead")
    here.say("Returns?")
    here.page.get_by_role("button", name="Show where this comes from: Returns and refunds").click()
    dialog = here.page.get_by_role("dialog")
    assert "<img src=x onerror=alert(1)>" in dialog.inner_text()
    assert dialog.locator("img").count() == 0
    link = dialog.get_by_role("link")
    assert link.get_attribute("href") == "https://shop.example/manual.pdf#page=3"
    assert "page 3 · After delivery" in dialog.inner_text()
    assert "noopener" in (link.get_attribute("rel") or "")
    here.page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_only_web_addresses_become_links(visit: Opens) -> None:
    here = visit()
    code = 'async (text) => (await import("/pages/dom.js")).webAddress(text)'
    for address in ("javascript:alert(1)", "data:text/html,x", "en/returns.md", "file:///x"):
        assert here.page.evaluate(code, address) is None
    assert here.page.evaluate(code, "https://shop.example/a") == "https://shop.example/a"


def test_picture_and_sound_arrive_and_are_measured(visit: Opens) -> None:
    here = visit()
    here.start()
    here.page.wait_for_selector(".has-video")
    here.page.wait_for_timeout(1500)
    here.say("Can I send this back?")
    here.until(lambda: bool(here.script.of("report")), "a report")
    report = here.script.of("report")[0]
    assert report["turn"] == 1
    assert report["fps"] > 0
    assert report["jitter_ms"] is not None
    here.page.wait_for_timeout(1500)  # the clocks of picture and sound come with the sender's reports
    here.say("And that?")
    here.until(lambda: len(here.script.of("report")) > 1, "a second report")
    assert isinstance(here.script.of("report")[1]["skew_ms"], float)


def test_stop_leaves_only_what_was_heard(visit: Opens) -> None:
    here = visit(script=Script(sentence_s=60.0))
    here.start("Type instead")
    stop = here.page.get_by_role("button", name="Stop the answer")
    assert stop.is_disabled()
    here.say("Returns?")
    here.page.wait_for_selector(".line.reply")
    stop.click()
    here.page.get_by_text("interrupted", exact=True).wait_for()
    assert here.page.inner_text(".line.reply .words").startswith("You can return anything within 30 days. …")
    assert "Refunds" not in here.page.inner_text(".line.reply")


def test_recording_is_off_unless_the_visitor_agrees(visit: Opens) -> None:
    here = visit()
    box = here.page.get_by_role("checkbox")
    assert not box.is_checked()
    here.start("Type instead")
    assert here.script.sessions[0].record is False
    assert here.page.locator(".recording").is_hidden()
    here.page.get_by_role("button", name="End the conversation").click()
    here.page.get_by_role("button", name="Start a new conversation").click()
    box.check()
    here.page.get_by_role("button", name="Type instead").click()
    here.until(lambda: len(here.script.sessions) == 2, "a second session")
    assert here.script.sessions[1].record is True
    here.page.get_by_text("Recording", exact=True).wait_for()


def test_a_desk_that_records_nothing_does_not_ask(visit: Opens) -> None:
    here = visit(script=Script(record=False))
    here.page.get_by_text("This conversation is not recorded.").wait_for()
    assert here.page.get_by_role("checkbox").count() == 0


def test_mute_language_replay_and_captions_do_what_they_say(visit: Opens) -> None:
    here = visit()
    here.start()
    page = here.page
    here.say("Returns?")
    page.get_by_text("Refunds reach you").first.wait_for()
    page.get_by_role("button", name="Mute microphone").click()
    page.get_by_role("button", name="Unmute microphone").wait_for()
    page.get_by_role("button", name="Say that again").click()
    page.get_by_role("button", name="Hide captions").click()
    assert page.locator(".caption").is_hidden()
    page.get_by_role("combobox", name="Language").select_option("zh")
    page.get_by_role("button", name="显示字幕").wait_for()
    here.until(lambda: bool(here.script.of("language")), "the language")
    assert here.script.of("mute") == [{"type": "mute", "muted": True}]
    assert here.script.of("replay") == [{"type": "replay"}]
    assert here.script.of("language") == [{"type": "language", "language": "zh"}]


def test_a_refused_microphone_has_a_remedy_and_typing_goes_on(visit: Opens) -> None:
    here = visit(init=REFUSE)
    here.start()
    alert = here.page.get_by_role("alert")
    alert.get_by_text("The microphone is blocked.").wait_for()
    assert alert.get_by_role("button", name="Try again").is_visible()
    here.page.get_by_text("Ready. Type your question").wait_for()
    here.say("Returns?")
    here.page.get_by_text("You can return anything").first.wait_for()


def test_sound_goes_over_the_websocket_where_webrtc_cannot(visit: Opens) -> None:
    here = visit(script=Script(media=False, pause_s=0.5))
    here.start()
    here.page.get_by_text("This network lets no video through.").wait_for()
    here.until(lambda: here.script.sound_bytes > 16_000, "half a second of the microphone")
    assert here.script.of("audio") == [{"type": "audio", "on": True}]
    here.say("Returns?")
    here.page.wait_for_function(
        """async () => {
          const stream = document.querySelector("audio").srcObject;
          if (!stream) return false;
          const context = new AudioContext(), meter = context.createAnalyser();
          context.createMediaStreamSource(stream).connect(meter);
          const samples = new Float32Array(meter.fftSize);
          for (let at = 0; at < 40; at += 1) {
            await new Promise((go) => setTimeout(go, 50));
            meter.getFloatTimeDomainData(samples);
            if (Math.max(...samples) > 0.1) return true;
          }
          return false;
        }"""
    )


def test_a_server_without_a_free_port_blames_no_network_and_sends_the_picture_later(visit: Opens) -> None:
    quick = "const wait = setTimeout; window.setTimeout = (act, ms) => wait(act, ms === 30_000 ? 1000 : ms);"
    here = visit(script=Script(crowded=True), init=quick)
    here.start()
    here.page.get_by_text("Very many visitors are here just now.").wait_for()
    assert here.page.get_by_text("network").count() == 0
    here.script.crowded = False
    here.page.wait_for_selector(".has-video")
    here.page.get_by_text("Very many visitors are here just now.").wait_for(state="hidden")


COUNT_FLUSHES = """
window.flushes = 0;
const post = MessagePort.prototype.postMessage;
MessagePort.prototype.postMessage = function (what, ...more) {
  if (what === "flush") window.flushes += 1;
  return post.call(this, what, ...more);
};
"""


def test_over_the_websocket_the_last_words_are_played_to_their_end(visit: Opens) -> None:
    here = visit(script=Script(media=False), init=COUNT_FLUSHES)
    here.start("Type instead")
    here.until(lambda: bool(here.script.of("audio")), "sound over the WebSocket")
    here.say("Returns?")
    here.page.get_by_text("Refunds reach you").first.wait_for()
    here.page.get_by_text("Ready. Type your question").wait_for()
    assert here.page.evaluate("window.flushes") == 0
    here.script.pause_s = 1.5
    here.say("Again?")
    here.page.locator(".line.reply").nth(1).wait_for()
    here.page.get_by_role("button", name="Stop the answer").click()
    here.page.get_by_text("interrupted", exact=True).wait_for()
    assert here.page.evaluate("window.flushes") > 0


def test_sound_waits_until_the_server_expects_it_also_after_a_loss(visit: Opens) -> None:
    script = Script(media=False, ready_s=0.5)
    server = ScriptedServer(script)
    with server.running() as address:
        here = visit(script=script)
        here.page.goto(address)
        here.start()
        here.until(lambda: script.sound_bytes > 8_000, "the microphone")
        server.run_soon(script.sockets[-1].close(1012))
        here.until(lambda: len(script.sockets) == 2, "a second connection")
        heard = script.sound_bytes
        here.until(lambda: script.sound_bytes > heard + 8_000, "the microphone again")
        assert len(script.of("audio")) == 2
        assert script.unannounced_bytes == 0


def test_a_complaint_about_something_else_leaves_the_connection_alone(visit: Opens) -> None:
    here = visit(script=Script(complains=True))
    here.start()
    here.page.wait_for_selector(".has-video")
    assert here.script.of("audio") == []


def test_the_newest_way_through_the_network_is_used(visit: Opens) -> None:
    turn = {"urls": ["turn:127.0.0.1:9"], "username": "until:me", "credential": "secret"}
    keep = """
    window.servers = [];
    const Real = RTCPeerConnection;
    window.RTCPeerConnection = function (given) {
      window.servers.push(given.iceServers);
      return new Real(given);
    };
    """
    here = visit(script=Script(ice_servers=[turn]), init=keep)
    here.start()
    here.page.wait_for_selector(".has-video")
    assert here.page.evaluate("window.servers") == [[turn]]


def test_questions_are_answered_in_writing_where_no_websocket_passes(visit: Opens) -> None:
    here = visit(script=Script(lets_sockets=False))
    here.start()
    here.page.get_by_text("This network lets neither sound nor picture through.").wait_for()
    here.say("Returns?")
    here.page.get_by_text("Refunds reach you in five working days.").wait_for()
    assert here.page.locator(".card").count() == 1
    here.say("Again?")
    here.until(lambda: len(here.script.of("chat")) == 2, "the second question")
    assert [one.get("session") for one in here.script.of("chat")] == [None, "c1"]
    here.complaints[:] = [one for one in here.complaints if "WebSocket" not in one]


def test_the_greeting_does_not_wait_for_the_visitor_to_allow_the_microphone(visit: Opens) -> None:
    here = visit(init="navigator.mediaDevices.getUserMedia = () => new Promise(() => {});")
    here.start()
    here.page.wait_for_selector(".has-video")


def test_a_lost_connection_comes_back_into_the_same_conversation(visit: Opens) -> None:
    script = Script()
    server = ScriptedServer(script)
    with server.running() as address:
        here = visit(script=script)
        here.page.goto(address)
        here.start("Type instead")
        here.say("Returns?")
        here.page.get_by_text("Refunds reach you").first.wait_for()
        server.run_soon(script.sockets[-1].close(1012))
        here.until(lambda: len(script.sockets) == 2, "a second connection")
        here.page.get_by_text("Ready. Type your question").wait_for()
        assert len(script.sessions) == 1
        assert script.tokens == ["token", "token 1"]  # the newest that was handed out
        assert len(script.of("kept")) == 2
        assert here.page.locator(".line.reply").count() == 1
        here.say("And again?")
        here.until(lambda: len(script.of("text")) == 2, "the second question")


def test_a_conversation_that_a_restarted_server_does_not_know_is_over(visit: Opens) -> None:
    script = Script()
    server = ScriptedServer(script)
    with server.running() as address:
        here = visit(script=script)
        here.page.goto(address)
        here.start("Type instead")
        server.run_soon(script.sockets[-1].close(4404, "session_over"))
        here.page.get_by_text("The connection could not be restored.").wait_for()
        here.page.get_by_role("button", name="Start a new conversation").click()
        here.page.get_by_role("button", name="Type instead").wait_for()


def test_the_picture_comes_back_after_the_server_lost_its_end(visit: Opens) -> None:
    script = Script()
    server = ScriptedServer(script)
    with server.running() as address:
        here = visit(script=script)
        here.page.goto(address)
        here.start()
        here.page.wait_for_selector(".has-video")
        server.run_soon(script.sockets[-1].close(1012))  # its connection's end goes with it
        here.until(lambda: len(script.of("offer")) >= 2, "a new offer", within_s=20)
        moving = """() => new Promise((go) =>
          document.querySelector("video").requestVideoFrameCallback(() => go(true)))"""
        here.until(lambda: here.page.evaluate("document.querySelector('video').readyState") == 4, "a picture")
        here.page.wait_for_timeout(3000)
        assert here.page.evaluate(moving)
        assert len(script.sessions) == 1


def test_a_busy_desk_shows_the_place_in_the_queue_and_lets_in(visit: Opens) -> None:
    here = visit(script=Script(places=0, ahead=3))
    here.page.get_by_role("button", name="Type instead").click()
    here.page.get_by_text("3 ahead of you.").wait_for()
    here.page.get_by_text("2 ahead of you.").wait_for()
    here.script.places = 1
    here.until(lambda: bool(here.script.sessions), "a place")
    assert here.script.sessions[0].ticket == "t1"
    here.page.get_by_text("Ready. Type your question").wait_for()
    here.complaints[:] = [one for one in here.complaints if "503" not in one]


def test_ending_says_goodbye_and_frees_the_place(visit: Opens) -> None:
    here = visit()
    here.start()
    here.page.get_by_role("button", name="End the conversation").click()
    here.page.get_by_text("Thank you for your visit.").wait_for()
    here.until(lambda: here.script.ended == ["s1"], "the session's end")
    assert here.page.evaluate("document.querySelector('video').srcObject") is None


def test_everything_works_by_keyboard(visit: Opens) -> None:
    here = visit(script=Script(sentence_s=60.0))
    page = here.page
    page.get_by_role("button", name="Start talking").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    order = []
    for _ in range(4):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
    assert [one.split("\n")[0] for one in order] == ["English", "Start talking", "Type instead", "consent"]
    page.get_by_role("button", name="Type instead").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".composer .send:enabled")
    assert page.evaluate("document.activeElement.id") == "say"
    page.keyboard.type("Returns?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".line.reply")
    page.keyboard.press("Escape")
    here.until(lambda: bool(here.script.of("stop")), "the stop")
    page.get_by_role("button", name="End the conversation").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Turn sound off"


UNNAMED = """() => [...document.querySelectorAll("button, input, select, a, [role]")]
  .filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]"))
  .filter((one) => !(one.getAttribute("aria-label") || one.innerText?.trim() || one.labels?.length))
  .filter((one) => !["alert", "status"].includes(one.getAttribute("role")))
  .map((one) => one.outerHTML)"""

PALE = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue].map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) layers.push(parts(getComputedStyle(at).backgroundColor));
    layers.push(parts(getComputedStyle(document.documentElement).backgroundColor), [255, 255, 255, 1]);
    let found = [255, 255, 255];
    for (const [red, green, blue, alpha = 1] of layers.reverse())
      found = [red, green, blue].map((part, at) => part * alpha + found[at] * (1 - alpha));
    return found;
  };
  const pale = [];
  for (const one of document.querySelectorAll("body *")) {
    const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const lies = one.closest("svg, script, noscript, .attract, .skip, .caption") || one.disabled;
    if (!words || lies || !one.checkVisibility()) continue;
    const own = light(parts(getComputedStyle(one).color)), under = light(ground(one));
    const [dark, bright] = [Math.min(own, under), Math.max(own, under)];
    const contrast = (bright + 0.05) / (dark + 0.05);
    if (contrast < 4.5) pale.push(`${one.className} ${one.textContent.slice(0, 30)} ${contrast.toFixed(2)}`);
  }
  return pale;
}"""


CUT = """() => [...document.querySelectorAll("button, input, select")]
  .filter((one) => one.checkVisibility() && !one.closest(".log"))
  .map((one) => [one.className, one.getBoundingClientRect()])
  .filter(([, box]) => box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight)
  .map(([name]) => name)"""


@pytest.mark.parametrize(("language", "scheme"), [("en", "dark"), ("zh", "light")])
def test_all_has_a_name_and_enough_contrast(visit: Opens, language: str, scheme: str) -> None:
    here = visit(f"/?language={language}", init=REFUSE, color_scheme=scheme)
    page = here.page
    page.wait_for_selector(".welcome .primary:visible")
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(PALE) == []
    page.locator(".welcome .primary:visible").click()
    page.wait_for_selector(".composer .send:enabled")
    here.say("Returns? 退货")
    page.wait_for_selector(".card")
    page.wait_for_selector(".banner:visible")
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(PALE) == []
    page.locator(".card").click()
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(PALE) == []


def test_any_company_colour_stays_readable(visit: Opens) -> None:
    here = visit()
    here.page.wait_for_selector(".welcome .primary:visible")
    paint = 'async (colour) => (await import("/pages/dom.js")).paint(document.documentElement, colour)'
    for colour in ("#ffffff", "#000000", "#ffd400", "#7a7a7a", "#757575", "#e60012"):
        assert here.page.evaluate(paint, colour)
        assert here.page.evaluate(PALE) == [], colour
    assert not here.page.evaluate(paint, "red; background: url(//evil.example)")


def test_nothing_moves_where_less_motion_is_wished(visit: Opens) -> None:
    here = visit(reduced_motion="reduce")
    here.start("Type instead")
    assert here.page.evaluate("document.getAnimations().length") == 0


def test_nothing_is_cut_off_at_any_size(visit: Opens) -> None:
    here = visit()
    here.start("Type instead")
    here.say("Returns?")
    here.page.wait_for_selector(".card")
    for width, height in ((320, 568), (390, 844), (844, 390), (768, 1024), (1280, 800), (1920, 1080)):
        here.page.set_viewport_size({"width": width, "height": height})
        assert here.page.evaluate(CUT) == [], f"{width} x {height}"
        assert here.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_low_or_enlarged_page_shows_more_than_hair(visit: Opens) -> None:
    here = visit(locale="en-GB")
    here.start("Type instead")
    for width, height in ((844, 390), (720, 450), (360, 225), (1024, 600)):
        here.page.set_viewport_size({"width": width, "height": height})
        stage = here.page.locator(".stage").bounding_box()
        assert stage["height"] >= 0.9 * stage["width"], f"{width} x {height}"
        for button in here.page.locator(".controls button").all():
            assert button.bounding_box()["y"] + button.bounding_box()["height"] <= height, (
                f"{width} x {height}"
            )


def test_a_complaint_leaves_room_to_type_and_to_see(visit: Opens) -> None:
    here = visit(init=REFUSE)
    here.start()
    here.page.get_by_text("The microphone is blocked.").wait_for()
    for width, height in ((320, 568), (390, 844), (844, 390), (1024, 600), (1440, 900)):
        here.page.set_viewport_size({"width": width, "height": height})
        field, stage = here.page.locator("#say").bounding_box(), here.page.locator(".stage").bounding_box()
        assert field["y"] + field["height"] <= height, f"{width} x {height}"
        assert stage["height"] >= 0.3 * height, f"{width} x {height}"
        if width > height:
            assert stage["height"] >= 0.9 * height, f"{width} x {height}"


def test_a_long_caption_leaves_the_face_to_be_seen(visit: Opens) -> None:
    here = visit()
    here.start()
    words = "You can return most things within thirty days of delivery as long as they are unused. " * 4
    show = "([caption, text]) => { caption.textContent = text; caption.hidden = false; }"
    for width, height in ((320, 568), (390, 844), (1024, 600)):
        here.page.set_viewport_size({"width": width, "height": height})
        caption = here.page.locator(".caption")
        here.page.evaluate(show, [caption.element_handle(), words])
        assert caption.bounding_box()["height"] < 0.35 * here.page.locator(".stage").bounding_box()["height"]


def test_a_page_loads_nothing_from_elsewhere(visit: Opens) -> None:
    here = visit()
    here.start()
    here.page.wait_for_selector(".has-video")
    assert {host.replace("ws://", "http://") for host in here.hosts} - {"data:"} == {here.address}


def test_both_languages_have_every_line() -> None:
    text = (PAGES / "strings.js").read_text(encoding="utf-8")
    english, chinese = text.split("\n  zh: {\n")
    keys = [re.findall(r"^    (\w+):", part, re.M) for part in (english, chinese)]
    assert len(keys[0]) > 80
    assert keys[0] == keys[1]
    holes = [re.findall(r"^    (\w+): .*?(\{\w+\})", part, re.M) for part in (english, chinese)]
    assert holes[0] == holes[1]


def test_every_notice_is_told_in_the_language_of_the_page() -> None:
    text = (PAGES / "strings.js").read_text(encoding="utf-8")
    keys = set(re.findall(r"^    (\w+):", text, re.M))
    assert {*FOR_VISITORS, "media_lost", "idle"} <= keys


def test_pages_hold_no_inline_script_and_no_foreign_address() -> None:
    for file in PAGES.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "innerHTML" not in re.sub(r"//.*|/\*[\s\S]*?\*/", "", text), file.name
        if file.suffix == ".html":
            assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|<style", text), file.name
        for address in re.findall(r"https?://[\w.]+", text):
            assert address in ("http://www.w3.org", "https://HOST", "https://"), f"{file.name}: {address}"


# -- the widget -----------------------------------------------------------------------------------

HOST_PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<style>* {{ display: inline; color: red !important; }} button {{ display: none !important; }}</style>
<p>A shop of another origin</p><script src="{server}/widget.js"></script>
<visavis-avatar desk="demo" colour="#ffd400" position="bottom-left"></visavis-avatar>
<script>window.told = []; for (const type of ["open", "close", "phase", "state", "sentence", "turn"])
  document.querySelector("visavis-avatar")
    .addEventListener("visavis-" + type, (event) => told.push([type, event.detail]));
</script></html>"""


@contextmanager
def another_origin(here: Visit) -> Iterator[Any]:
    """Put the widget on a page of another origin: one that a second port serves."""
    body = HOST_PAGE.format(server=here.address).encode()

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"" if self.path == "/favicon.ico" else body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as shop:
        Thread(target=shop.serve_forever, daemon=True).start()
        here.page.goto("about:blank")
        here.complaints.clear()
        here.script.requests.clear()
        here.page.goto(f"http://localhost:{shop.server_port}/")
        yield here.page
        shop.shutdown()


def test_the_widget_loads_nothing_before_it_is_opened(visit: Opens) -> None:
    here = visit()
    with another_origin(here) as page:
        button = page.get_by_role("button", name="Talk with us")
        button.wait_for()
        assert here.script.requests == ["GET /widget.js"]
        box = button.bounding_box()
        style = "(one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color]"
        colours = button.evaluate(style)
    assert box["width"] == box["height"] == 64  # the page's own rules hide buttons
    assert box["x"] < 100
    assert colours == ["rgb(255, 212, 0)", "rgb(0, 0, 0)"]


def test_the_widget_converses_on_another_origin_and_tells_its_page(visit: Opens) -> None:
    here = visit()
    with another_origin(here) as page:
        page.get_by_role("button", name="Talk with us").click()
        inside = page.frame_locator("iframe")
        inside.get_by_role("button", name="Start talking").click()
        inside.get_by_text("Listening. Go ahead").wait_for()
        assert inside.locator(".banner").is_hidden()  # the microphone may be used in the frame
        inside.locator("#say").fill("my secret question")
        inside.locator("#say").press("Enter")
        inside.get_by_text("Refunds reach you").first.wait_for()
        here.until(lambda: any(type_ == "turn" for type_, _ in page.evaluate("told")), "the turn's event")
        told = page.evaluate("told")
        inside.get_by_role("button", name="Close the conversation").click()
        page.get_by_role("button", name="Talk with us").wait_for()
        here.until(lambda: here.script.ended == ["s1"], "the session's end")
    assert told[0][0] == "open"
    assert [
        "sentence",
        {"turn": 1, "text": "You can return anything within 30 days.", "language": "en"},
    ] in told
    assert "secret" not in str(told)
    assert here.script.sessions[0].client == "widget"


def test_the_demo_page_shows_the_widget_with_what_is_chosen(visit: Opens) -> None:
    here = visit("/widget-demo")
    here.page.get_by_label("Position").select_option("bottom-left")
    assert 'position="bottom-left"' in here.page.inner_text("#code")
    here.page.get_by_role("button", name="Talk with us").click()
    here.page.frame_locator("iframe").get_by_role("button", name="Start talking").wait_for()
    assert "visavis-open" in here.page.inner_text("#events")


# -- the kiosk ------------------------------------------------------------------------------------


def test_the_kiosk_starts_by_touch_and_forgets_a_visitor_who_left(visit: Opens) -> None:
    here = visit("/kiosk?voice=0&idle_s=3&asked_s=4", has_touch=True)
    page = here.page
    page.get_by_role("button", name="Touch to talk").tap()
    page.wait_for_selector(".composer .send:enabled")
    here.say("my secret question")
    page.get_by_text("Refunds reach you").first.wait_for()
    page.get_by_text("Are you still there?").wait_for()
    page.get_by_role("button", name="Yes, go on").tap()
    page.get_by_text("Are you still there?").wait_for(state="hidden")
    assert page.locator(".line").count() == 2
    page.get_by_role("button", name="Touch to talk").wait_for()
    assert page.locator(".line").count() == 0
    assert here.script.ended == ["s1"]
    assert here.script.sessions[0].client == "kiosk"
    assert "secret" not in page.content()


def test_at_a_kiosk_a_deaf_microphone_is_told_briefly_and_leaves_room_to_read(visit: Opens) -> None:
    here = visit("/kiosk?voice=0", init=REFUSE, viewport={"width": 540, "height": 960})
    here.page.get_by_role("button", name="Touch to talk").click()
    alert = here.page.get_by_role("alert")
    alert.get_by_text("The microphone does not work just now.").wait_for()
    assert alert.get_by_role("button", name="Try again").count() == 0
    assert here.page.locator(".log").bounding_box()["height"] >= 220
    assert here.page.locator(".stage").bounding_box()["height"] >= 400


def test_the_kiosk_offers_every_language_of_its_desk(visit: Opens) -> None:
    here = visit("/kiosk?voice=0")
    here.page.get_by_role("button", name="中文").click()
    here.until(lambda: bool(here.script.sessions), "a session")
    assert here.script.sessions[0].language == "zh"
    here.page.get_by_role("button", name="结束对话").wait_for()


def test_the_kiosk_survives_a_server_that_goes_and_comes(visit: Opens) -> None:
    here = visit("/kiosk?voice=0&poll_s=1")
    here.page.get_by_role("button", name="Touch to talk").wait_for()
    here.script.healthy = False
    here.page.get_by_text("Back in a moment").wait_for()
    here.script.healthy = True
    here.page.get_by_role("button", name="Touch to talk").wait_for()
    here.complaints[:] = [one for one in here.complaints if "503" not in one]


def test_the_kiosk_reloads_a_page_that_is_broken(visit: Opens) -> None:
    here = visit("/kiosk?voice=0")
    here.page.get_by_role("button", name="Touch to talk").wait_for()
    with here.page.expect_navigation():
        here.page.evaluate(
            "for (let at = 0; at < 3; at += 1) setTimeout(() => { throw new Error('broken'); })"
        )
    here.page.get_by_role("button", name="Touch to talk").wait_for()
    here.complaints[:] = [one for one in here.complaints if "broken" not in one]


def test_the_kiosk_has_no_context_menu(visit: Opens) -> None:
    here = visit("/kiosk?voice=0")
    here.page.get_by_role("button", name="Touch to talk").wait_for()
    assert here.page.evaluate(
        "!document.body.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }))"
    )


def test_the_kiosk_starts_by_voice(visit: Opens) -> None:
    """Chromium's own microphone beeps too briefly to be a voice; this one hums for a second at a time."""
    hum = """
    navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext(), to = context.createMediaStreamDestination();
      const gain = context.createGain(), tone = context.createOscillator();
      tone.type = "sawtooth"; tone.frequency.value = 160; gain.gain.value = 0;
      tone.connect(gain).connect(to); tone.start();
      for (let at = 1; at < 60; at += 2) {
        gain.gain.setValueAtTime(0.3, context.currentTime + at);
        gain.gain.setValueAtTime(0, context.currentTime + at + 1);
      }
      return to.stream;
    };"""
    here = visit("/kiosk", init=hum)
    here.page.get_by_text("Touch or speak to begin").wait_for()
    here.until(lambda: bool(here.script.sessions), "a session", within_s=15)


def test_a_cough_does_not_start_the_kiosk(visit: Opens) -> None:
    """Chromium's own microphone: a beep of a fifth of a second, once a second."""
    here = visit("/kiosk")
    here.page.get_by_text("Touch or speak to begin").wait_for()
    here.page.wait_for_timeout(3000)
    assert here.script.sessions == []


def test_the_pages_are_small() -> None:
    """A visitor's page is there at once on a phone: its files together are smaller than one photograph."""
    kept = [file for file in Path(PAGES).iterdir() if file.suffix in (".html", ".js", ".css", ".svg")]
    assert sum(file.stat().st_size for file in kept) < 180_000
