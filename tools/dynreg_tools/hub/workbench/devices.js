// The table of devices: searched, by pages, each row kept while its device is shown.

import { ask, byId, clock, confirmed, make, put, tell, throttled } from "./dom.js";
import * as events from "./events.js";
import * as send from "./send.js";

const PER_PAGE = 50, PAUSE_MS = 500;
const WANTED = {
  all: () => true,
  online: (device) => device.online,
  offline: (device) => !device.online,
  unregistered: (device) => !device.registered,
  disabled: (device) => device.disabled,
};
const CONCERN_NO_DEVICE = new Set([
  "publish", "delivered", "time_answered", "time_served", "name_asked", "fault", "fault_on", "fault_off", "http_bad",
  "tls_failed", "product", "dropped", "missed",
]);

let devices = [];
let page = 0, scheduled = false;
const rows = new Map(); // by name, of this page
let open = ""; // the name of the device whose row is open

/** The devices as the hub last told them. */
export const all = () => devices;

/** Asks the hub for its devices, soon; the more there are the less often. */
export const refresh = throttled(async () => {
  try {
    devices = (await ask("GET", "devices")).devices;
    send.setDevices(devices);
    schedule();
    put(byId("device-failure"), "");
  } catch (error) {
    put(byId("device-failure"), error.message);
  }
}, () => PAUSE_MS + devices.length);

/** Notes what an event changes: when a device was last seen, at once; the rest is asked for. */
export function note(event) {
  if (!CONCERN_NO_DEVICE.has(event.event)) refresh();
  if (event.event !== "publish") return;
  const device = byName(events.deviceOf(event));
  if (device) device.last_seen = event.at;
  schedule();
}

let index = new Map(), indexed = null;
function byName(name) {
  if (indexed !== devices) {
    index = new Map(devices.map((device) => [device.name, device]));
    indexed = devices;
  }
  return index.get(name);
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(render);
}

