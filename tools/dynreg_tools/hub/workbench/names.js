// The devices' names, offered while one is typed.

import { byId, make } from "./dom.js";

const SUGGESTED = 50;

/** Those of the devices whose name holds what is typed, into a datalist. */
export function offerNames(id, devices, typed) {
  const near = devices.filter((device) => device.name.includes(typed)).slice(0, SUGGESTED);
  offer(
    id,
    near.map((device) => device.name),
  );
}

/** The values of a datalist, made anew only where they change. */
export function offer(id, values) {
  const text = values.join("\n");
  const list = byId(id);
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...values.map((value) => make("option", { value })));
}
