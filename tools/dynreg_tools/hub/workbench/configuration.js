// A device's remote configuration: seen, pushed, taken away.

import { typedObject } from "./compare.js";
import { askExactly, byId, put, tell } from "./dom.js";
import { pretty } from "./payload.js";

let touched = false;

const path = (name) => `devices/${encodeURIComponent(name)}/config`;

export async function refresh(name, isChosen) {
  const { config } = await askExactly("GET", path(name));
  if (isChosen()) show(config);
}

export function clear() {
  touched = false;
  put(byId("config-status"), "");
}

function show(config) {
  put(byId("config-there"), config === null ? "none" : "");
  byId("config-remove").disabled = config === null;
  if (!touched) byId("config-text").value = config === null ? "" : pretty(config);
}

export function start(chosen) {
  const change = (action) =>
    tell(byId("config-status"), async () => {
      const name = chosen();
      const said = await action(name);
      if (name !== chosen()) return "";
      touched = false;
      await refresh(name, () => name === chosen());
      return said;
    });
  byId("config-text").addEventListener("input", () => (touched = true));
  byId("config-form").addEventListener("submit", (event) => {
    event.preventDefault();
    change(async (name) => {
      const config = typedObject(byId("config-text").value, '{"period":60}');
      const { receivers } = await askExactly("PUT", path(name), { config });
      return receivers ? "The device has it." : "The device gets it when it asks.";
    });
  });
  byId("config-remove").addEventListener("click", () =>
    change(async (name) => {
      const { removed } = await askExactly("DELETE", path(name));
      return removed ? "Removed." : "It had none.";
    }),
  );
}
