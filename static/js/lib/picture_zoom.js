/** How large a picture is shown when it is zoomed. Pure: sizes in, a size out; all in CSS pixels. */

/** Larger ones take more memory than a page should. */
const SIDE_MAX = 16_384;
/** A picture that the pane has so much more room for is zoomed to fill it. */
const MUCH_ROOM = 1.5;

/** @typedef {{width: number, height: number}} Size */

/**
 * The size of a zoomed picture: a small one fills its pane, any other gets its own size, or twice what fits if that is more.
 * @param {Size} natural its own size; zeros when it has none, as an SVG may
 * @param {Size} pane
 * @param {boolean} fills whether it fills its pane already, however small it is: it has no pixels
 * @returns {Size}
 */
export function zoomedSize(natural, pane, fills) {
  const own = natural.width > 0 && natural.height > 0 ? natural : pane;
  const fill = Math.min(pane.width / own.width, pane.height / own.height);
  const wanted = !fills && fill > MUCH_ROOM ? fill : Math.max(1, 2 * fill);
  const scale = Math.min(wanted, SIDE_MAX / own.width, SIDE_MAX / own.height);
  const side = (length) => Math.max(Math.round(length * scale), 1);
  return { width: side(own.width), height: side(own.height) };
}

/**
 * Where to scroll to, so that a point of the picture comes to the middle of its pane.
 * @param {number} share how far along the picture the point is, 0 to 1
 * @param {number} length of the picture
 * @param {number} pane its length
 * @returns {number}
 */
export function centredOn(share, length, pane) {
  return Math.max(Math.round(share * length - pane / 2), 0);
}
