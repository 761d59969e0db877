// The list of events: the newest on top, filtered, held still on request.

import { byId, clock, make, put } from "./dom.js";
import { preview, whole } from "./payload.js";

const KEPT = 2000;
const SHOWN = 200;
const KINDS = {
  registration: [
    "registered",
    "refused",
    "http_bad",
    "precreated",
    "deleted",
    "disabled",
    "enabled",
    "product",
  ],
  connection: ["login", "login_refused", "tls_failed", "subscribe", "unsubscribe", "disconnect"],
  message: ["publish", "delivered", "kept", "undelivered"],
  service: ["shadow", "thing", "version", "offered", "update", "cancelled", "configuration"],
  fault: ["fault", "fault_on", "fault_off"],
  other: [],
};
const KIND_OF = new Map(
  Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind])),
);
const BAD = new Set([
  "refused",
  "http_bad",
  "tls_failed",
  "login_refused",
  "internal_error",
  "missed",
]);
const TYPES = ["off", "for pre-created devices", "for any device"];
const security = (e) => (e.tls === "none" ? "without TLS" : `TLS by ${e.tls}`);
const SAYS = {
  registered: (e) => (e.state ? "registered again, same credential" : "registered"),
  refused: (e) => `registration refused: ${e.message}`,
  http_bad: (e) => `${e.status}: ${e.reason}`,
  login: (e) => ["logged in", security(e), e.first && "activated"].filter(Boolean).join(", "),
  login_refused: (e) => `login refused: ${e.reason}`,
  tls_failed: (e) => `handshake failed on ${e.port}: ${e.reason}`,
  subscribe: (e) => `${short(e)}, ${e.granted === 128 ? "refused" : `QoS ${e.granted}`}`,
  unsubscribe: (e) => short(e),
  disconnect: (e) => `connection ended: ${e.reason}`,
  publish: (e) => `${short(e)}, QoS ${e.qos}, ${e.size} B`,
  delivered: (e) => `${short(e)}, QoS ${e.qos}, ${e.size} B`,
  shadow: (e) => `version ${e.version}, by the ${e.by}`,
  version: (e) => `runs ${e.version}`,
  update: (e) => `to ${e.version}: ${e.state}, ${e.percent} %${e.code ? reason(e) : ""}`,
  offered: (e) => `an update to ${e.version} is offered`,
  cancelled: (e) => `the update to ${e.version} is offered no more`,
  configuration: (e) => `its configuration was ${e.change}`,
  precreated: () => "created beforehand",
  deleted: () => "deleted",
  disabled: () => "refused from now on",
  enabled: () => "taken again",
  product: (e) => `registration ${TYPES[e.register_type]}, limit ${e.register_limit}`,
  fault: (e) => `triggered: ${fault(e)}`,
  fault_on: (e) => `switched on: ${fault(e)}`,
  fault_off: (e) => `off: ${fault(e)}`,
  name_asked: (e) => e.name,
  internal_error: (e) => `a defect of the hub: ${e.error}`,
  missed: (e) => `${e.count} events went by unseen`,
};
const reason = (e) => `, ${e.message} (${e.code})`;
const fault = (e) =>
  [e.name, e.argument, e.service && `at the ${e.service}`]
    .filter((part) => part != null)
    .join(" ");
const ALREADY_SHOWN = new Set([
  "event",
  "at",
  "client_id",
  "device_name",
  "product_id",
  "payload",
]);

let productId = "";
let kept = []; // the oldest first
let fresh = []; // those that the list has not seen
let paused = false;
let scheduled = false;
let rebuild = false;
let search = "";
const hiddenKinds = new Set();
const texts = new WeakMap(); // what the search looks through

export function setProduct(id) {
  if (id !== productId) schedule(true);
  productId = id;
}

/** A topic without what its device's own topics begin with. */
function short(event) {
  const own = `${productId}/${deviceOf(event)}/`;
  return event.topic.startsWith(own) ? event.topic.slice(own.length) : event.topic;
}

/** The device that an event is about, "" where it is about none. */
export function deviceOf(event) {
  if (event.device_name) return String(event.device_name);
  const id = String(event.client_id ?? "");
  return productId && id.startsWith(productId) ? id.slice(productId.length) : id;
}

export function add(event) {
  fresh.push(event);
  if (fresh.length > KEPT) fresh.splice(0, fresh.length - KEPT);
  schedule();
}

/** Shows the events of one device only. */
export function showOnly(name) {
  byId("event-search").value = name;
  search = name.toLowerCase();
  schedule(true);
  byId("events").scrollIntoView();
  byId("event-search").focus();
}

function schedule(all = false) {
  rebuild ||= all;
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(render);
}

function matches(event) {
  if (hiddenKinds.has(KIND_OF.get(event.event) ?? "other")) return false;
  if (!search) return true;
  if (!texts.has(event)) texts.set(event, JSON.stringify(event).toLowerCase());
  return texts.get(event).includes(search);
}

function render() {
  scheduled = false;
  const list = byId("event-rows");
  const news = paused ? [] : fresh;
  if (!paused) {
    kept = kept.concat(fresh).slice(-KEPT);
    fresh = [];
  }
  const found = (rebuild ? kept : news).filter(matches).slice(-SHOWN).reverse();
  if (rebuild) list.replaceChildren(...found.map(row));
  else list.prepend(...found.map(row));
  rebuild = false;
  while (list.childElementCount > SHOWN) list.lastElementChild.remove();
  put(
    byId("event-count"),
    paused ? `${fresh.length} more since` : `${list.childElementCount} shown`,
  );
}

function row(event) {
  const says = SAYS[event.event] ?? others;
  const line = [
    make("time", { datetime: event.at }, clock(event.at)),
    make("span", { class: "name" }, event.event.replaceAll("_", " ")),
    make("span", { class: "device mono" }, deviceOf(event)),
    make("span", { class: "says" }, says(event)),
  ];
  const kind = `${KIND_OF.get(event.event) ?? "other"}${BAD.has(event.event) ? " bad" : ""}`;
  if (!event.payload) return make("li", { class: kind }, make("div", { class: "line" }, ...line));
  line.push(make("span", { class: "preview mono" }, preview(event.payload)));
  const details = make("details", {}, make("summary", { class: "line" }, ...line));
  details.addEventListener(
    "toggle",
    () =>
      details.append(make("p", { class: "hint mono" }, String(event.topic)), whole(event.payload)),
    { once: true },
  );
  return make("li", { class: kind }, details);
}

function others(event) {
  const fields = Object.entries(event).filter(([key]) => !ALREADY_SHOWN.has(key));
  return fields
    .map(([key, value]) => `${key} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

export function start() {
  byId("event-search").addEventListener("input", (input) => {
    search = input.target.value.trim().toLowerCase();
    schedule(true);
  });
  byId("event-pause").addEventListener("click", (click) => {
    paused = !paused;
    click.currentTarget.setAttribute("aria-pressed", String(paused));
    schedule();
  });
  byId("event-clear").addEventListener("click", () => {
    kept = [];
    fresh = [];
    schedule(true);
  });
  for (const kind of Object.keys(KINDS)) {
    const button = make(
      "button",
      { type: "button", "aria-pressed": "true" },
      kind === "other" ? kind : `${kind}s`,
    );
    button.addEventListener("click", () => {
      const shown = hiddenKinds.delete(kind);
      if (!shown) hiddenKinds.add(kind);
      button.setAttribute("aria-pressed", String(shown));
      schedule(true);
    });
    byId("event-kinds").append(button);
  }
}
