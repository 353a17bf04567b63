// The review card: one at a time, the next one claimed and loaded while this one is read.
// Everything is a form that also works without this script; here forms are sent without leaving the page.
import { print, rest } from "./keys.js";
import { open } from "./dialog.js";
import { say, show } from "./toast.js";
import { activeSeconds, lastSignOfLife, startClock } from "./active.js";
import { isHeld, watchLease } from "./lease.js";
import { isSignedOut, parse, send, sendOnLeaving } from "./send.js";

const LOOK_AGAIN = 8_000; // how often an empty desk asks whether something came
const AT_WORK = 60_000; // whoever moved nothing for so long is not given an item unasked

const desk = /** @type {HTMLElement} */ (document.getElementById("desk"));
const { nextUrl = "", leaveUrl = "", stateUrl = "", offline = "", signedOut = "" } = desk.dataset;

/** Cards that come next: claimed, not on the desk. @type {HTMLElement[]} */
let waiting = [];
/** The request that brings one more. @type {Promise<void> | null} */
let fetching = null;
/** The change of cards that is under way: two at once would take two cards and show one. @type {Promise<void> | null} */
let turning = null;
let isLeaving = false;

/** @returns {HTMLElement | null} */
const card = () => desk.querySelector("[data-card]");

/** @returns {HTMLTextAreaElement | null} */
const noteField = () => desk.querySelector("#note");

// What is on the desk -------------------------------------------------------------------------

/**
 * Put a card or a state on the desk; a card gets the focus.
 * @param {HTMLElement} element
 */
function lay(element) {
  desk.replaceChildren(element);
  askedFor = null;
  rest();
  print();
  startClock();
  if (!element.matches("[data-card]")) return;
  say(element.dataset.says ?? "");
  /** @type {HTMLElement | null} */ (element.querySelector("[data-heading]"))?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  watchLease(element, extendAll);
}

/** Put a card on the desk that comes back, and keep the one that lies there for after it. @param {HTMLElement} back */
function layInFront(back) {
  const shown = card();
  if (shown && !shown.classList.contains("is-lost")) waiting.unshift(shown);
  waiting = waiting.filter((element) => element.dataset.card !== back.dataset.card);
  lay(back);
}

/** Claim and load the next card, once. */
function prefetch() {
  fetching ??= load().finally(() => { fetching = null; });
  return fetching;
}

async function load() {
  if (waiting.length || isLeaving) return;
  const fields = new FormData();
  fields.set("keep", card()?.dataset.card ?? ""); // so that the server does not give the one on the desk again
  const response = await send(nextUrl, fields);
  const next = response?.status === 200 && !isSignedOut(response) ? parse(await response.text()) : null;
  if (next) waiting.push(next);
}

/** Show the next card: at once when it is loaded, else when it comes. */
function turn() {
  turning ??= layNext().finally(() => { turning = null; });
  return turning;
}

async function layNext() {
  waiting = waiting.filter(isHeld);
  if (!waiting.length) await prefetch();
  const next = waiting.shift();
  if (!next) {
    await showState();
    return;
  }
  lay(next);
  await extend(next);
  void prefetch();
}

/** Nothing could be claimed: let the server say why. */
async function showState() {
  const response = await fetch(stateUrl, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!response?.ok || isSignedOut(response)) {
    show({ text: isSignedOut(response) ? signedOut : offline, tone: "warn" });
    return;
  }
  const state = parse(await response.text());
  const shown = desk.querySelector("[data-state]");
  if (state && state.dataset.state !== shown?.getAttribute("data-state")) lay(state);
}

/** Bring what arrives to an empty desk, while somebody is there to see it. */
async function lookAgain() {
  const state = desk.querySelector("[data-state]")?.getAttribute("data-state") ?? "";
  if (card() || document.hidden || isLeaving || !["empty", "taken", "ready"].includes(state)) return;
  if (performance.now() - lastSignOfLife() < AT_WORK) await turn();
  else await showState();
}
setInterval(lookAgain, LOOK_AGAIN);

// What a person does --------------------------------------------------------------------------

/** The button of a reason that waits for its note. @type {HTMLButtonElement | null} */
let askedFor = null;

