// Sending forms without leaving the page: the answer is JSON or a fragment of HTML.

const token = document.body.dataset.token ?? "";

/**
 * POST fields; null when no answer came. A page that sends us to sign in is an answer of its own: see `isSignedOut`.
 * @param {string} url
 * @param {FormData} [fields]
 * @returns {Promise<Response | null>}
 */
export function send(url, fields = new FormData()) {
  const headers = { "X-CSRFToken": token, "HX-Request": "true" };
  return fetch(url, { method: "POST", body: fields, headers }).catch(() => null);
}

/**
 * Whether the session ended: the server led to the sign-in page instead of answering.
 * @param {Response | null} response
 */
export function isSignedOut(response) {
  return Boolean(response?.redirected);
}

/**
 * The first element of a fragment.
 * @param {string} html
 * @returns {HTMLElement | null}
 */
export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return /** @type {HTMLElement | null} */ (template.content.firstElementChild);
}

/**
 * Tell the server when the page is already being left.
 * @param {string} url
 * @param {FormData} fields
 */
export function sendOnLeaving(url, fields) {
  fields.set("csrfmiddlewaretoken", token);
  navigator.sendBeacon(url, fields);
}
