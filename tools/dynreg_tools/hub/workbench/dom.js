// Elements, requests and times. All that comes from the hub goes in as text, never as markup.

import { parse, stringify } from "./exact.js";

export const byId = (id) => document.getElementById(id);

/** An element with attributes (functions become listeners; false and null are left out). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value != null)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Sets an element's text only where it changes, so that a selection in it stays. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The hub's answer to a request, with what a device's numbers say; an Error as ask() has it. */
export const askExactly = (method, path, body) => ask(method, path, body, parse);

/** The hub's answer to a request; an Error with one sentence where there is none. */
export async function ask(method, path, body, read = JSON.parse) {
  const options = { method };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The hub does not answer.");
  }
  const answer = await response.text().then(read).catch(() => null);
  if (response.ok && answer !== null) return answer;
  throw new Error(sentence(answer?.error || `The hub answered ${response.status}.`));
}

/** Does what a person asked for, and shows beside it how that went; true when it went well. */
export async function tell(status, action) {
  status.classList.remove("bad");
  status.textContent = "";
  try {
    status.textContent = await action();
    return true;
  } catch (error) {
    status.classList.add("bad");
    status.textContent = error.message;
    return false;
  }
}

const sentence = (text) =>
  text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** "12:04:09", with the date where that is not today's; "" for none. */
export function clock(iso) {
  if (!iso) return "";
  const at = new Date(iso);
  const time = at.toLocaleTimeString([], { hourCycle: "h23" });
  return at.toDateString() === new Date().toDateString()
    ? time
    : `${at.toLocaleDateString()} ${time}`;
}

/** Asks before something that cannot be undone; true for yes. */
export function confirmed(title, text, yes) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  byId("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** A function that runs `action` soon, at most once per `pause()` ms, never twice at once. */
export function throttled(action, pause) {
  let waiting = false;
  let running = false;
  let wanted = false;
  let last = -Infinity;
  async function run() {
    waiting = false;
    running = true;
    wanted = false;
    try {
      await action();
    } finally {
      running = false;
      last = performance.now();
      if (wanted) soon();
    }
  }
  function soon() {
    wanted = true;
    if (waiting || running) return;
    waiting = true;
    setTimeout(run, Math.max(50, last + pause() - performance.now()));
  }
  return soon;
}
