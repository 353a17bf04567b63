// What every page has. Pages load their own module beside it and import the parts they need by a relative address.
import "./menus.js";
import "./dialog.js";
import "./keys.js";
import "./lists.js";
import "./palette.js";
import "./toast.js";
import "./poll.js";

for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());

if (document.querySelector("[data-chart]")) import("./charts.js");
document.addEventListener("htmx:afterSettle", () => {
  if (document.querySelector("[data-chart]")) import("./charts.js");
});
