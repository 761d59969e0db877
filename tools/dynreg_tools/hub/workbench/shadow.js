// A device's shadow: what it has reported beside what is desired, which is edited here.

import { change, compare, typedObject } from "./compare.js";
import { askExactly, byId, put, tell } from "./dom.js";
import { pretty } from "./payload.js";

let base = {}; // what was desired when the person began to edit it
let touched = false;

const path = (name) => `devices/${encodeURIComponent(name)}/shadow`;

export async function refresh(name, isChosen) {
  const document = await askExactly("GET", path(name));
  if (isChosen()) show(document);
}

export function clear() {
  touched = false;
  put(byId("shadow-status"), "");
}

function show({ reported, desired, delta, version }) {
  compare(byId("shadow-rows"), reported, desired ?? {}, delta ?? {}, "differs");
  put(byId("shadow-version"), version ? `version ${version}` : "nothing yet");
  if (touched) return;
  base = desired ?? {};
  byId("shadow-desired").value = pretty(base);
}

export function start(chosen) {
  byId("shadow-desired").addEventListener("input", () => (touched = true));
  byId("shadow-form").addEventListener("submit", (event) => {
    event.preventDefault();
    tell(byId("shadow-status"), async () => {
      const name = chosen();
      const desired = change(base, typedObject(byId("shadow-desired").value, '{"led":1}'));
      if (!Object.keys(desired).length) return "Nothing is different.";
      const document = await askExactly("PUT", path(name), { desired });
      if (name !== chosen()) return "";
      touched = false;
      show(document);
      return `Desired: ${Object.keys(desired).join(", ")}.`;
    });
  });
}
