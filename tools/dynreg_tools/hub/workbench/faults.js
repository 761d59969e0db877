// All faults by layer, each with its switch; those that are on are marked and counted.

import { ask, byId, make, put, tell, throttled } from "./dom.js";

const PAUSE_MS = 500;
const rows = new Map(); // by name
const layers = new Map(); // by name: { details, summary, names }

export const refresh = throttled(
  async () => {
    try {
      show(await ask("GET", "faults"));
      put(byId("fault-failure"), "");
    } catch (error) {
      put(byId("fault-failure"), error.message);
    }
  },
  () => PAUSE_MS,
);

function show({ active, known }) {
  const unknown = known.filter((kind) => !rows.has(kind.name));
  unknown.forEach(add);
  if (unknown.length) find();
  const found = byName(active);
  for (const [name, row] of rows) {
    const faults = found.get(name) ?? [];
    row.button.setAttribute("aria-checked", String(faults.length > 0));
    row.element.classList.toggle("on", faults.length > 0);
    put(row.state, faults.map(described).join("; "));
  }
  for (const layer of layers.values()) {
    const count = layer.names.filter((name) => found.has(name)).length;
    put(layer.count, `${layer.names.length}${count ? `, ${count} on` : ""}`);
    layer.details.classList.toggle("on", count > 0);
  }
  const names = [...found.keys()];
  put(
    byId("fault-count"),
    names.length ? `On: ${names.join(", ")}` : "All is well: no fault is on.",
  );
}

function byName(active) {
  const found = new Map();
  for (const fault of active) found.set(fault.name, [...(found.get(fault.name) ?? []), fault]);
  return found;
}

function described(fault) {
  const parts = ["on"];
  if (fault.argument !== null) parts.push(String(fault.argument));
  if (fault.service) parts.push(`at the ${fault.service}`);
  if (fault.left !== null) parts.push(`${fault.left} more times`);
  return parts.join(", ");
}

function add(kind) {
  const id = `fault-${kind.name}`;
  const argument =
    kind.argument &&
    make("input", { placeholder: String(kind.default), autocomplete: "off", spellcheck: "false" });
  const times = make("input", { inputmode: "numeric", placeholder: "∞", autocomplete: "off" });
  const service =
    kind.services.length > 0 &&
    make(
      "select",
      {},
      make("option", { value: "" }, "everywhere"),
      ...kind.services.map((name) => make("option", { value: name }, name)),
    );
  const status = make("p", { class: "status", role: "status" });
  const state = make("span", { class: "state" });
  const button = make("button", {
    type: "button",
    role: "switch",
    "aria-checked": "false",
    "aria-labelledby": id,
    "aria-describedby": `${id}-text`,
  });
  const inputs = { arg: argument, times, service };
  const isOn = () => button.getAttribute("aria-checked") === "true";
  button.addEventListener("click", () =>
    tell(status, () => (isOn() ? off(kind.name) : on(kind.name, inputs))),
  );
  const element = make(
    "div",
    { role: "group", "aria-labelledby": id },
    make(
      "div",
      { class: "switch" },
      button,
      make("span", { id, class: "mono" }, kind.name),
      state,
      make(
        "span",
        { class: "how" },
        service ? make("label", {}, "where ", service) : "",
        make("label", {}, "times ", times),
      ),
    ),
    make("p", { id: `${id}-text`, class: "hint" }, kind.text),
    argument ? make("label", {}, `${kind.argument} `, argument) : "",
    status,
  );
  element.addEventListener("keydown", (event) => {
    // also where it is on already, with other values
    if (event.key === "Enter" && event.target instanceof HTMLInputElement)
      tell(status, () => on(kind.name, inputs));
  });
  const layer = layers.get(kind.layer) ?? newLayer(kind.layer);
  layer.list.append(element);
  layer.names.push(kind.name);
  rows.set(kind.name, {
    element,
    button,
    state,
    text: `${kind.name} ${kind.text} ${kind.argument ?? ""}`.toLowerCase(),
  });
}

function newLayer(name) {
  const list = make("div");
  const count = make("span", { class: "count" });
  const details = make("details", {}, make("summary", {}, `${name} `, count), list);
  byId("fault-layers").append(details);
  const layer = { details, list, count, names: [] };
  layers.set(name, layer);
  return layer;
}

const path = (name) => `faults/${encodeURIComponent(name)}`;

async function on(name, inputs) {
  const given = Object.entries(inputs).filter(([, input]) => input && input.value.trim());
  await ask(
    "PUT",
    `${path(name)}?${new URLSearchParams(given.map(([key, input]) => [key, input.value.trim()]))}`,
  );
  refresh();
  return "Switched on.";
}

async function off(name) {
  await ask("DELETE", path(name));
  refresh();
  return "Switched off.";
}

function find() {
  const search = byId("fault-search").value.trim().toLowerCase();
  for (const row of rows.values()) row.element.hidden = !row.text.includes(search);
  for (const layer of layers.values()) {
    const found = layer.names.some((name) => !rows.get(name).element.hidden);
    layer.details.hidden = !found;
    layer.details.open = search !== "" && found;
  }
}

export function start() {
  byId("fault-search").addEventListener("input", find);
  byId("fault-clear").addEventListener("click", () =>
    tell(byId("fault-status"), async () => {
      const { off: count } = await ask("DELETE", "faults");
      refresh();
      return count ? `${count} switched off.` : "None was on.";
    }),
  );
}
