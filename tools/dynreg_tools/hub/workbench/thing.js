// A device's properties by the data template, which are set here, and its actions.

import { compare, typedObject } from "./compare.js";
import { askExactly, byId, put, tell } from "./dom.js";
import { pretty, whole } from "./payload.js";

const path = (name, more) => `devices/${encodeURIComponent(name)}/${more}`;

export async function refresh(name, isChosen) {
  const { reported, control, info } = await askExactly("GET", path(name, "thing"));
  if (!isChosen()) return;
  compare(byId("thing-rows"), reported, control, control, "not done yet");
  put(byId("thing-info"), Object.keys(info).length ? `Says of itself: ${pretty(info)}` : "");
}

export function clear() {
  for (const id of ["thing-status", "action-status"]) put(byId(id), "");
  byId("action-response").replaceChildren();
}

/** One sentence on what the device replied; an Error where it has not done it. */
function outcome({ receivers, code, status }, later) {
  if (code === 0) return "The device has done it.";
  if (code !== null) throw new Error(`The device refused: ${code} ${status}`);
  throw new Error(receivers ? `No reply in time${later}.` : `The device does not listen${later}.`);
}

export function start(chosen) {
  byId("thing-form").addEventListener("submit", (event) => {
    event.preventDefault();
    tell(byId("thing-status"), async () => {
      const params = typedObject(byId("thing-params").value, '{"on":1}');
      const done = await askExactly("PUT", path(chosen(), "thing"), { params });
      return outcome(done, "; it is kept until the device asks");
    });
  });
  byId("action-form").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("action-response").replaceChildren();
    tell(byId("action-status"), async () => {
      const name = chosen();
      const action = `actions/${encodeURIComponent(byId("action-id").value.trim())}`;
      const params = typedObject(byId("action-params").value, '{"times":3}');
      const done = await askExactly("POST", path(name, action), { params });
      if (name === chosen() && done.response !== null)
        byId("action-response").append(whole({ text: pretty(done.response) }));
      return outcome(done, "");
    });
  });
}
