/** Folders that open by themselves while something is held over them. */

/** The hand that holds still is never quite still. */
const STILL_PX = 4;

/**
 * @param {(name: string) => void} open called once something was held over one for so long
 * @param {number} waitMs
 */
export function createSpring(open, waitMs) {
  let held = null;
  let timer;
  let openedAt = null;

  return {
    /**
     * What it is held over now, and where; null for nothing that opens. What comes to lie under a hand that does not move, because
     * a folder opened there, does not open in its turn.
     * @param {string | null} name
     * @param {{x: number, y: number}} [point]
     */
    hold(name, point) {
      if (openedAt && point && Math.hypot(point.x - openedAt.x, point.y - openedAt.y) <= STILL_PX) return;
      openedAt = null;
      if (name === held) return;
      clearTimeout(timer);
      held = name;
      if (name === null) return;
      timer = setTimeout(() => {
        held = null;
        openedAt = point ?? null;
        open(name);
      }, waitMs);
    },
    cancel() {
      clearTimeout(timer);
      held = openedAt = null;
    },
  };
}
