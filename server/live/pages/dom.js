/** Small helpers that build elements. Text from outside only ever enters as textContent. */

/** Paths of 24 x 24 line icons, drawn with the colour of the text around them. */
const ICONS = {
  mic: ["M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15z", "M5.5 11.5a6.5 6.5 0 0 0 13 0", "M12 18v3.5"],
  micOff: ["M15.5 10.5v-4a3.5 3.5 0 0 0-6.9-.8", "M8.5 8.5v3A3.5 3.5 0 0 0 14 14.4", "M5.5 11.5a6.5 6.5 0 0 0 10.3 5.3", "M18.2 13.5c.2-.6.3-1.3.3-2", "M12 18v3.5", "M3.5 3.5l17 17"],
  stop: ["M8 6.5h8A1.5 1.5 0 0 1 17.5 8v8a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 16V8A1.5 1.5 0 0 1 8 6.5z"],
  replay: ["M4.5 12a7.5 7.5 0 1 0 2.4-5.5", "M4.5 3.5v4.2h4.2"],
  captions: ["M5 5.5h14A1.5 1.5 0 0 1 20.5 7v10a1.5 1.5 0 0 1-1.5 1.5H5A1.5 1.5 0 0 1 3.5 17V7A1.5 1.5 0 0 1 5 5.5z", "M7 14.5h4", "M13.5 14.5H17", "M7 11h2.5", "M12 11h5"],
  sound: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "M15.5 9a4.2 4.2 0 0 1 0 6", "M18 6.5a7.8 7.8 0 0 1 0 11"],
  soundOff: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "M15.5 9.5l5 5", "M20.5 9.5l-5 5"],
  end: ["M6 6l12 12", "M18 6L6 18"],
  send: ["M5 12h13.5", "M13 6l6 6-6 6"],
  language: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M3.5 12h17", "M12 3.5c2.6 2.4 3.8 5.2 3.8 8.5s-1.2 6.1-3.8 8.5c-2.6-2.4-3.8-5.2-3.8-8.5S9.4 5.9 12 3.5z"],
  source: ["M6.5 3.5h7.5l4.5 4.5v12.5h-12z", "M13.5 3.5v5h5", "M9 12.5h6", "M9 16h6"],
  warning: ["M12 4l9 16H3z", "M12 10v4.5", "M12 17.3v.2"],
  info: ["M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17z", "M12 11v5", "M12 7.8v.2"],
  keyboard: ["M4.5 7h15A1.5 1.5 0 0 1 21 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7z", "M7 10.5h.1", "M10.3 10.5h.1", "M13.6 10.5h.1", "M17 10.5h.1", "M8.5 13.8h7"],
  good: ["M4 11h3v8.5H4z", "M7 11l3.8-7a2.3 2.3 0 0 1 2.2 2.8L12.4 10h5.1a2 2 0 0 1 2 2.4l-1.2 5.6a2 2 0 0 1-2 1.5H7"],
  bad: ["M4 13h3V4.5H4z", "M7 13l3.8 7a2.3 2.3 0 0 0 2.2-2.8L12.4 14h5.1a2 2 0 0 0 2-2.4L18.3 6a2 2 0 0 0-2-1.5H7"],
  record: ["M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"],
};

/**
 * Make an element.
 *
 * @param {string} tag
 * @param {Record<string, any>} given  attributes; `class`, `text`, `on` (event listeners), and `string` or `label`:
 *   keys of strings.js for what it shows or what it is called (aria-label and tooltip), filled in by `translate`.
 * @param {...(Node | string | null)} children
 */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else if (key === "text") made.textContent = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (key === "string" || key === "label") made.dataset[key] = value;
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Make an icon that screen readers skip; its button carries the label. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }))
    svg.setAttribute(key, value);
  for (const line of ICONS[name]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** Make a round button with an icon. */
export function iconButton(name, label, act, more = {}) {
  return el("button", { type: "button", class: "round", label, on: { click: act }, ...more }, icon(name));
}

/** Exchange the icon and the label of a button. */
export function reicon(button, name, label, t) {
  button.replaceChildren(icon(name));
  button.dataset.label = label;
  button.setAttribute("aria-label", t(label));
  button.title = t(label);
}

/** Fill in everything below `root` that names a string. */
export function translate(root, t) {
  for (const one of root.querySelectorAll("[data-string]")) one.textContent = t(one.dataset.string);
  for (const one of root.querySelectorAll("[data-label]")) {
    one.setAttribute("aria-label", t(one.dataset.label));
    if (one.tagName === "BUTTON") one.title = t(one.dataset.label);
    if (one.hasAttribute("placeholder")) one.setAttribute("placeholder", t(one.dataset.label));
  }
}

/** Return the address if it is a plain web address, else null: nothing else may become a link. */
export function webAddress(text) {
  try {
    const address = new URL(text);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

/** Return the language of a piece of text as the pages know it. */
export function languageOf(text) {
  return /[\u3400-\u9fff]/.test(text) ? "zh" : "en";
}

/** Set the colour of the company; its text is white or dark, whichever reads better. */
export function paint(root, colour) {
  if (!/^#[0-9a-f]{6}$/i.test(colour ?? "")) return false;
  root.style.setProperty("--accent", colour);
  root.style.setProperty("--on-accent", luminance(colour) > 0.179 ? "#000000" : "#ffffff");
  return true;
}

/** Relative luminance after WCAG 2; at 0.179 black and white text contrast equally. */
export function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
