// Menus are <details>. They open by themselves; this closes them: on Escape, on a click outside, on the next one opened.

/** @returns {NodeListOf<HTMLDetailsElement>} */
const openMenus = () => document.querySelectorAll("details[data-menu][open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

document.addEventListener("focusout", (event) => {
  const menu = /** @type {HTMLElement} */ (event.target).closest?.("details[data-menu][open]");
  const next = /** @type {Node | null} */ (event.relatedTarget);
  if (menu && next && !menu.contains(next)) /** @type {HTMLDetailsElement} */ (menu).open = false;
});
