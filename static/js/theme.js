// Sets the theme before the first paint; the only script that blocks. Everything else is a module.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  /** @returns {"light" | "dark" | "system"} what this browser's user chose */
  function chosen() {
    try {
      return /** @type {any} */ (localStorage.getItem("rq-theme")) || "system";
    } catch {
      return "system"; // storage can be refused; then the system decides
    }
  }

  function paint() {
    const choice = chosen();
    const theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    if (root.dataset.bsTheme !== theme) {
      root.dataset.bsTheme = theme;
      document.dispatchEvent(new CustomEvent("rq:theme", { detail: theme }));
    }
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem("rq-theme", button.dataset.themeChoice);
    } catch {
      root.dataset.bsTheme = button.dataset.themeChoice;
    }
    paint();
  });
  document.addEventListener("DOMContentLoaded", paint);
  window.addEventListener("storage", paint);
  dark.addEventListener("change", paint);
  root.classList.add("has-script");
  paint();
})();
