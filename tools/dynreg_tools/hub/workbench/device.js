// One device in the table: its row, the row beneath it, and what can be done with it.

import { ask, byId, clock, confirmed, make, put, tell } from "./dom.js";
import * as events from "./events.js";
import * as send from "./send.js";
import * as state from "./state.js";

const COLUMNS = ["Online", "TLS", "Registered", "Activated", "Last seen", "Fingerprint"];

/** A device's two rows: `onToggle(name)` opens and closes, `onChange()` follows what was done. */
export function newRow(name, onToggle, onChange) {
  const button = make(
    "button",
    { type: "button", class: "open mono", "aria-expanded": "false", click: () => onToggle(name) },
    name,
  );
  const cells = COLUMNS.map((label) => make("td", { role: "cell", "data-label": label }));
  cells[5].classList.add("mono");
  const main = make(
    "tr",
    { role: "row" },
    make("th", { role: "rowheader", scope: "row" }, button),
    ...cells,
  );
  const facts = make("dl");
  const disable = make("button", {
    type: "button",
    click: () => act(name, disable.dataset.act, onChange),
  });
  const actions = make(
    "div",
    { class: "bar", role: "group", "aria-label": `Device ${name}` },
    make("button", { type: "button", click: () => send.address(name) }, "Send a message"),
    make("button", { type: "button", click: () => state.open(name) }, "Its state"),
    make("button", { type: "button", click: () => events.showOnly(name) }, "Its events"),
    make("button", { type: "button", click: () => act(name, "kick", onChange) }, "Kick"),
    disable,
    make(
      "button",
      { type: "button", class: "danger", click: () => act(name, "delete", onChange) },
      "Delete",
    ),
  );
  const more = make(
    "tr",
    { role: "row", class: "more", hidden: true },
    make("td", { role: "cell", colspan: COLUMNS.length + 1 }, facts, actions),
  );
  return { button, cells, main, more, facts, disable };
}

/** Shows what the hub tells of the device. */
export function update(row, device, isOpen) {
  const security = device.tls === "none" ? "no TLS" : (device.tls ?? "");
  const finger = device.fingerprint ? `${device.fingerprint.slice(0, 16)}…` : "";
  const values = [
    yes(device.online),
    security,
    yes(device.registered),
    yes(device.activated),
    clock(device.last_seen),
    finger,
  ];
  values.forEach((value, i) => put(row.cells[i], value));
  row.main.classList.toggle("online", device.online);
  row.main.classList.toggle("disabled", device.disabled);
  put(row.button, device.disabled ? `${device.name} (disabled)` : device.name);
  row.button.setAttribute("aria-expanded", String(isOpen));
  row.more.hidden = !isOpen;
  if (!isOpen) return;
  row.disable.dataset.act = device.disabled ? "enable" : "disable";
  put(row.disable, device.disabled ? "Enable" : "Disable");
  const origin = device.automatic ? "by its registration" : "pre-created";
  const facts = {
    Authentication: device.mode === "cert" ? "by certificate" : "by key",
    Created: `${clock(device.created)}, ${origin}`,
    Fingerprint: device.fingerprint,
    Subscriptions: device.subscriptions.join("\n"),
  };
  const text = JSON.stringify(facts);
  if (row.facts.dataset.text === text) return;
  row.facts.dataset.text = text;
  const pairs = Object.entries(facts).filter(([, value]) => value);
  row.facts.replaceChildren(
    ...pairs.flatMap(([key, value]) => [
      make("dt", {}, key),
      make("dd", { class: "mono" }, value),
    ]),
  );
}

const yes = (value) => (value ? "yes" : "no");

const ACTS = {
  kick: {
    title: "Kick",
    text: "Its connection ends now. Most devices connect again at once.",
    run: async (path, name) => {
      const { kicked } = await ask("POST", `${path}/kick`);
      return kicked ? `${name} was disconnected.` : `${name} was not connected.`;
    },
  },
  disable: {
    title: "Disable",
    text: "Its connection ends, and its logins and registrations are refused until it is enabled.",
    run: async (path, name) => {
      await ask("PUT", path, { disabled: true });
      return `${name} is disabled.`;
    },
  },
  enable: {
    run: async (path, name) => {
      await ask("PUT", path, { disabled: false });
      return `${name} is enabled.`;
    },
  },
  delete: {
    title: "Delete",
    text: "The hub forgets the device and its credential for good. It can register again.",
    run: async (path, name) => {
      await ask("DELETE", path);
      return `${name} is deleted.`;
    },
  },
};

async function act(name, key, onChange) {
  const { title, text, run } = ACTS[key];
  if (title && !(await confirmed(`${title} ${name}?`, text, title))) return;
  await tell(byId("device-status"), () => run(`devices/${encodeURIComponent(name)}`, name));
  if (key === "delete") byId("devices").focus();
  onChange();
}
