// One device's shadow, properties and configuration: the device is chosen here, and followed.

import * as configuration from "./configuration.js";
import { byId, put, throttled } from "./dom.js";
import * as events from "./events.js";
import { offerNames } from "./names.js";
import * as shadow from "./shadow.js";
import * as thing from "./thing.js";

const PAUSE_MS = 500;
const PARTS = [shadow, thing, configuration];
const EVENTS = new Set(["shadow", "thing", "configuration"]);
const TOPICS = ["$shadow/", "$thing/", "$config/"];

let devices = [];
let chosen = "";

/** Shows what the hub has of the device now, soon. */
export const refresh = throttled(
  async () => {
    if (!chosen) return;
    const name = chosen;
    try {
      await Promise.all(PARTS.map((part) => part.refresh(name, () => name === chosen)));
      put(byId("state-failure"), "");
    } catch (error) {
      put(byId("state-failure"), error.message);
    }
  },
  () => PAUSE_MS,
);

export function setDevices(list) {
  devices = list;
  const input = byId("state-device");
  if (!input.value && list.length === 1) input.value = list[0].name;
  choose();
}

/** Chooses a device and goes there. */
export function open(name) {
  byId("state-device").value = name;
  choose();
  byId("state").scrollIntoView();
  byId("state-device").focus();
}

/** Notes that something of the device has changed. */
export function note(event) {
  const topic = String(event.topic ?? "");
  const concerns =
    EVENTS.has(event.event) ||
    TOPICS.some((begin) => topic.startsWith(begin));
  if (concerns && events.deviceOf(event) === chosen) refresh();
}

function choose() {
  const typed = byId("state-device").value.trim();
  offerNames("state-devices", devices, typed);
  const known = devices.some((device) => device.name === typed) ? typed : "";
  byId("state-parts").hidden = !known;
  put(byId("state-none"), typed && !known ? "There is no device of this name." : "");
  if (known === chosen) return;
  chosen = known;
  for (const part of PARTS) part.clear();
  put(byId("state-failure"), "");
  refresh();
}

export function start() {
  byId("state-device").addEventListener("input", choose);
  for (const part of PARTS) part.start(() => chosen);
}
