// The table of devices: searched, by pages, each row kept while its device is shown.

import { newRow, update } from "./device.js";
import { ask, byId, put, throttled } from "./dom.js";
import * as events from "./events.js";
import { pager } from "./pager.js";
import * as send from "./send.js";
import * as state from "./state.js";
import * as updates from "./updates.js";

const PAUSE_MS = 500;
const WANTED = {
  all: () => true,
  online: (device) => device.online,
  offline: (device) => !device.online,
  unregistered: (device) => !device.registered,
  disabled: (device) => device.disabled,
};
const NONE_FOUND = "No device is like this.";
const NONE_YET = "No device yet: one appears here when it registers, or when you pre-create it.";
const CONCERN_NO_DEVICE = new Set([
  "publish",
  "delivered",
  "kept",
  "undelivered",
  "shadow",
  "thing",
  "time_answered",
  "time_served",
  "version",
  "offered",
  "update",
  "cancelled",
  "configuration",
  "name_asked",
  "fault",
  "fault_on",
  "fault_off",
  "http_bad",
  "tls_failed",
  "product",
  "dropped",
  "missed",
]);

let devices = [];
let pages;
let scheduled = false;
const rows = new Map(); // by name, of this page
let open = ""; // the name of the device whose row is open

/** Asks the hub for its devices, soon; the more there are the less often. */
export const refresh = throttled(
  async () => {
    try {
      devices = (await ask("GET", "devices")).devices;
      for (const part of [send, state, updates]) part.setDevices(devices);
      schedule();
      put(byId("device-failure"), "");
    } catch (error) {
      put(byId("device-failure"), error.message);
    }
  },
  () => PAUSE_MS + devices.length,
);

/** Notes what an event changes: when a device was last seen, at once; the rest is asked for. */
export function note(event) {
  if (!CONCERN_NO_DEVICE.has(event.event)) refresh();
  if (event.event !== "publish") return;
  const device = byName(events.deviceOf(event));
  if (device) device.last_seen = event.at;
  schedule();
}

let index = new Map();
let indexed = null;
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
  const search = byId("device-search").value.trim().toLowerCase();
  const wanted = WANTED[byId("device-state").value];
  const found = devices.filter(
    (device) => wanted(device) && device.name.toLowerCase().includes(search),
  );
  const shown = pages.cut(found);
  const names = new Set(shown.map((device) => device.name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.main.remove();
    row.more.remove();
    rows.delete(name);
  }
  const body = byId("device-rows");
  let place = body.firstElementChild;
  for (const device of shown) {
    const row = rows.get(device.name) ?? newRow(device.name, toggle, refresh);
    rows.set(device.name, row);
    update(row, device, device.name === open);
    if (row.main !== place) {
      body.insertBefore(row.main, place);
      body.insertBefore(row.more, place);
    }
    place = row.more.nextElementSibling;
  }
  const online = devices.reduce((sum, device) => sum + (device.online ? 1 : 0), 0);
  const fewer = found.length < devices.length ? `, ${found.length} found` : "";
  put(byId("device-count"), `${devices.length} in all, ${online} online${fewer}`);
  const none = byId("device-none");
  none.hidden = found.length > 0;
  put(none, devices.length ? NONE_FOUND : NONE_YET);
}

function toggle(name) {
  open = open === name ? "" : name;
  schedule();
}

export function start() {
  pages = pager("device", schedule);
  for (const id of ["device-search", "device-state"]) {
    byId(id).addEventListener("input", () => {
      pages.first();
      schedule();
    });
  }
}
