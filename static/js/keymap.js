// Which key does what: pure functions over plain values, no page.

/** @typedef {{preset: string, own: Record<string, string>}} Choice */

/** What other tools' users have in their fingers; what a set does not name keeps its own key. @type {Record<string, Record<string, string>>} */
export const PRESETS = {
  own: {},
  prodigy: { agree: "a", override: "x", skip: "Space", undo: "Backspace" },
  "label-studio": { agree: "Mod+Enter", skip: "Mod+Space", undo: "Mod+z" },
  ozone: { agree: "a", override: "t", skip: "n", escalate: "e", note: "c", undo: "z", lease: "l" },
};

/**
 * The key of an action under a person's choice; empty when keys are off.
 * @param {string} act
 * @param {string} usual the key that the page gives it
 * @param {Choice} choice
 */
export function keyFor(act, usual, choice) {
  if (choice.preset === "off") return "";
  return choice.own[act] ?? PRESETS[choice.preset]?.[act] ?? usual;
}

/**
 * The name of what was pressed: "a", "B", "?", "Mod+k", "Mod+Enter", "Space".
 * @param {{key: string, ctrlKey: boolean, metaKey: boolean, altKey: boolean}} event
 */
export function nameOf(event) {
  if (event.altKey || ["Control", "Shift", "Alt", "Meta", "Dead", "Process", "Unidentified"].includes(event.key)) return "";
  const key = event.key === " " ? "Space" : event.key;
  return event.ctrlKey || event.metaKey ? `Mod+${key.length === 1 ? key.toLowerCase() : key}` : key;
}

/**
 * A key as it is printed on a button.
 * @param {string} key
 */
export function printed(key) {
  const mac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");
  const names = { Enter: "↵", Backspace: "⌫", Space: "␣", Escape: "Esc" };
  return key
    .replace("Mod+", mac ? "⌘" : "Ctrl ")
    .replace(/(Enter|Backspace|Space|Escape)$/, (name) => names[/** @type {keyof typeof names} */ (name)]);
}
