// Keys press buttons: an element with data-act and data-key is what a key clicks, so nothing has a key and no button.
// Keys rest in fields, while text is composed, in a menu's or dialog's shadow, for 250 ms after a card changed and while
// a change is under way; a held key fires once. Each can be given another key, or all switched off (WCAG 2.1.4).
import { keyFor, nameOf, printed, PRESETS } from "./keymap.js";
import { open } from "./dialog.js";
import { find, move } from "./lists.js";

const REST = 250;
const SEQUENCE = 1500;
const STORE = "rq-keys";

/** @type {import("./keymap.js").Choice} */
let choice = read();
let restUntil = 0;
let underWay = 0;
let begun = { key: "", at: 0 };

/** What works on every page and has no button of its own there. @type {Record<string, {key: string, run: () => void}>} */
const everywhere = {
  keys: { key: "?", run: showKeys },
  next: { key: "j", run: () => move(1) },
  previous: { key: "k", run: () => move(-1) },
  find: { key: "/", run: find },
};

/** Let keys rest: call it when a card was replaced without htmx. */
export function rest() {
  restUntil = performance.now() + REST;
}

/** Print the keys in force on their buttons; call it when buttons came without htmx. */
export function print() {
  document.documentElement.classList.toggle("keys-off", choice.preset === "off");
  for (const element of keyed()) {
    const key = keyOf(element);
    const shown = element.querySelector("kbd");
    if (key) element.setAttribute("aria-keyshortcuts", ariaName(key));
    else element.removeAttribute("aria-keyshortcuts");
    if (!shown) continue;
    shown.dataset.keyShown = "";
    shown.setAttribute("aria-hidden", "true");
    if (shown.textContent !== printed(key)) shown.textContent = printed(key);
  }
}

/** @returns {HTMLElement[]} */
function keyed() {
  return [...document.querySelectorAll("[data-key][data-act]")];
}

/**
 * The key that presses an element now.
 * @param {HTMLElement} element
 */
export function keyOf(element) {
  return keyFor(element.dataset.act ?? "", element.dataset.key ?? "", choice);
}

/** @param {string} key */
function ariaName(key) {
  return key.replace("Mod+", "Control+");
}

/** @returns {import("./keymap.js").Choice} */
function read() {
  try {
    const stored = JSON.parse(document.body.dataset.keys || localStorage.getItem(STORE) || "{}");
    return { preset: stored.preset ?? "own", own: stored.own ?? {} };
  } catch {
    return { preset: "own", own: {} };
  }
}

function store() {
  const text = JSON.stringify(choice);
  try {
    localStorage.setItem(STORE, text);
  } catch {
    // Refused storage: the choice holds until the page is left.
  }
  const { keysUrl, token } = document.body.dataset;
  if (keysUrl) {
    fetch(keysUrl, { method: "POST", body: text, headers: { "Content-Type": "application/json", "X-CSRFToken": token ?? "" } });
  }
}

/**
 * Whether typing belongs to what has the focus.
 * @param {EventTarget | null} target
 */
function isField(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  return Boolean(target.closest("textarea, select, input:not([type=button], [type=submit], [type=reset], [type=checkbox])"));
}

/**
 * Enter and Space belong to a control that has the focus.
 * @param {KeyboardEvent} event
 */
function isPressing(event) {
  if (event.key !== "Enter" && event.key !== " ") return false;
  return !event.ctrlKey && !event.metaKey && Boolean(/** @type {Element} */ (event.target).closest?.("a, button, summary, input"));
}

/** @param {KeyboardEvent} event */
function restsFor(event) {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || event.repeat) return true;
  if (choice.preset === "off" || performance.now() < restUntil || underWay > 0) return true;
  const opensPalette = nameOf(event) === "Mod+k";
  return isPressing(event) || (isField(event.target) && !opensPalette);
}

/**
 * The visible, usable element that a key or a sequence of keys presses.
 * @param {string} key
 */
function elementFor(key) {
  const scope = document.querySelector("dialog[open]") ?? document;
  return keyed().find((element) => scope.contains(element) && keyOf(element) === key && usable(element));
}

