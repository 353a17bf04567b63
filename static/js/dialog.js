// Opens and closes <dialog> elements. Without this script a link to the dialog's id still shows it.

document.addEventListener("click", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const opener = target.closest("[data-dialog]");
  const closer = target.closest("[data-dialog-close]");
  if (opener) {
    event.preventDefault();
    open(opener.getAttribute("data-dialog") ?? "");
  } else if (closer) {
    event.preventDefault();
    closer.closest("dialog")?.close();
  } else if (target instanceof HTMLDialogElement && outside(target, event)) {
    target.close();
  }
});

/**
 * Show a dialog above everything; the browser keeps the focus inside and gives it back.
 * @param {string} id
 */
export function open(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

/**
 * Whether a click on a dialog fell on its backdrop.
 * @param {HTMLDialogElement} dialog
 * @param {MouseEvent} event
 */
function outside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