desk.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.matches(".state-form")) {
    event.preventDefault(); // a page of its own would give back, on leaving this one, what it has just claimed
    void turn();
    return;
  }
  if (!form.matches("[data-sends]")) return;
  event.preventDefault();
  const { submitter } = /** @type {SubmitEvent} */ (event);
  const button = submitter instanceof HTMLButtonElement ? submitter : null;
  closeDialogs();
  if (button?.hasAttribute("data-needs-note") && !noteField()?.value.trim()) askForNote(button);
  else void act(form, button);
});

function closeDialogs() {
  for (const dialog of desk.querySelectorAll("dialog")) dialog.close();
}

/** The reason is kept until its note is typed; Ctrl+Enter sends both. @param {HTMLButtonElement} button */
function askForNote(button) {
  askedFor = button;
  noteField()?.focus();
  show({ text: noteField()?.dataset.hint ?? "" });
}

/**
 * Send one of the card's forms and go on.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement | null} button
 */
async function act(form, button) {
  const shown = card();
  if (!shown || shown.hasAttribute("aria-busy") || shown.classList.contains("is-lost")) return;
  const fields = new FormData(form, button);
  complete(fields, shown);
  busy(shown, true);
  const response = await send(form.action, fields);
  busy(shown, false);
  if (!response?.ok || isSignedOut(response)) await refused(shown, response);
  else await done(form, response);
}

/**
 * Add what stands elsewhere on the card: lease, note, active time.
 * @param {FormData} fields
 * @param {HTMLElement} shown
 */
function complete(fields, shown) {
  fields.set("lease", shown.dataset.lease ?? "");
  if (!fields.get("note")) fields.set("note", noteField()?.value ?? "");
  fields.set("active_seconds", activeSeconds().toFixed(1));
}

/**
 * @param {HTMLElement} shown
 * @param {boolean} on
 */
function busy(shown, on) {
  if (on) shown.setAttribute("aria-busy", "true");
  else shown.removeAttribute("aria-busy");
  for (const control of shown.querySelectorAll("[data-act]")) control.setAttribute("aria-disabled", String(on));
}

/**
 * @param {HTMLFormElement} form
 * @param {Response} response
 */
async function done(form, response) {
  const answer = await response.json();
  if (form.dataset.sends === "extend") {
    moveLease(card(), answer);
    return;
  }
  if (answer.undo) offerUndo(answer);
  else show({ text: answer.text, tone: "good" });
  if (form.dataset.sends === "answer") count();
  if (form.dataset.sends === "hold") void showHeld();
  await turn();
}

/**
 * The refusal is shown on the card, so that what was typed stays.
 * @param {HTMLElement} shown
 * @param {Response | null} response
 */
async function refused(shown, response) {
  const notice = response && !isSignedOut(response) ? parse(await response.text()) : null;
  const place = shown.querySelector("[data-refusals]");
  if (!notice?.matches("[data-refusal]") || !place) {
    show({ text: isSignedOut(response) ? signedOut : offline, tone: "bad" });
    return;
  }
  place.replaceChildren(notice);
  place.scrollIntoView({ block: "nearest" });
  say(notice.textContent ?? "");
  if (["lease_lost", "already_decided", "not_found"].includes(notice.dataset.refusal ?? "")) lost(shown);
}

/** The card can no longer be decided; its note stays readable and the way on is one button. @param {HTMLElement} shown */
function lost(shown) {
  shown.classList.add("is-lost");
  for (const control of shown.querySelectorAll("[data-act]")) control.setAttribute("aria-disabled", "true");
  const onward = /** @type {HTMLButtonElement | null} */ (shown.querySelector("[data-onward]"));
  if (!onward) return;
  onward.hidden = false;
  onward.removeAttribute("aria-disabled");
  onward.focus();
}

