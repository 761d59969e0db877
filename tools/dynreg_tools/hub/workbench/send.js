// The form that sends: a message to a device's topic, a call that wants an answer, a broadcast.

import { ask, byId, put, tell } from "./dom.js";
import { offer, offerNames } from "./names.js";
import { parsed, whole } from "./payload.js";

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
const WAYS = { message: send, call, broadcast };

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
  if (way() === "broadcast") byId("send-form").elements.way.value = "message";
  byId("send-device").value = name;
  suggest();
  byId("send").scrollIntoView();
  byId("send-payload").focus();
}

const chosen = (name) => byId("send-form").elements[name].value;
const way = () => chosen("way");

function suggest() {
  const typed = byId("send-device").value.trim();
  offerNames("send-devices", devices, typed);
  const theirs = devices.find((device) => device.name === typed)?.subscriptions ?? [];
  const exact = theirs.filter((filter) => !/[+#]/.test(filter));
  offer("send-topics", [...new Set([...TOPICS, ...exact])]);
  explain();
}

/** Which fields there are, the whole topic as it will be, and what is odd about the payload. */
function explain() {
  const now = way();
  for (const element of byId("send-form").querySelectorAll("[data-ways]")) {
    element.hidden = !element.dataset.ways.split(" ").includes(now);
    for (const input of element.querySelectorAll("input")) input.disabled = element.hidden;
  }
  put(byId("send-now"), { message: "Send", call: "Call", broadcast: "Broadcast" }[now]);
  const device = byId("send-device").value.trim() || "{device}";
  const topic = byId("send-topic").value.trim();
  const full = /[/$]/.test(topic)
    ? topic.replaceAll("{product}", productId).replaceAll("{device}", device)
    : `${productId}/${device}/${topic}`;
  put(byId("send-full"), topic ? full : "");
  const payload = byId("send-payload").value;
  let note = "";
  if (chosen("form") === "hex")
    note = /^([0-9a-f]{2})*$/i.test(payload.replace(/\s/g, ""))
      ? ""
      : "Hex is two digits a byte: 00 ff.";
  else if (/^\s*[[{]/.test(payload) && parsed(payload) === undefined)
    note = "This is no valid JSON; it is sent as it is.";
  put(byId("send-note"), note);
}

const path = (more) =>
  `devices/${encodeURIComponent(byId("send-device").value.trim())}/${more}`;

async function send(payload) {
  const message = {
    topic: byId("send-topic").value.trim(),
    qos: Number(chosen("qos")),
    ...payload,
  };
  const sent = await ask("POST", path("messages"), message);
  const who = sent.receivers ? counted(sent.receivers) : "nobody has subscribed to it";
  return `Sent to ${sent.topic}: ${who}.`;
}

async function call(payload) {
  const name = byId("send-device").value.trim();
  const timeout = Number(byId("send-timeout").value);
  const called = await ask("POST", path("calls"), { timeout, ...payload });
  if (!called.receivers) throw new Error(`${name} does not listen for calls.`);
  if (called.payload === null) throw new Error(`No answer of ${name} in ${timeout} s.`);
  byId("send-answer").append(whole(called.payload));
  return `${name} answered after ${called.ms} ms:`;
}

async function broadcast(payload) {
  const { receivers } = await ask("POST", "broadcast", payload);
  return `Broadcast: ${receivers ? counted(receivers) : "nobody has subscribed to it"}.`;
}

const counted = (count) => (count === 1 ? "one receiver" : `${count} receivers`);

async function submit(event) {
  event.preventDefault();
  const text = byId("send-payload").value;
  const hex = chosen("form") === "hex";
  const payload = hex ? { payload_hex: text.replace(/\s/g, "") } : { payload: text };
  byId("send-answer").replaceChildren();
  await tell(byId("send-status"), () => WAYS[way()](payload));
}

export function start() {
  byId("send-form").addEventListener("submit", submit);
  byId("send-form").addEventListener("input", suggest);
}
