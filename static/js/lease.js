// The lease badge: counts down, extends while somebody works, warns ahead of the end.
import { lastSignOfLife } from "./active.js";
import { say } from "./toast.js";

const WARN = 20;
const FRESH = 30_000;

let timer = 0;

/**
 * Count a card's lease down; another card takes over the clock.
 * @param {HTMLElement} card
 * @param {() => Promise<void>} extend
 */
export function watchLease(card, extend) {
  clearInterval(timer);
  const badge = card.querySelector("[data-lease-badge]");
  if (!(badge instanceof HTMLElement)) return;
  const length = remaining(card);
  let isAsking = false;
  let hasWarned = false;
  timer = window.setInterval(async () => {
    const left = remaining(card);
    draw(badge, left);
    if (left > WARN) hasWarned = false;
    else if (!hasWarned && left > 0) {
      hasWarned = true;
      say(badge.dataset.warning ?? "");
    }
    const isAtWork = performance.now() - lastSignOfLife() < FRESH && !document.hidden;
    if (left > 0 && left < length / 2 && isAtWork && !isAsking) {
      isAsking = true;
      await extend();
      isAsking = false;
    }
  }, 1000);
  draw(badge, length);
}

/** How far the server's clock is ahead of ours, in milliseconds, as of when the page came. */
const skew = Date.parse(document.getElementById("desk")?.dataset.now ?? "") - Date.now() || 0;

/** Seconds until a card's lease ends, by the server's clock. @param {HTMLElement} card */
function remaining(card) {
  const until = Date.parse(card.dataset.leaseUntil ?? "");
  return Math.max(0, (until - Date.now() - skew) / 1000);
}

/** Whether a card is still held. @param {HTMLElement} card */
export function isHeld(card) {
  return remaining(card) > 0;
}

/**
 * @param {HTMLElement} badge
 * @param {number} left
 */
function draw(badge, left) {
  const minutes = Math.floor(left / 60);
  const seconds = String(Math.floor(left % 60)).padStart(2, "0");
  const text = badge.querySelector("[data-lease-text]");
  if (text) text.textContent = `${minutes}:${seconds}`;
  badge.classList.toggle("tone-warn", left <= WARN);
}
