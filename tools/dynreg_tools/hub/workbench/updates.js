// Updates over the air: a file is uploaded and offered, and the devices are watched taking it.

import { ask, byId, confirmed, make, put, tell, throttled } from "./dom.js";
import { pager } from "./pager.js";
import { version } from "./bundle.js";

const PAUSE_MS = 500;
const AT_ONCE = 4; // of the six connections that a browser opens to a host
const UNDER_WAY = new Set(["offered", "downloading", "burning"]);
const EVENTS = new Set(["version", "offered", "update", "cancelled", "deleted"]);
const WANTED = {
  all: () => true,
  "under way": (row) => UNDER_WAY.has(row.state),
  done: (row) => row.state === "done",
  failed: (row) => row.state === "fail",
};
const COLUMNS = ["Runs", "Update", "State", "Progress", "Says"];

let devices = [];
let updates = [];
let scheduled = false;
let pages;
const rows = new Map(); // by name, of this page

export function setDevices(list) {
  devices = list;
}

/** Asks the hub how far the devices are, soon. */
export const refresh = throttled(
  async () => {
    try {
      updates = (await ask("GET", "updates")).updates;
      put(byId("update-failure"), "");
      schedule();
    } catch (error) {
      put(byId("update-failure"), error.message);
    }
  },
  () => PAUSE_MS + updates.length,
);

/** Notes that a device has said something of its program, or was told of another. */
export function note(event) {
  if (EVENTS.has(event.event)) refresh();
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(render);
}

function render() {
  scheduled = false;
  const wanted = WANTED[byId("update-state").value];
  const found = updates.filter(wanted);
  const shown = pages.cut(found);
  const names = new Set(shown.map((one) => one.name));
  for (const [name, row] of rows) if (!names.has(name)) (row.main.remove(), rows.delete(name));
  const body = byId("update-rows");
  let place = body.firstElementChild;
  for (const one of shown) {
    const row = rows.get(one.name) ?? newRow(one.name);
    rows.set(one.name, row);
    show(row, one);
    if (row.main !== place) body.insertBefore(row.main, place);
    place = row.main.nextElementSibling;
  }
  byId("update-table").hidden = !updates.length;
  put(byId("update-count"), summary());
  byId("update-cancel").disabled = !updates.some(WANTED["under way"]);
}

/** "50 devices: 12 done, 3 failed, 35 under way". */
function summary() {
  const counts = Object.entries(WANTED)
    .slice(1)
    .map(([word, wanted]) => [updates.filter(wanted).length, word]);
  const total = counts.reduce((sum, [count]) => sum + count, 0);
  const parts = counts.filter(([count]) => count).map(([count, word]) => `${count} ${word}`);
  const bar = byId("update-all");
  bar.parentElement.hidden = !total;
  bar.max = total || 1;
  bar.value = counts.find(([, word]) => word === "done")[0];
  const all = `${updates.length} device${updates.length === 1 ? "" : "s"}`;
  return parts.length ? `${all}: ${parts.join(", ")}` : all;
}

function newRow(name) {
  const cells = COLUMNS.map((label) => make("td", { role: "cell", "data-label": label }));
  const bar = make("progress", { max: 100, "aria-label": `Progress of ${name}` });
  const percent = make("span");
  cells[3].append(bar, " ", percent);
  const head = make("th", { role: "rowheader", scope: "row", class: "mono" }, name);
  return { cells, bar, percent, main: make("tr", { role: "row" }, head, ...cells) };
}

function show(row, one) {
  const percent = one.state === "done" ? 100 : (one.percent ?? 0);
  const failed = one.state === "fail";
  const code = one.code ? ` (${one.code})` : "";
  const text = [one.reported ?? "", one.version ?? "", failed ? "failed" : (one.state ?? "")];
  text.forEach((value, i) => put(row.cells[i], value));
  put(row.cells[4], one.state && one.state !== "done" ? `${one.message ?? ""}${code}` : "");
  row.main.classList.toggle("bad", failed);
  row.main.classList.toggle("done", one.state === "done");
  row.bar.hidden = !one.state;
  row.bar.value = percent;
  put(row.percent, one.state ? `${percent} %` : "");
}

const path = (name) => `devices/${encodeURIComponent(name)}/update`;

/** Those who take it: all, those online, or those named. */
function chosen() {
  const who = byId("update-who").value;
  if (who !== "named")
    return devices.filter((one) => who === "all" || one.online).map((one) => one.name);
  return byId("update-names")
    .value.split(/[\s,]+/)
    .filter(Boolean);
}

/** Does something for each name, a few at once; the first error, after all the others are done. */
async function forEach(names, action) {
  const left = [...names];
  const errors = [];
  let ended = 0;
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      await action(name).catch((error) => errors.push(error));
      ended += 1;
      if (names.length > 1) put(byId("update-status"), `${ended} of ${names.length}…`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  refresh();
  if (errors.length > 1)
    throw new Error(`${errors.length} of ${names.length} failed. ${errors[0].message}`);
  if (errors.length) throw errors[0];
}

async function offer(event) {
  event.preventDefault();
  const status = byId("update-status");
  const names = chosen();
  const to = byId("update-version").value.trim();
  const many = `${names.length} devices`;
  const asks = `They stop what they do, download version ${to} and start it.`;
  if (names.length > 1 && !(await confirmed(`Update ${many}?`, asks, "Update"))) return;
  await tell(status, async () => {
    if (!names.length) throw new Error("There is no such device.");
    const file = byId("update-file").files[0];
    const { md5 } = await ask("POST", "updates/files", file);
    const body = { md5, version: to, scheme: byId("update-scheme").value };
    let heard = 0;
    await forEach(names, async (name) => {
      const { receivers } = await ask("PUT", path(name), body);
      heard += receivers;
    });
    const whom = names.length === 1 ? names[0] : many;
    return `Version ${to} is offered to ${whom}; ${heard} of ${names.length} heard of it now.`;
  });
}

async function cancel() {
  const names = updates.filter(WANTED["under way"]).map((one) => one.name);
  const title = `Cancel ${names.length} update${names.length === 1 ? "" : "s"}?`;
  if (!(await confirmed(title, "They are offered no more.", "Cancel updates"))) return;
  await tell(byId("update-status"), async () => {
    await forEach(names, (name) => ask("DELETE", path(name)));
    return `${names.length} cancelled.`;
  });
}

/** The version out of a bundle; that of a firmware image a person types. */
async function picked() {
  const file = byId("update-file").files[0];
  const input = byId("update-version");
  await tell(byId("update-status"), async () => {
    const own = file ? await version(file) : "";
    input.readOnly = own !== null;
    input.value = own ?? "";
    return own === null ? "A firmware image: type its version." : "";
  });
  byId("update-offer").disabled = byId("update-status").classList.contains("bad");
}

export function start() {
  pages = pager("update", schedule);
  byId("update-form").addEventListener("submit", offer);
  byId("update-file").addEventListener("change", picked);
  byId("update-cancel").addEventListener("click", cancel);
  byId("update-who").addEventListener("input", () => {
    const named = byId("update-who").value === "named";
    byId("update-names").parentElement.hidden = !named;
    byId("update-names").required = named;
  });
  byId("update-state").addEventListener("input", () => {
    pages.first();
    schedule();
  });
}
