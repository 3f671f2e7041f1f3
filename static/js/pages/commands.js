/**
 * What can be done on a page, by name: buttons with `data-command`, menus and keys all come here. Each part of a page adds
 * its own commands. A command of a menu runs once the menu has closed, unless the item has `data-keeps-open`.
 */

/** @typedef {Record<string, any>} CommandDetail `button`: the one that was pressed, if it was one, and `event`: how */

/** @type {Map<string, (detail: CommandDetail) => unknown>} */
const commands = new Map();

/** @param {Record<string, (detail: CommandDetail) => unknown>} more */
export function addCommands(more) {
  for (const [name, command] of Object.entries(more)) commands.set(name, command);
}

/**
 * Add commands of a part that does not come with the page, but when one of them is first run or the person touches anything,
 * whichever is earlier. `load` brings the part, which then adds the commands themselves; when it cannot, `complain` says so,
 * and the next command tries again.
 * @param {string[]} names
 * @param {() => Promise<unknown>} load
 * @param {() => void} complain
 */
export function addLater(names, load, complain) {
  /** @type {Promise<unknown>|null} */
  let loading = null;
  const loadOnce = () => {
    loading ??= load().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  for (const name of names) {
    const waiting = async (detail) => {
      try {
        await loadOnce();
      } catch {
        return complain();
      }
      if (commands.get(name) !== waiting) runCommand(name, detail);
    };
    commands.set(name, waiting);
  }
  for (const touch of ["pointerdown", "keydown"])
    document.addEventListener(touch, () => loadOnce().catch(() => {}), { capture: true, once: true, passive: true });
}

/** Run a command; nothing happens where the page lets this person do no such thing. @param {CommandDetail} [detail] */
export function runCommand(name, detail = {}) {
  commands.get(name)?.(detail);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-command]");
  if (!button || button.getAttribute("aria-disabled") === "true") return;
  if (!("keepsOpen" in button.dataset)) button.closest("[popover]:popover-open")?.hidePopover();
  runCommand(button.dataset.command, { button, event });
});
