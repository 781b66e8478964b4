"use strict";
// Puts a newer part in the place of the one that is shown, and touches only what differs: what a reader has selected,
// focused or scrolled to stays.
const lost = document.getElementById("lost");
let timer = 0;

function update(old, now) {
  if (old.nodeName !== now.nodeName) return old.replaceWith(now);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [before, after] = [[...old.childNodes], [...now.childNodes]];
  after.forEach((node, at) => (at < before.length ? update(before[at], node) : old.append(node)));
  before.slice(after.length).forEach((node) => node.remove());
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
