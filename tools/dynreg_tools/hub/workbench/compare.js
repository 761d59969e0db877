// Two states of a device beside each other, and JSON objects as a person edits them.

import { make } from "./dom.js";
import { parse } from "./exact.js";
import { line } from "./payload.js";

const MOST_ROWS = 200;
const MOST_CHARACTERS = 200;

/** Rows of a table by key: the value in each state, and a word where `open` has the key. */
export function compare(body, reported, wanted, open, word) {
  const keys = [...new Set([...Object.keys(reported), ...Object.keys(wanted)])].sort();
  const rows = keys.slice(0, MOST_ROWS).map((key) => {
    const differs = Object.hasOwn(open, key);
    const cell = (state) =>
      Object.hasOwn(state, key) ? line(state[key], MOST_CHARACTERS) : "–";
    return make(
      "tr",
      { class: differs && "differs" },
      make("th", { scope: "row", class: "mono" }, key),
      make("td", { class: "mono" }, cell(reported)),
      make("td", { class: "mono" }, cell(wanted)),
      make("td", {}, differs ? word : ""),
    );
  });
  if (keys.length > MOST_ROWS)
    rows.push(make("tr", {}, make("td", { colspan: 4 }, `${keys.length - MOST_ROWS} more keys`)));
  body.replaceChildren(...rows);
  body.parentElement.hidden = !keys.length;
}

/** The JSON object that a person has typed; an Error in one sentence. */
export function typedObject(text, example) {
  let value;
  try {
    value = parse(text.trim() || "{}");
  } catch {
    value = null;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Error(`This is no JSON object: write one as ${example}.`);
  return value;
}

/** What turns one object into another, key by key; null takes a key away. */
export function change(from, to) {
  const changed = Object.entries(to).filter(
    ([key, value]) => !Object.hasOwn(from, key) || line(from[key]) !== line(value),
  );
  const gone = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  return Object.fromEntries([...changed, ...gone.map((key) => [key, null])]);
}
