// Short messages: shown in the corner, said once in the live region. The server sends one with HX-Trigger: {"toast": {...}}.

/** @typedef {{text: string, tone?: "info" | "good" | "warn" | "bad", seconds?: number}} Toast */

const ICONS = { info: "info", good: "check", warn: "warn", bad: "stop" };

/**
 * Say a text to screen readers, politely, without showing it.
 * @param {string} text
 */
export function say(text) {
  const live = document.getElementById("live");
  if (!live) return;
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 50);
}

/**
 * Show a message; it leaves by itself unless it is bad news.
 * @param {Toast} toast
 */
export function show({ text, tone = "info", seconds = tone === "bad" ? 0 : 6 }) {
  const box = document.getElementById("toasts");
  const template = document.getElementById("toast-template");
  if (!box || !(template instanceof HTMLTemplateElement)) return;
  const notice = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  notice.classList.add(`tone-${tone}`);
  const use = notice.querySelector("use");
  use?.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*/, `#${ICONS[tone]}`));
  /** @type {HTMLElement} */ (notice.querySelector(".notice-body")).textContent = text;
  notice.querySelector("[data-toast-close]")?.addEventListener("click", () => notice.remove());
  box.append(notice);
  say(text);
  if (seconds) leaveAfter(notice, seconds);
}

/**
 * Take a notice away after a while, but not from under the pointer or the focus.
 * @param {HTMLElement} notice
 * @param {number} seconds
 */
function leaveAfter(notice, seconds) {
  setTimeout(() => {
    if (notice.matches(":hover, :focus-within")) leaveAfter(notice, 2);
    else notice.remove();
  }, seconds * 1000);
}

document.addEventListener("toast", (event) => show(/** @type {CustomEvent} */ (event).detail));