function render() {
  scheduled = false;
  const search = byId("device-search").value.trim().toLowerCase(), wanted = WANTED[byId("device-state").value];
  const found = devices.filter((device) => wanted(device) && device.name.toLowerCase().includes(search));
  const pages = Math.max(1, Math.ceil(found.length / PER_PAGE));
  page = Math.max(0, Math.min(page, pages - 1));
  const shown = found.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
  const names = new Set(shown.map((device) => device.name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.main.remove();
    row.more.remove();
    rows.delete(name);
  }
  let place = byId("device-rows").firstElementChild;
  for (const device of shown) {
    const row = rows.get(device.name) ?? newRow(device);
    rows.set(device.name, row);
    update(row, device);
    if (row.main !== place) byId("device-rows").insertBefore(row.more, byId("device-rows").insertBefore(row.main, place).nextSibling);
    place = row.more.nextElementSibling;
  }
  const online = devices.reduce((sum, device) => sum + (device.online ? 1 : 0), 0);
  put(byId("device-count"), `${devices.length} in all, ${online} online${found.length < devices.length ? `, ${found.length} found` : ""}`);
  const none = byId("device-none");
  none.hidden = found.length > 0;
  put(none, devices.length ? "No device is like this." : "No device yet: one appears here when it registers, or when you pre-create it.");
  byId("device-pages").hidden = pages === 1;
  put(byId("device-page"), `${page + 1} of ${pages}`);
  byId("device-before").setAttribute("aria-disabled", String(page === 0)); // and keeps the focus
  byId("device-after").setAttribute("aria-disabled", String(page === pages - 1));
}

const COLUMNS = ["Online", "TLS", "Registered", "Activated", "Last seen", "Fingerprint"];

function newRow({ name }) {
  const button = make("button", { type: "button", class: "open mono", "aria-expanded": "false", click: () => toggle(name) }, name);
  const cells = COLUMNS.map((label) => make("td", { role: "cell", "data-label": label }));
  cells[5].classList.add("mono");
  const main = make("tr", { role: "row" }, make("th", { role: "rowheader", scope: "row" }, button), ...cells);
  const facts = make("dl");
  const disable = make("button", { type: "button", click: () => act(name, disable.dataset.act) });
  const actions = make("div", { class: "bar", role: "group", "aria-label": `Device ${name}` },
    make("button", { type: "button", click: () => send.address(name) }, "Send a message"),
    make("button", { type: "button", click: () => events.showOnly(name) }, "Its events"),
    make("button", { type: "button", click: () => act(name, "kick") }, "Kick"),
    disable,
    make("button", { type: "button", class: "danger", click: () => act(name, "delete") }, "Delete"));
  const more = make("tr", { role: "row", class: "more", hidden: true },
    make("td", { role: "cell", colspan: COLUMNS.length + 1 }, facts, actions));
  return { button, cells, main, more, facts, disable };
}

function update(row, device) {
  const security = device.tls === "none" ? "no TLS" : device.tls ?? "";
  const finger = device.fingerprint ? `${device.fingerprint.slice(0, 16)}…` : "";
  const values = [yes(device.online), security, yes(device.registered), yes(device.activated), clock(device.last_seen), finger];
  values.forEach((value, i) => put(row.cells[i], value));
  row.main.classList.toggle("online", device.online);
  row.main.classList.toggle("disabled", device.disabled);
  put(row.button, device.disabled ? `${device.name} (disabled)` : device.name);
  const isOpen = device.name === open;
  row.button.setAttribute("aria-expanded", String(isOpen));
  row.more.hidden = !isOpen;
  if (!isOpen) return;
  row.disable.dataset.act = device.disabled ? "enable" : "disable";
  put(row.disable, device.disabled ? "Enable" : "Disable");
  const facts = {
    Authentication: device.mode === "cert" ? "by certificate" : "by key",
    Created: `${clock(device.created)}${device.automatic ? ", by its registration" : ", pre-created"}`,
    Fingerprint: device.fingerprint,
    Subscriptions: device.subscriptions.join("\n"),
  };
  const text = JSON.stringify(facts);
  if (row.facts.dataset.text === text) return;
  row.facts.dataset.text = text;
  const pairs = Object.entries(facts).filter(([, value]) => value);
  row.facts.replaceChildren(...pairs.flatMap(([key, value]) => [make("dt", {}, key), make("dd", { class: "mono" }, value)]));
}

const yes = (value) => (value ? "yes" : "no");

function toggle(name) {
  open = open === name ? "" : name;
  schedule();
}

const ACTS = {
  kick: {
    title: "Kick", text: "Its connection ends now. Most devices connect again at once.",
    run: async (path, name) => ((await ask("POST", `${path}/kick`)).kicked ? `${name} was disconnected.` : `${name} was not connected.`),
  },
  disable: {
    title: "Disable", text: "Its connection ends, and its logins and registrations are refused until it is enabled.",
    run: async (path, name) => (await ask("PUT", path, { disabled: true }), `${name} is disabled.`),
  },
  enable: {
    run: async (path, name) => (await ask("PUT", path, { disabled: false }), `${name} is enabled.`),
  },
  delete: {
    title: "Delete", text: "The hub forgets the device and its credential for good. It can register again.",
    run: async (path, name) => (await ask("DELETE", path), `${name} is deleted.`),
  },
};

async function act(name, key) {
  const { title, text, run } = ACTS[key];
  if (title && !(await confirmed(`${title} ${name}?`, text, title))) return;
  await tell(byId("device-status"), () => run(`devices/${encodeURIComponent(name)}`, name));
  if (key === "delete") byId("devices").focus();
  refresh();
}

export function start() {
  for (const id of ["device-search", "device-state"]) {
    byId(id).addEventListener("input", () => {
      page = 0;
      schedule();
    });
  }
  byId("device-before").addEventListener("click", () => (page--, schedule()));
  byId("device-after").addEventListener("click", () => (page++, schedule()));
}
