// A long list by pages: its two buttons, and which part of it is shown.

import { byId, put } from "./dom.js";

export const PER_PAGE = 50;

/** The pages of a list: `first()` goes back to the first, `cut(list)` is what of it to show. */
export function pager(name, onTurn) {
  let page = 0;
  const turn = (by) => () => {
    page += by;
    onTurn();
  };
  byId(`${name}-before`).addEventListener("click", turn(-1));
  byId(`${name}-after`).addEventListener("click", turn(1));
  return {
    first: () => (page = 0),
    cut(found) {
      const pages = Math.max(1, Math.ceil(found.length / PER_PAGE));
      page = Math.max(0, Math.min(page, pages - 1));
      byId(`${name}-pages`).hidden = pages === 1;
      put(byId(`${name}-page`), `${page + 1} of ${pages}`);
      byId(`${name}-before`).setAttribute("aria-disabled", String(page === 0)); // keeps the focus
      byId(`${name}-after`).setAttribute("aria-disabled", String(page === pages - 1));
      return found.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
    },
  };
}
