// The product's facts and switches, and pre-creating devices.

import { ask, byId, make, tell } from "./dom.js";
import * as devices from "./devices.js";
import * as events from "./events.js";
import * as send from "./send.js";

let touched = false; // by the person here: what the hub says is not put over it

export async function refresh() {
  show(await ask("GET", "product"));
}

function show(product) {
  document.title = `dynreg hub ${product.product_id}`;
  byId("product-id").textContent = product.product_id;
  events.setProduct(product.product_id);
  send.setProduct(product.product_id);
  const facts = {
    Authentication: product.auth_mode === "cert" ? "by certificate" : "by key",
    "TLS-PSK": product.psk ? "taken" : "not taken",
    ...Object.fromEntries(
      Object.entries(product.addresses).map(([name, address]) => [name, address]),
    ),
  };
  byId("product-facts").replaceChildren(
    ...Object.entries(facts).flatMap(([key, value]) => [
      make("dt", {}, key),
      make("dd", { class: "mono" }, value),
    ]),
  );
  if (touched) return;
  byId("product-form").elements.type.value = String(product.register_type);
  byId("product-limit").value = product.register_limit;
}

async function apply(event) {
  event.preventDefault();
  const change = {
    register_type: Number(event.target.elements.type.value),
    register_limit: Number(byId("product-limit").value),
  };
  await tell(byId("product-status"), async () => {
    const product = await ask("PUT", "product", change);
    touched = false;
    show(product);
    return "Applied.";
  });
}

async function create(event) {
  event.preventDefault();
  const names = byId("create-names")
    .value.split(/[\s,]+/)
    .filter(Boolean);
  const done = await tell(byId("create-status"), async () => {
    const { created, existing } = await ask("POST", "devices", { names });
    const there = existing.length ? ` There already: ${existing.join(", ")}.` : "";
    return `Created: ${created.join(", ") || "none"}.${there}`;
  });
  if (!done) return;
  byId("create-names").value = "";
  devices.refresh();
}

export function start() {
  byId("product-form").addEventListener("input", () => (touched = true));
  byId("product-form").addEventListener("submit", apply);
  byId("create-form").addEventListener("submit", create);
}
