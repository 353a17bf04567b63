// Lists under the keys: j and k move through the rows of a [data-list], Enter opens one, / goes to the search field.
// A row is any [data-row]; it opens the link inside it that says data-open, or its first one.

/** @returns {HTMLElement[]} */
const rows = () => [...document.querySelectorAll("[data-list] [data-row]")].filter((row) => row.getClientRects().length);

/**
 * Put the focus on the next or the previous row.
 * @param {1 | -1} step
 */
export function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** Go to the field that searches or filters this page. */
export function find() {
  const field = document.querySelector("[data-search], main [role='search'] input:not([type='hidden'])");
  if (field instanceof HTMLElement) field.focus();
}

document.addEventListener("keydown", (event) => {
  const row = /** @type {HTMLElement} */ (event.target);
  if (event.key !== "Enter" || !row.matches?.("[data-row]")) return;
  const link = row.querySelector("[data-open], a[href]");
  if (link instanceof HTMLElement) link.click();
});
