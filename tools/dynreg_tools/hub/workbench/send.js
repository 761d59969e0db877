// The form that sends a message to a device.

import { ask, byId, make, put, tell } from "./dom.js";
import { parsed } from "./payload.js";

const SUGGESTED = 50;
const OWN = "{product}/{device}";
const TOPICS = [
  "control",
  `$thing/down/property/${OWN}`,
  `$thing/down/action/${OWN}`,
  `$shadow/operation/result/${OWN}`,
  `$rrpc/rxd/${OWN}/1`,
  `$broadcast/rxd/${OWN}`,
  `$ota/update/${OWN}`,
];

let productId = "";
let devices = [];

export function setProduct(id) {
  productId = id;
  explain();
}

export function setDevices(list) {
  devices = list;
  const input = byId("send-device");
  if (!input.value && list.length === 1) input.value = list[0].name;
  suggest();
}

/** Fills in a device and goes to its payload. */
export function address(name) {
  byId("send-device").value = name;
  suggest();
  byId("send").scrollIntoView();
  byId("send-payload").focus();
}

const form = () => byId("send-form").elements.form.value;

function suggest() {
  const typed = byId("send-device").value.trim();
  const near = devices.filter((device) => device.name.includes(typed)).slice(0, SUGGESTED);
  offer(
    "send-devices",
    near.map((device) => device.name),
  );
  const theirs = devices.find((device) => device.name === typed)?.subscriptions ?? [];
  const exact = theirs.filter((filter) => !/[+#]/.test(filter));
  offer("send-topics", [...new Set([...TOPICS, ...exact])]);
  explain();
}

function offer(id, values) {
  const text = values.join("\n");
  const list = byId(id);
  if (list.dataset.text === text) return;
  list.dataset.text = text;
  list.replaceChildren(...values.map((value) => make("option", { value })));
}

/** The whole topic as it will be, and what is odd about the payload. */
function explain() {
  const device = byId("send-device").value.trim() || "{device}";
  const topic = byId("send-topic").value.trim();
  const full = /[/$]/.test(topic)
    ? topic.replaceAll("{product}", productId).replaceAll("{device}", device)
    : `${productId}/${device}/${topic}`;
  put(byId("send-full"), topic ? full : "");
  const payload = byId("send-payload").value;
  let note = "";
  if (form() === "hex")
    note = /^([0-9a-f]{2})*$/i.test(payload.replace(/\s/g, ""))
      ? ""
      : "Hex is two digits a byte: 00 ff.";
  else if (/^\s*[[{]/.test(payload) && parsed(payload) === undefined)
    note = "This is no valid JSON; it is sent as it is.";
  put(byId("send-note"), note);
}

async function submit(event) {
  event.preventDefault();
  const name = byId("send-device").value.trim();
  const text = byId("send-payload").value;
  const payload = form() === "hex" ? { payload_hex: text.replace(/\s/g, "") } : { payload: text };
  const message = {
    topic: byId("send-topic").value.trim(),
    qos: Number(byId("send-form").elements.qos.value),
    ...payload,
  };
  await tell(byId("send-status"), async () => {
    const sent = await ask("POST", `devices/${encodeURIComponent(name)}/messages`, message);
    const who =
      { 0: "nobody has subscribed to it", 1: "one receiver" }[sent.receivers] ??
      `${sent.receivers} receivers`;
    return `Sent to ${sent.topic}: ${who}.`;
  });
}

export function start() {
  byId("send-form").addEventListener("submit", submit);
  byId("send-form").addEventListener("input", suggest);
}
