// Active time: seconds in which the page was seen and somebody moved, typed or scrolled within the last minute.

const IDLE = 60_000;

let total = 0;
let since = 0;
let lastSign = 0;

/** Begin anew, for another card. */
export function startClock() {
  total = 0;
  lastSign = performance.now();
  since = document.hidden ? 0 : lastSign;
}

/** Seconds of active time so far. */
export function activeSeconds() {
  settle();
  return total / 1000;
}

/** When somebody last showed a sign of life, in the page's own clock. */
export function lastSignOfLife() {
  return lastSign;
}

/** Add what has gone by, up to the idle limit after the last sign of life. */
function settle() {
  if (!since) return;
  const now = performance.now();
  total += Math.max(0, Math.min(now, lastSign + IDLE) - since);
  since = now;
}

function sign() {
  settle();
  lastSign = performance.now();
}

for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart"]) {
  document.addEventListener(kind, sign, { passive: true });
}
document.addEventListener("visibilitychange", () => {
  settle();
  since = document.hidden ? 0 : performance.now();
});