desk.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest("[aria-disabled='true']")) {
    event.preventDefault();
    return;
  }
  if (target.closest("[data-onward]")) void turn();
  const asks = target.closest("[data-asks]");
  if (asks) {
    event.preventDefault();
    closeDialogs();
    open(asks.getAttribute("data-asks") ?? "");
    print();
  }
  if (target.closest("[data-act='note']")) {
    event.preventDefault();
    noteField()?.focus();
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

// Typed text leaves the field with Escape; a reason that waited for its note goes out with Ctrl+Enter.
desk.addEventListener("keydown", (event) => {
  const field = noteField();
  if (event.target !== field || event.isComposing) return;
  if (event.key === "Escape") field?.blur();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && askedFor) askedFor.form?.requestSubmit(askedFor);
});

// Undo ----------------------------------------------------------------------------------------

let undoTimer = 0;
const bar = /** @type {HTMLElement} */ (document.getElementById("undo-bar"));

/** @param {{undo: string, text: string, seconds: number}} answer */
function offerUndo({ undo, text, seconds }) {
  /** @type {HTMLFormElement} */ (bar.querySelector("form")).action = undo;
  /** @type {HTMLElement} */ (bar.querySelector("[data-undo-text]")).textContent = text;
  bar.hidden = false;
  clearTimeout(undoTimer);
  undoTimer = window.setTimeout(() => { bar.hidden = true; }, seconds * 1000);
  print();
}

bar.addEventListener("submit", async (event) => {
  event.preventDefault();
  bar.hidden = true;
  if (await bringBack(await send(/** @type {HTMLFormElement} */ (event.target).action))) count(-1);
});

/**
 * Lay the card that an answer brings; says whether one came.
 * @param {Response | null} response
 */
async function bringBack(response) {
  const came = response && !isSignedOut(response) ? parse(await response.text()) : null;
  if (response?.ok && came?.matches("[data-card]")) {
    layInFront(came);
    return true;
  }
  const text = came?.matches("[data-refusal]") ? came.textContent?.trim() : "";
  show({ text: text || (isSignedOut(response) ? signedOut : offline), tone: "warn" });
  return false;
}

/** @param {number} [by] */
function count(by = 1) {
  const figure = document.getElementById("done-today");
  if (figure) figure.textContent = String(Number(figure.textContent) + by);
}

// What is on hold -----------------------------------------------------------------------------

async function showHeld() {
  const held = document.getElementById("held");
  const response = await fetch(held?.dataset.heldUrl ?? "", { headers: { "HX-Request": "true" } }).catch(() => null);
  const fresh = response?.ok && !isSignedOut(response) ? parse(await response.text()) : null;
  if (held && fresh?.matches("#held")) held.replaceWith(fresh);
}

document.addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.matches("#held form")) return;
  event.preventDefault();
  const response = await send(form.action, new FormData(form));
  if (form.matches("[data-resumes]")) await bringBack(response);
  else if (response?.ok) show({ text: (await response.json()).text, tone: "good" });
  await showHeld();
});

// The lease -----------------------------------------------------------------------------------

/** Hold the card on the desk and those that wait for longer. */
async function extendAll() {
  const shown = card();
  await Promise.all([...(shown ? [extend(shown)] : []), ...waiting.map(extend)]);
}

/** Hold a card for longer; one that was lost says so on the desk, or no longer waits. @param {HTMLElement} held */
async function extend(held) {
  const fields = new FormData();
  fields.set("lease", held.dataset.lease ?? "");
  const response = await send(held.dataset.extendUrl ?? "", fields);
  if (response?.ok && !isSignedOut(response)) moveLease(held, await response.json());
  else if (held === card()) await refused(held, response);
  else if (response) waiting = waiting.filter((element) => element !== held);
}

/**
 * @param {HTMLElement | null} held
 * @param {{lease_until?: string}} answer
 */
function moveLease(held, { lease_until: until }) {
  if (held && until) held.dataset.leaseUntil = until;
}

// Leaving gives back what was not decided.
window.addEventListener("pagehide", () => {
  isLeaving = true;
  const held = [card(), ...waiting].filter((element) => element && !element.classList.contains("is-lost"));
  if (!held.length) return;
  const fields = new FormData();
  for (const element of held) fields.append("task", `${element?.dataset.card}:${element?.dataset.lease}`);
  sendOnLeaving(leaveUrl, fields);
});
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

const first = card();
if (first) {
  startClock();
  watchLease(first, extendAll);
  void prefetch();
} else if (desk.dataset.start === "now") {
  void turn();
}
