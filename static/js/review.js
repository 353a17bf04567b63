// The review card: one at a time, the next one claimed and loaded while this one is read.
// Everything is a form that also works without this script; here forms are sent without leaving the page.
import { print, rest } from "./keys.js";
import { open } from "./dialog.js";
import { say, show } from "./toast.js";
import { activeSeconds, startClock } from "./active.js";
import { watchLease } from "./lease.js";

const desk = /** @type {HTMLElement} */ (document.getElementById("desk"));
const { nextUrl = "", leaveUrl = "" } = desk.dataset;
const token = document.body.dataset.token ?? "";

/** The card that comes next: claimed, not yet shown. @type {HTMLElement | null} */
let waiting = null;
/** The request that brings it. @type {Promise<void> | null} */
let fetching = null;
let isLeaving = false;

/** @returns {HTMLElement | null} */
const card = () => desk.querySelector("[data-card]");

/**
 * Send a form's fields; the answer is JSON or a fragment of HTML.
 * @param {string} url
 * @param {FormData} [fields]
 */
function send(url, fields = new FormData()) {
  return fetch(url, { method: "POST", body: fields, headers: { "X-CSRFToken": token, "HX-Request": "true" } });
}

/** @param {string} html @returns {HTMLElement | null} */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return /** @type {HTMLElement | null} */ (template.content.firstElementChild);
}

// What is on the desk -------------------------------------------------------------------------

/**
 * Put a card or a state on the desk and give it the focus.
 * @param {HTMLElement} element
 */
function lay(element) {
  desk.replaceChildren(element);
  rest();
  print();
  startClock();
  if (!element.matches("[data-card]")) return;
  say(element.dataset.says ?? "");
  /** @type {HTMLElement | null} */ (element.querySelector("[data-heading]"))?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  watchLease(element, extend);
}

/** Claim and load the next card, once. */
function prefetch() {
  fetching ??= load().finally(() => { fetching = null; });
  return fetching;
}

async function load() {
  if (waiting || isLeaving) return;
  const response = await send(nextUrl, keeping()).catch(() => null);
  if (response?.status === 200) waiting = parse(await response.text());
}

/** The task on the desk, so that the server does not give it again. */
function keeping() {
  const fields = new FormData();
  fields.set("keep", card()?.dataset.card ?? "");
  return fields;
}

/** Show the next card: at once when it is loaded, else when it comes. */
async function turn() {
  if (!waiting) await prefetch();
  if (!waiting) {
    await showState();
    return;
  }
  const next = waiting;
  waiting = null;
  lay(next);
  await extend();
  void prefetch();
}

/** Nothing could be claimed: let the server say why. */
async function showState() {
  const response = await fetch(desk.dataset.stateUrl ?? "", { headers: { "HX-Request": "true" } }).catch(() => null);
  const state = response?.ok ? parse(await response.text()) : null;
  if (state) lay(state);
  else show({ text: desk.dataset.offline ?? "", tone: "warn" });
}

// What a person does --------------------------------------------------------------------------

desk.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("[data-sends]")) return;
  event.preventDefault();
  const button = /** @type {SubmitEvent} */ (event).submitter;
  form.closest("dialog")?.close();
  void act(form, button instanceof HTMLButtonElement ? button : null);
});

/**
 * Send one of the card's forms and go on.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement | null} button
 */
async function act(form, button) {
  const shown = card();
  if (!shown || shown.hasAttribute("aria-busy")) return;
  const fields = new FormData(form, button);
  complete(fields, shown);
  busy(shown, true);
  const response = await send(form.action, fields).catch(() => null);
  busy(shown, false);
  if (!response) show({ text: desk.dataset.offline ?? "", tone: "bad" });
  else if (!response.ok) await refused(shown, response);
  else await done(form, response);
}

/**
 * Add what stands elsewhere on the card: lease, note, active time.
 * @param {FormData} fields
 * @param {HTMLElement} shown
 */
function complete(fields, shown) {
  const note = /** @type {HTMLTextAreaElement | null} */ (shown.querySelector("#note"));
  fields.set("lease", shown.dataset.lease ?? "");
  if (!fields.get("note")) fields.set("note", note?.value ?? "");
  fields.set("active_seconds", activeSeconds().toFixed(1));
}

/**
 * @param {HTMLElement} shown
 * @param {boolean} on
 */
function busy(shown, on) {
  if (on) shown.setAttribute("aria-busy", "true");
  else shown.removeAttribute("aria-busy");
  for (const button of shown.querySelectorAll("button[data-act]")) button.setAttribute("aria-disabled", String(on));
}

/**
 * @param {HTMLFormElement} form
 * @param {Response} response
 */
async function done(form, response) {
  const answer = await response.json().catch(() => ({}));
  if (form.dataset.sends === "extend") {
    moveLease(answer);
    return;
  }
  if (answer.undo) offerUndo(answer);
  else if (answer.text) show({ text: answer.text, tone: "good" });
  count();
  await turn();
}

