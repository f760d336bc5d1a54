/**
 * <visavis-avatar desk language colour position label server>: the assistant in the corner of any page.
 *
 *   <script src="https://HOST/widget.js" async></script>
 *   <visavis-avatar desk="demo" language="en" colour="#155e63" position="bottom-right"></visavis-avatar>
 *
 * position: bottom-right (default), bottom-left, or inline (fills the element, which then needs a size).
 * Events, none with the visitor's words: visavis-open, visavis-close, visavis-phase {phase, code}, visavis-state {state},
 * visavis-sentence {turn, text, language}, visavis-turn {turn, outcome, interrupted}. Methods: open(), close().
 *
 * The conversation runs in an iframe of the server's own origin, its button in a shadow root. So microphone, token and
 * transcript stay out of reach of the page's scripts, the page needs no CORS, and its styles cannot break the face.
 * The server decides by its desk's origins (Content-Security-Policy: frame-ancestors) which pages may show it.
 * Nothing is loaded until the visitor opens it.
 */
(() => {
  "use strict";
  if (customElements.get("visavis-avatar")) return;

  const script = document.currentScript ?? document.querySelector('script[src$="/widget.js"]');
  const LABELS = { en: ["Talk with us", "Close the conversation"], zh: ["与我们对话", "关闭对话"] };
  const COLOUR = "#155e63";
  const FORWARDED = new Set(["phase", "state", "sentence", "turn"]);

  const STYLE = `
    :host { --accent: ${COLOUR}; --on-accent: #ffffff; all: initial; position: fixed; z-index: 2147483000; inset: auto 20px 20px auto; font: 16px/1.4 system-ui, sans-serif; }
    :host([position="bottom-left"]) { inset: auto auto 20px 20px; }
    :host([position="inline"]) { position: relative; inset: auto; z-index: auto; display: block; min-height: 480px; }
    :host([hidden]) { display: none; }
    button { all: unset; box-sizing: border-box; width: 64px; height: 64px; border-radius: 50%; display: grid; place-items: center; cursor: pointer;
      background: var(--accent); color: var(--on-accent); box-shadow: 0 6px 24px rgb(0 0 0 / 0.28); transition: transform 0.15s; margin-inline-start: auto; }
    :host([position="bottom-left"]) button { margin-inline-start: 0; }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid #ffffff; box-shadow: 0 0 0 6px #10161d; }
    svg { width: 32px; height: 32px; fill: none; stroke: currentcolor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; }
    .panel { display: none; width: 390px; height: min(680px, calc(100vh - 124px)); margin-bottom: 14px; border-radius: 22px; overflow: hidden;
      background: #f4f2ed; box-shadow: 0 18px 60px rgb(0 0 0 / 0.34); }
    .panel.open { display: block; }
    :host([position="inline"]) .panel { width: 100%; height: 100%; min-height: inherit; margin: 0; border-radius: 16px; box-shadow: 0 2px 14px rgb(0 0 0 / 0.15); }
    :host([position="inline"]) .panel.open + button { display: none; }
    iframe { border: 0; width: 100%; height: 100%; display: block; }
    @media (max-width: 480px) {
      :host(:not([position="inline"])) .panel.open { position: fixed; inset: 0; width: 100%; height: 100%; height: 100dvh; margin: 0; border-radius: 0; }
      :host(:not([position="inline"])) .panel.open + button { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
    @media (forced-colors: active) { button { border: 2px solid; } }`;

  const OPEN_ICON = ["M4.5 5.5h15A1.5 1.5 0 0 1 21 7v9a1.5 1.5 0 0 1-1.5 1.5H13L8.5 21v-3.5h-4A1.5 1.5 0 0 1 3 16V7a1.5 1.5 0 0 1 1.5-1.5z", "M8.8 10.5v.2", "M15.2 10.5v.2", "M9.2 13.4c1.7 1.3 3.9 1.3 5.6 0"];
  const CLOSE_ICON = ["M6 6l12 12", "M18 6L6 18"];

  /** Draw with DOM calls alone: a page's Content-Security-Policy or Trusted Types may forbid innerHTML. */
  function drawing(lines) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    for (const line of lines) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", line);
      svg.append(path);
    }
    return svg;
  }

  class VisavisAvatar extends HTMLElement {
    static observedAttributes = ["desk", "language", "colour", "color", "label", "server"];
    #button = document.createElement("button");
    #panel = document.createElement("div");
    #frame = null;
    #opened = false;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet(); // unlike a <style>, allowed under any Content-Security-Policy
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.#button.type = "button";
      this.#button.setAttribute("aria-expanded", "false");
      this.#button.setAttribute("aria-controls", "panel");
      this.#button.addEventListener("click", () => (this.#opened ? this.close() : this.open()));
      this.#panel.className = "panel";
      this.#panel.id = "panel";
      root.append(this.#panel, this.#button);
    }

    connectedCallback() {
      window.addEventListener("message", this.#told);
      this.#look();
    }

    disconnectedCallback() {
      window.removeEventListener("message", this.#told);
      this.#frame?.remove();
      this.#frame = null;
      this.#opened = false;
    }

    attributeChangedCallback(name, before, after) {
      if (before === after) return;
      this.#look();
      if (!this.#frame || name === "label") return;
      this.#frame.remove(); // a running conversation with another desk makes no sense
      this.#frame = null;
      if (this.#opened) this.#load();
    }

    /** The visitor's page on the server, with what this element asks for. */
    get #address() {
      const address = new URL("./", this.getAttribute("server") ?? script?.src ?? location.href);
      address.searchParams.set("embed", "1");
      address.searchParams.set("origin", location.origin);
      for (const name of ["desk", "language"]) if (this.getAttribute(name)) address.searchParams.set(name, this.getAttribute(name));
      if (this.#colour) address.searchParams.set("colour", this.#colour);
      return address;
    }

    get #colour() {
      const given = this.getAttribute("colour") ?? this.getAttribute("color") ?? "";
      return /^#[0-9a-f]{6}$/i.test(given) ? given : "";
    }

    get #language() {
      const wish = this.getAttribute("language") || this.closest("[lang]")?.lang || navigator.language || "en";
      return wish.toLowerCase().startsWith("zh") ? "zh" : "en";
    }

    #look() {
      const colour = this.#colour || COLOUR;
      const [red, green, blue] = [1, 3, 5].map((at) => {
        const part = parseInt(colour.slice(at, at + 2), 16) / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      const bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179; // black and white contrast equally here
      this.#button.style.setProperty("--accent", colour);
      this.#button.style.setProperty("--on-accent", bright ? "#000000" : "#ffffff");
      this.#button.replaceChildren(drawing(this.#opened ? CLOSE_ICON : OPEN_ICON));
      const [open, close] = LABELS[this.#language];
      const label = this.#opened ? close : this.getAttribute("label") || open;
      this.#button.setAttribute("aria-label", label);
      this.#button.title = label;
      this.#button.setAttribute("aria-expanded", String(this.#opened));
    }

    #load() {
      const address = this.#address;
      const frame = document.createElement("iframe");
      frame.allow = "microphone; autoplay";
      frame.title = this.getAttribute("label") || LABELS[this.#language][0];
      frame.referrerPolicy = "origin";
      frame.src = address.href;
      this.#frame = frame;
      this.#panel.append(frame);
    }

    #told = ({ origin, source, data }) => {
      if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#address.origin) return;
      const { visavis: type, ...detail } = data ?? {};
      if (type === "close") this.close();
      else if (type === "ready") source.postMessage({ visavis: "focus" }, origin);
      else if (FORWARDED.has(type)) this.#tell(type, detail);
    };

    #tell(type, detail = {}) {
      this.dispatchEvent(new CustomEvent(`visavis-${type}`, { detail, bubbles: true, composed: true }));
    }

    /** Open the panel; loads the conversation's page the first time. */
    open() {
      if (this.#opened) return;
      this.#opened = true;
      if (!this.#frame) this.#load();
      this.#panel.classList.add("open");
      this.#look();
      this.#frame.focus();
      this.#tell("open");
    }

    /** Close the panel and end the conversation: nobody listens at a closed window. */
    close() {
      if (!this.#opened) return;
      this.#opened = false;
      const { origin } = this.#address;
      this.#frame?.contentWindow?.postMessage({ visavis: "end" }, origin);
      this.#panel.classList.remove("open");
      this.#look();
      this.#button.focus();
      this.#tell("close");
    }
  }

  customElements.define("visavis-avatar", VisavisAvatar);
})();
