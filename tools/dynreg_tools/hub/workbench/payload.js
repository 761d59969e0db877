// What a message holds: JSON folded, text as it is, bytes as a hex dump.

import { make } from "./dom.js";
import { isText, parse, stringify } from "./exact.js";

const DEEPEST = 12;
const MOST_NODES = 500;
const BYTES_A_LINE = 16;
const FOLDED_FROM = 4;

/** One line of a payload, cut to `size` characters. */
export function preview(payload, size = 160) {
  const text =
    payload.hex !== undefined
      ? payload.hex.slice(0, size).replace(/../g, "$& ").trim()
      : payload.text;
  const line = text.slice(0, size).replace(/\s+/g, " ");
  return text.length > size ? `${line}…` : line;
}

/** A payload whole, as elements. */
export function whole(payload) {
  if (payload.hex !== undefined) return make("pre", {}, dump(payload.hex));
  const value = parsed(payload.text);
  if (value === undefined) return make("pre", {}, payload.text);
  const budget = { nodes: MOST_NODES };
  return make("div", { class: "json" }, node(value, 0, budget));
}

/** What JSON text stands for where that is an object or a list, else undefined. */
export function parsed(text) {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function node(value, depth, budget) {
  if (value === null || typeof value !== "object")
    return make("span", { class: kind(value) }, stringify(value));
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  if (!entries.length) return list ? "[]" : "{}";
  if (depth >= DEEPEST || budget.nodes < entries.length)
    return make("span", {}, preview({ text: flat(value) }));
  budget.nodes -= entries.length;
  const items = entries.map(([key, inner]) =>
    make("li", {}, make("span", { class: "key" }, key), ": ", node(inner, depth + 1, budget)),
  );
  const count = `${entries.length} ${list ? "item" : "key"}${entries.length === 1 ? "" : "s"}`;
  const open = depth === 0 || entries.length < FOLDED_FROM;
  return make(
    "details",
    { open },
    make("summary", {}, list ? `[ ${count} ]` : `{ ${count} }`),
    make("ul", {}, ...items),
  );
}

/** A value as one line of JSON, cut to `size` characters. */
export const line = (value, size = Infinity) => preview({ text: flat(value) }, size);

/** A value as JSON that a person may edit. */
export function pretty(value) {
  try {
    return stringify(value, 1);
  } catch {
    return "…";
  }
}

/** JSON.stringify, which may run out of stack where JSON.parse does not. */
function flat(value) {
  try {
    return stringify(value);
  } catch {
    return "…";
  }
}

const kind = (value) => (isText(value) ? "string" : "literal");

function dump(hex) {
  const lines = [];
  for (let at = 0; at < hex.length; at += 2 * BYTES_A_LINE) {
    const bytes = hex.slice(at, at + 2 * BYTES_A_LINE).match(/../g) || [];
    const text = bytes.map((byte) => printable(parseInt(byte, 16))).join("");
    const offset = (at / 2).toString(16).padStart(4, "0");
    lines.push(`${offset}  ${bytes.join(" ").padEnd(3 * BYTES_A_LINE)} ${text}`);
  }
  return lines.join("\n") || "(empty)";
}

const printable = (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".");
