// Keeps htmx polling polite: nothing while the page is hidden, at once when it is seen again, no swap of what is the same.
// A polling element says hx-trigger="every 10s, refresh".

/** What each element got last. @type {WeakMap<Element, string>} */
const last = new WeakMap();

/** @param {any} detail */
const isPoll = (detail) => detail.requestConfig && !detail.requestConfig.triggeringEvent;

document.addEventListener("htmx:beforeRequest", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (document.hidden && isPoll(detail)) event.preventDefault();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (!polls(detail.elt) || detail.xhr.status !== 200) return;
  if (last.get(detail.elt) === detail.xhr.responseText) detail.shouldSwap = false;
  last.set(detail.elt, detail.xhr.responseText);
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[hx-trigger*='refresh']")) {
    element.dispatchEvent(new CustomEvent("refresh"));
  }
});

document.addEventListener("htmx:sendError", () => connection(false));
document.addEventListener("htmx:afterOnLoad", () => connection(true));
window.addEventListener("offline", () => connection(false));
window.addEventListener("online", () => connection(true));

// What a person opened stays open when a poll replaces it.
document.addEventListener("htmx:beforeSwap", (event) => {
  for (const details of /** @type {Element} */ (event.target).querySelectorAll("details[data-keep-open]")) remember(details);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const details of document.querySelectorAll("details[data-keep-open]")) {
    if (opened.has(details.getAttribute("data-keep-open"))) details.setAttribute("open", "");
  }
});

/** @type {Set<string | null>} */
const opened = new Set();

/** @param {Element} details */
function remember(details) {
  const name = details.getAttribute("data-keep-open");
  if (details.hasAttribute("open")) opened.add(name);
  else opened.delete(name);
}

/** @param {Element} element */
function polls(element) {
  return (element.getAttribute("hx-trigger") ?? "").includes("every");
}

/**
 * Show or take away the strip that says the connection is gone.
 * @param {boolean} there
 */
function connection(there) {
  const strip = document.getElementById("connection");
  if (strip) strip.hidden = there;
}
