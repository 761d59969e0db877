// Logins and messages of the last five minutes: bars, a sentence, a table.

import { byId, make, put, throttled } from "./dom.js";

const STEP_MS = 5000;
const STEPS = 60;
const WIDTH = 300;
const HEIGHT = 36;
const PAUSE_MS = 250;
const REDRAW_MS = 1000;
const SVG = "http://www.w3.org/2000/svg";
const SERIES = {
  Logins: (event) => event.event === "login",
  Messages: (event) => event.event === "publish" || event.event === "delivered",
};

const counts = Object.fromEntries(Object.keys(SERIES).map((name) => [name, new Map()])); // by step
const drawn = {};
let newest = 0; // the time of an event: the hub's clock may be ahead of this browser's

export function add(event) {
  newest = Math.max(newest, Date.parse(event.at));
  for (const [name, counted] of Object.entries(SERIES)) {
    if (!counted(event)) continue;
    const step = Math.floor(Date.parse(event.at) / STEP_MS);
    counts[name].set(step, (counts[name].get(step) ?? 0) + 1);
    soon();
  }
}

function draw() {
  if (document.hidden) return;
  const now = Math.floor(Math.max(Date.now(), newest) / STEP_MS);
  const from = now - STEPS + 1;
  const values = {};
  for (const [name, found] of Object.entries(counts)) {
    for (const step of found.keys()) if (step < from) found.delete(step);
    values[name] = Array.from({ length: STEPS }, (_, i) => found.get(from + i) ?? 0);
    const { bars, title, most } = drawn[name];
    const top = Math.max(...values[name], 1);
    const sum = total(values[name]);
    values[name].forEach((value, i) => {
      const height = String(value && Math.max(1.5, (value / top) * HEIGHT));
      if (bars[i].getAttribute("height") === height) return;
      bars[i].setAttribute("height", height);
      bars[i].setAttribute("y", String(HEIGHT - height));
    });
    put(
      most,
      sum
        ? `${sum} ${name.toLowerCase()}, at most ${top} in ${STEP_MS / 1000} s`
        : `No ${name.toLowerCase()} in five minutes`,
    );
    put(title, `${name} of the last five minutes: ${sum}`);
  }
  const minute = 60000 / STEP_MS;
  drawn.rows.forEach((cells, i) => {
    const end = STEPS - i * minute;
    Object.keys(SERIES).forEach((name, column) =>
      put(cells[column], String(total(values[name].slice(end - minute, end)))),
    );
  });
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const soon = throttled(draw, () => PAUSE_MS);

export function start() {
  const width = WIDTH / STEPS;
  for (const name of Object.keys(SERIES)) {
    const title = shape("title", { id: `chart-${name}` });
    const svg = shape("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-labelledby": `chart-${name}`,
    });
    const bars = Array.from({ length: STEPS }, (_, i) =>
      shape("rect", { x: i * width + 0.5, width: width - 1, y: HEIGHT, height: 0 }),
    );
    svg.append(title, shape("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }), ...bars);
    const most = make("p", { class: "hint" });
    byId("chart").append(make("div", { class: `series ${name.toLowerCase()}` }, most, svg));
    drawn[name] = { bars, title, most };
  }
  const ends = ["this one", "1 ago", "2 ago", "3 ago", "4 ago"];
  drawn.rows = ends.map((end) => {
    const cells = Object.keys(SERIES).map(() => make("td"));
    byId("chart-rows").append(make("tr", {}, make("th", { scope: "row" }, end), ...cells));
    return cells;
  });
  draw();
  setInterval(draw, REDRAW_MS);
}
