// The command palette (Ctrl or Cmd and k): goes where the page's links go and does what its buttons do.
import { keyOf, labelOf } from "./keys.js";
import { printed } from "./keymap.js";

/** @typedef {{label: string, key: string, element: HTMLElement}} Entry */

const dialog = document.getElementById("palette");
const field = dialog?.querySelector("input");
const box = dialog?.querySelector("ul");
/** @type {Entry[]} */
let shown = [];
let at = 0;

/** @returns {Entry[]} */
function entries() {
  const found = document.querySelectorAll("a[data-palette], [data-act][data-key]:not([data-act='palette'])");
  return [...found].filter(usable).map((element) => ({
    label: labelOf(element),
    key: element.dataset.key ? printed(keyOf(element)) : "",
    element,
  }));
}

/** @param {HTMLElement} element */
function usable(element) {
  return !element.matches(":disabled") && !element.closest("dialog, [hidden]");
}

/**
 * Whether the letters of a word stand in a label in this order.
 * @param {string} word
 * @param {string} label
 */
function fits(word, label) {
  let from = 0;
  for (const letter of word.toLowerCase().replace(/\s/g, "")) {
    from = label.toLowerCase().indexOf(letter, from) + 1;
    if (!from) return false;
  }
  return true;
}

function draw() {
  if (!field || !box || !dialog) return;
  shown = entries().filter(({ label }) => label && fits(field.value, label));
  at = 0;
  box.replaceChildren(...shown.map(option));
  box.hidden = !shown.length;
  const none = dialog.querySelector("p");
  if (none) none.hidden = shown.length > 0;
  mark();
}

/**
 * @param {Entry} entry
 * @param {number} index
 */
function option({ label, key }, index) {
  const item = document.createElement("li");
  item.id = `palette-${index}`;
  item.setAttribute("role", "option");
  item.append(Object.assign(document.createElement("span"), { textContent: label }));
  if (key) item.append(Object.assign(document.createElement("kbd"), { textContent: key }));
  item.addEventListener("click", () => run(index));
  return item;
}

function mark() {
  box?.querySelectorAll("li").forEach((item, index) => {
    item.setAttribute("aria-selected", String(index === at));
    if (index === at) item.scrollIntoView({ block: "nearest" });
  });
  field?.setAttribute("aria-activedescendant", shown.length ? `palette-${at}` : "");
}

/** @param {number} index */
function run(index) {
  const entry = shown[index];
  if (!(dialog instanceof HTMLDialogElement) || !entry) return;
  field?.blur(); // it would keep the focus until the next frame, and eat the next key
  dialog.close();
  entry.element.click();
}

document.addEventListener("click", (event) => {
  if (!/** @type {HTMLElement} */ (event.target).closest("[data-act='palette']")) return;
  if (!(dialog instanceof HTMLDialogElement) || !field || dialog.open) return;
  field.value = "";
  dialog.showModal();
  draw();
});

field?.addEventListener("input", draw);
field?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && shown.length) {
    event.preventDefault();
    at = (at + step + shown.length) % shown.length;
    mark();
  } else if (event.key === "Enter") {
    event.preventDefault();
    run(at);
  }
});