/**
 * The refusal is shown on the card, so that what was typed stays.
 * @param {HTMLElement} shown
 * @param {Response} response
 */
async function refused(shown, response) {
  const notice = parse(await response.text());
  const place = shown.querySelector("[data-refusals]");
  if (!notice || !place) return;
  place.replaceChildren(notice);
  say(notice.textContent ?? "");
  if (["lease_lost", "already_decided"].includes(notice.dataset.refusal ?? "")) lost(shown);
}

/** The card can no longer be decided; its note stays readable and the way on is one button. @param {HTMLElement} shown */
function lost(shown) {
  shown.classList.add("is-lost");
  for (const button of shown.querySelectorAll("button[data-act]")) /** @type {HTMLButtonElement} */ (button).disabled = true;
  const onward = /** @type {HTMLButtonElement | null} */ (shown.querySelector("[data-onward]"));
  if (onward) {
    onward.hidden = false;
    onward.disabled = false;
    onward.focus();
  }
}

desk.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[data-onward]")) void turn();
  const reasons = target.closest("[data-reasons]");
  if (reasons) {
    event.preventDefault();
    open(reasons.getAttribute("data-reasons") ?? "");
    print();
  }
  if (target.closest("[data-act='note']")) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (desk.querySelector("#note"))?.focus();
  }
  const veil = target.closest("[data-veil]");
  if (veil) veilImages(/** @type {HTMLElement} */ (veil));
});

/** Images are blurred until asked for; the choice stays from card to card. @param {HTMLElement} button */
function veilImages(button) {
  const { dataset } = document.documentElement;
  const isBlur = button.dataset.veil === "blur";
  const on = isBlur ? dataset.blur === "off" : dataset.grey !== "on";
  if (isBlur) dataset.blur = on ? "on" : "off";
  else dataset.grey = on ? "on" : "off";
  button.setAttribute("aria-pressed", String(on));
}

// Typed text leaves the field with Escape, and goes out with Ctrl+Enter.
desk.addEventListener("keydown", (event) => {
  if (/** @type {HTMLElement} */ (event.target).id !== "note") return;
  if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
});

// Undo ----------------------------------------------------------------------------------------

let undoTimer = 0;

/** @param {{undo: string, text: string, seconds: number}} answer */
function offerUndo({ undo, text, seconds }) {
  const bar = /** @type {HTMLElement} */ (document.getElementById("undo-bar"));
  const form = /** @type {HTMLFormElement} */ (bar.querySelector("form"));
  form.action = undo;
  /** @type {HTMLElement} */ (bar.querySelector("[data-undo-text]")).textContent = text;
  bar.hidden = false;
  clearTimeout(undoTimer);
  undoTimer = window.setTimeout(() => { bar.hidden = true; }, seconds * 1000);
  print();
}

document.getElementById("undo-bar")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const bar = /** @type {HTMLElement} */ (document.getElementById("undo-bar"));
  bar.hidden = true;
  const response = await send(/** @type {HTMLFormElement} */ (event.target).action).catch(() => null);
  if (response?.ok) {
    if (!waiting) waiting = card();
    const back = parse(await response.text());
    if (back) lay(back);
    count(-1);
    return;
  }
  const refusal = response && parse(await response.text());
  show({ text: refusal?.textContent?.trim() || (desk.dataset.offline ?? ""), tone: "warn" });
});

/** @param {number} [by] */
function count(by = 1) {
  const figure = document.getElementById("done-today");
  if (figure) figure.textContent = String(Number(figure.textContent) + by);
}

// The lease -----------------------------------------------------------------------------------

/** Hold the shown card for longer; says whether it is still ours. */
async function extend() {
  const shown = card();
  if (!shown) return;
  const fields = new FormData();
  fields.set("lease", shown.dataset.lease ?? "");
  const response = await send(shown.dataset.extendUrl ?? "", fields).catch(() => null);
  if (card() !== shown || !response) return;
  if (response.ok) moveLease(await response.json());
  else await refused(shown, response);
}

/** @param {{lease_until?: string}} answer */
function moveLease({ lease_until: until }) {
  const shown = card();
  if (shown && until) shown.dataset.leaseUntil = until;
}

// Leaving gives back what was not decided.
window.addEventListener("pagehide", () => {
  isLeaving = true;
  const held = [card(), waiting].filter((element) => element?.dataset.lease);
  if (!held.length) return;
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", token);
  for (const element of held) fields.append("task", `${element?.dataset.card}:${element?.dataset.lease}`);
  navigator.sendBeacon(leaveUrl, fields);
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const first = card();
if (first) {
  startClock();
  watchLease(first, extend);
  void prefetch();
} else if (desk.dataset.start === "now") {
  void turn();
}
