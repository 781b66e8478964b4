"use strict";
// Puts a newer part in the place of the one that is shown, and touches only what differs: what a reader has selected,
// focused or scrolled to stays.
const lost = document.getElementById("lost");
let timer = 0;

function update(old, now) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  let at = old.firstChild;
  for (const node of [...now.childNodes]) {
    let same = at;
    while (same && kind(same) !== kind(node)) same = same.nextSibling;
    if (!same) {
      old.insertBefore(node, at);
      continue;
    }
    for (; at !== same; at = next(at));
    at = same.nextSibling;
    update(same, node);
  }
  while (at) at = next(at);
}

// Sections come and go; each is known by its heading.
function kind(node) {
  return node.nodeName + (node.getAttribute?.("aria-labelledby") ?? "");
}

function next(gone) {
  const after = gone.nextSibling;
  gone.remove();
  return after;
}

function connect() {
  const events = new EventSource("events");
  events.onopen = () => {
    clearTimeout(timer);
    timer = 0;
    lost.hidden = true;
  };
  events.onmessage = ({ data }) => {
    const now = new DOMParser().parseFromString(data, "text/html");
    document.title = now.title;
    for (const id of ["icon", "page"]) update(document.getElementById(id), now.getElementById(id));
  };
  events.onerror = () => {
    // A stream ends now and then, and the next one is open in a moment.
    timer ||= setTimeout(() => (lost.hidden = false), 5000);
    if (events.readyState === EventSource.CLOSED) setTimeout(connect, 10000);
  };
}

connect();
