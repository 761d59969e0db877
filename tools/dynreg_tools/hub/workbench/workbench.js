// The page of a running hub: starts its parts and gives each event to those that it concerns.

import * as chart from "./chart.js";
import * as devices from "./devices.js";
import { byId, put } from "./dom.js";
import * as events from "./events.js";
import * as faults from "./faults.js";
import * as product from "./product.js";
import * as send from "./send.js";
import * as state from "./state.js";
import { follow } from "./stream.js";
import * as updates from "./updates.js";

const RETRY_MS = 2000;

for (const part of [devices, events, updates, chart, send, state, product, faults]) part.start();

function connection(text, state) {
  put(byId("connection"), text);
  byId("connection").dataset.state = state;
}

let streaming = false;

async function live(isLive) {
  streaming = isLive;
  try {
    await product.refresh(); // all of it anew: it may be another run of the hub
    devices.refresh();
    faults.refresh();
    updates.refresh();
    state.refresh();
    if (streaming) connection("Live", "live");
    else connection("The events ended. Trying again…", "lost");
  } catch (error) {
    connection(`${error.message} Trying again…`, "lost");
    if (streaming) setTimeout(() => live(streaming), RETRY_MS);
  }
}

follow((event) => {
  events.add(event);
  chart.add(event);
  for (const part of [devices, updates, state]) part.note(event);
  if (event.event.startsWith("fault")) faults.refresh();
  if (event.event === "product") product.refresh();
}, live);
