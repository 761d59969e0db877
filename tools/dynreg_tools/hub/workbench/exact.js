// JSON whose numbers stay as they are written: JavaScript's own have 53 bits, and no "1.0".

// Stands before the text of a number that JavaScript would write otherwise; no device can know it.
const MARK = `number-${Math.random().toString(36).slice(2)}:`;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = new RegExp(`"${MARK}([^"]+)"`, "g");

/** JSON.parse; such numbers become marked texts. */
export const parse = (text) =>
  JSON.parse(
    text.replace(TOKEN, (token) =>
      token[0] === '"' || String(Number(token)) === token ? token : `"${MARK}${token}"`,
    ),
  );

/** JSON.stringify; they are numbers again. */
export const stringify = (value, indent) =>
  JSON.stringify(value, null, indent).replace(MARKED, "$1");

/** Whether a value is a text, and no number. */
export const isText = (value) => typeof value === "string" && !value.startsWith(MARK);
