/** Puts the widget on a page as a company would, and shows the tag for what is chosen. */

import { desks } from "./api.js";

const source = new URL("../widget.js", import.meta.url).href;
const script = document.createElement("script");
script.src = source;
script.async = true;
document.head.append(script);

const widget = document.createElement("visavis-avatar");
const form = document.querySelector(".settings");
const events = document.getElementById("events");
document.body.append(widget);

function show() {
  for (const [name, value] of new FormData(form)) {
    if (value) widget.setAttribute(name, value);
    else widget.removeAttribute(name);
  }
  const given = [...widget.attributes].map(({ name, value }) => ` ${name}="${value}"`).join("");
  document.getElementById("code").textContent = `<script src="${source}" async></script>\n<visavis-avatar${given}></visavis-avatar>`;
}

for (const type of ["open", "close", "phase", "state", "sentence", "turn"])
  widget.addEventListener(`visavis-${type}`, ({ detail }) => {
    const line = document.createElement("li");
    line.textContent = `visavis-${type} ${JSON.stringify(detail)}`;
    events.prepend(line);
    while (events.childElementCount > 12) events.lastElementChild.remove();
  });

form.addEventListener("change", show);
for (const { id, name } of await desks()) {
  const option = document.createElement("option");
  option.value = id;
  option.textContent = name;
  form.elements.desk.append(option);
}
show();
