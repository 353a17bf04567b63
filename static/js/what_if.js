// What if: a slider under each number that has a range, buttons that fill in what is advised, and figures said once.
// The form itself works without this: htmx sends it when something changes, and without htmx its button does.
import { say } from "./toast.js";

const STEPS = 200; // of a slider
const form = /** @type {HTMLFormElement | null} */ (document.getElementById("terms"));

/** Put a slider under a number; both say the same. @param {HTMLInputElement} number */
function slide(number) {
  const slider = document.createElement("input");
  const [low, high] = [Number(number.dataset.low), Number(number.dataset.high)];
  const step = number.step && number.step !== "any" ? Number(number.step) : (high - low) / STEPS;
  Object.assign(slider, { type: "range", min: low, max: high, step, className: "form-range" });
  slider.setAttribute("aria-label", number.labels?.[0]?.textContent ?? "");
  slider.value = number.value || String(high);
  slider.addEventListener("input", () => { number.value = String(Number(Number(slider.value).toPrecision(4))); });
  number.addEventListener("input", () => { slider.value = number.value || String(high); });
  number.after(slider);
}

/** Type a value as a person would. @param {string} name @param {string} value */
function fill(name, value) {
  const field = form?.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) return;
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

for (const number of form?.querySelectorAll("input[data-low]") ?? []) slide(/** @type {HTMLInputElement} */ (number));

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-fill]") : null;
  if (!(button instanceof HTMLElement) || !form) return;
  event.preventDefault();
  fill(button.dataset.fill ?? "", button.dataset.value ?? "");
});

document.addEventListener("htmx:afterSwap", () => {
  const summary = document.querySelector("#figures [data-say]")?.textContent;
  if (summary) say(summary);
});
