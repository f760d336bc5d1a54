"use strict";
// Filters, keys and players of the report. What visitors said is only ever compared here, never written as HTML.
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const [which, tag, words, count] = ["which", "tag", "words", "count"].map((id) => document.getElementById(id));
  const all = [...list.children].map((node) => ({ node, tags: JSON.parse(node.dataset.tags), text: null }));
  const text = (one) => (one.text ??= one.node.textContent.toLowerCase());
  const shown = () => all.filter((one) => !one.node.hidden).map((one) => one.node);

  function filter() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const one of all) {
      const state = !which.value || (which.value === "flaky" ? "flaky" in one.node.dataset : one.node.dataset.state === which.value);
      const fits = state && (!tag.value || one.tags.includes(tag.value)) && wanted.every((word) => text(one).includes(word));
      one.node.hidden = !fits;
      number += fits;
    }
    count.textContent = `${number} of ${all.length}`;
  }

  function reveal() {
    const node = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!node || node.parentElement !== list) return;
    if (node.hidden) { which.value = tag.value = words.value = ""; filter(); }
    node.open = true;
    node.scrollIntoView();
    node.firstElementChild.focus({ preventScroll: true });
  }

  function step(by) {
    const nodes = shown();
    const here = nodes.indexOf(document.activeElement?.closest?.("details.conversation"));
    const next = nodes[here < 0 ? (by > 0 ? 0 : nodes.length - 1) : here + by];
    if (!next) return;
    next.firstElementChild.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  for (const field of [which, tag, words]) field.addEventListener("input", filter);
  document.querySelector("form.filter").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, audio, video")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") words.focus();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "o") { const nodes = shown(), open = nodes.some((node) => !node.open); nodes.forEach((node) => { node.open = open; }); }
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button.from");
    if (!button) return;
    const player = button.closest("details").querySelector("video, audio");
    if (!player) return;
    const start = () => { player.currentTime = Number(button.dataset.at); player.play().catch(() => {}); };
    if (player.readyState > 0) start();
    else { player.addEventListener("loadedmetadata", start, { once: true }); player.load(); }
  });
  window.addEventListener("hashchange", reveal);
  filter();
  reveal();
})();
