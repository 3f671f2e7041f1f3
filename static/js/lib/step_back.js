/** A step back in the browser's history, which takes it some time to make. */

let isOnItsWay = false;

/** Go one step back; asked for again before that has come, it stays one step. */
export function stepBack() {
  if (isOnItsWay) return;
  isOnItsWay = true;
  history.back();
}

// A page that was left comes back by "pageshow", if it comes back.
for (const name of ["popstate", "pageshow"]) {
  addEventListener(name, () => {
    isOnItsWay = false;
  });
}