/** @param {HTMLElement} element */
function usable(element) {
  const folded = element.closest(".top-nav, .menu-body");
  return !element.matches(":disabled, [aria-disabled='true']") && (Boolean(folded) || element.getClientRects().length > 0);
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (restsFor(event)) return;
  const name = nameOf(event);
  if (!name) return;
  const first = event.timeStamp - begun.at < SEQUENCE ? begun.key : "";
  begun = { key: name, at: event.timeStamp };
  const element = (first && elementFor(`${first} ${name}`)) || elementFor(name);
  if (element) {
    event.preventDefault();
    begun.key = "";
    element.click();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const common = Object.entries(everywhere).find(([act, { key }]) => keyFor(act, key, choice) === name);
  if (common) {
    event.preventDefault();
    common[1].run();
  }
}

// The list of keys, and giving them others -------------------------------------------------

function showKeys() {
  list();
  open("keys-dialog");
}

/** @returns {{act: string, label: string, key: string}[]} each action of this page once: its own, then those of every page */
function acts() {
  const found = new Map();
  const main = document.getElementById("main");
  const own = keyed().sort((one, other) => Number(main?.contains(other)) - Number(main?.contains(one)));
  for (const element of own) {
    const act = element.dataset.act ?? "";
    if (!found.has(act) && usable(element)) found.set(act, { act, label: labelOf(element), key: keyOf(element) });
  }
  for (const [act, { key }] of Object.entries(everywhere)) {
    const label = wordFor(act);
    if (!found.has(act) && label) found.set(act, { act, label, key: keyFor(act, key, choice) });
  }
  return [...found.values()];
}

/**
 * What a key without a button does, where the page has something for it to act on.
 * @param {string} act
 */
function wordFor(act) {
  const needs = { next: "[data-list]", previous: "[data-list]", find: "[data-search], [role='search']" }[act];
  if (!needs || !document.querySelector(needs)) return "";
  return document.getElementById("keys-dialog")?.getAttribute(`data-word-${act}`) ?? "";
}

/**
 * What an element does, in its own words.
 * @param {HTMLElement} element
 */
export function labelOf(element) {
  const copy = /** @type {HTMLElement} */ (element.cloneNode(true));
  for (const part of copy.querySelectorAll("kbd, svg")) part.remove();
  return element.dataset.label || (copy.textContent ?? "").trim().replace(/\s+/g, " ");
}

function list() {
  const body = document.getElementById("keys-rows");
  const template = document.getElementById("keys-row");
  const preset = document.getElementById("keys-preset");
  if (!body || !(template instanceof HTMLTemplateElement) || !(preset instanceof HTMLSelectElement)) return;
  preset.value = choice.preset;
  body.replaceChildren(...acts().map(({ act, label, key }) => rowFor(template, act, label, key)));
}

/**
 * @param {HTMLTemplateElement} template
 * @param {string} act
 * @param {string} label
 * @param {string} key
 */
function rowFor(template, act, label, key) {
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const [shown, does, change] = row.children;
  /** @type {HTMLElement} */ (shown.firstElementChild).textContent = printed(key);
  does.textContent = label;
  const button = /** @type {HTMLButtonElement} */ (change.firstElementChild);
  button.setAttribute("aria-label", `${button.textContent}: ${label}`);
  button.addEventListener("click", () => listen(act));
  return row;
}

/**
 * Wait for one key and give it to an action.
 * @param {string} act
 */
function listen(act) {
  const dialog = /** @type {HTMLElement} */ (document.getElementById("keys-dialog"));
  const say = /** @type {HTMLElement} */ (document.getElementById("keys-say"));
  say.textContent = dialog.dataset.press ?? "";
  dialog.addEventListener("keydown", function take(event) {
    const name = nameOf(event);
    if (!name || name === "Tab") return;
    event.preventDefault();
    event.stopPropagation();
    dialog.removeEventListener("keydown", take, true);
    if (name === "Escape") say.textContent = "";
    else if (acts().some((other) => other.act !== act && other.key === name)) say.textContent = dialog.dataset.taken ?? "";
    else change({ ...choice, own: { ...choice.own, [act]: name } }, dialog.dataset.held ?? "");
  }, true);
}

/**
 * @param {import("./keymap.js").Choice} next
 * @param {string} [said]
 */
function change(next, said = "") {
  choice = next;
  store();
  print();
  list();
  const say = document.getElementById("keys-say");
  if (say && said) say.textContent = said;
}

// What the page tells us --------------------------------------------------------------------

document.addEventListener("keydown", press);
document.addEventListener("rq:card", rest);
document.addEventListener("click", (event) => {
  if (/** @type {HTMLElement} */ (event.target).closest("[data-act='keys']")) showKeys();
});
document.getElementById("keys-preset")?.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLSelectElement} */ (event.target);
  if (value === "off" || value in PRESETS) change({ ...choice, preset: value });
});
document.getElementById("keys-reset")?.addEventListener("click", () => change({ preset: "own", own: {} }));

/** @param {Event} event */
const changes = (event) => /** @type {CustomEvent} */ (event).detail.requestConfig?.verb !== "get";
document.addEventListener("htmx:beforeRequest", (event) => { if (changes(event) && !event.defaultPrevented) underWay += 1; });
document.addEventListener("htmx:afterRequest", (event) => { if (changes(event)) underWay = Math.max(0, underWay - 1); });
document.addEventListener("htmx:afterSwap", (event) => {
  const target = /** @type {Element} */ (event.target);
  if (target.closest("[data-card]") || target.querySelector("[data-card]")) rest();
});
document.addEventListener("htmx:afterSettle", print);
print();
