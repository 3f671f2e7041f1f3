/** A picture in the preview: it fits its pane, and a click, Enter or Space zooms it where one points; arrow keys then move it. */

import { centredOn, zoomedSize } from "../../lib/picture_zoom.js";

const STEP = 80;
const STEPS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** Make the picture of a preview, if it has one, something to zoom. @param {HTMLElement} article */
export function adoptPicture(article) {
  const image = article.querySelector(".preview-image > img, .preview-svg > img");
  if (!image) return;
  const button = Object.assign(document.createElement("button"), {
    className: "picture",
    type: "button",
    title: "Zoom in or out",
    ariaPressed: "false",
  });
  button.setAttribute("aria-label", `${image.alt}: zoom`);
  image.replaceWith(button);
  button.append(image);
  button.addEventListener("click", (event) => zoom(button, image, event));
}

/** Move a zoomed picture by an arrow key. @param {HTMLElement} place @returns {boolean} whether there is one to move */
export function moveZoomed(place, key) {
  const pane = place.querySelector('.picture[aria-pressed="true"]')?.parentElement;
  if (!pane || !(key in STEPS)) return false;
  pane.scrollBy(...STEPS[key]);
  return true;
}

function zoom(button, image, event) {
  const pane = button.parentElement;
  const isIn = button.ariaPressed !== "true";
  const point = pointOf(image, event);
  // The pane's own edge is left as it is.
  const style = getComputedStyle(pane);
  const room = {
    width: pane.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight),
    height: pane.clientHeight - Number.parseFloat(style.paddingTop) - Number.parseFloat(style.paddingBottom),
  };
  const natural = { width: image.naturalWidth, height: image.naturalHeight };
  const size = zoomedSize(natural, room, pane.classList.contains("preview-svg"));
  button.ariaPressed = String(isIn);
  image.style.width = isIn ? `${size.width}px` : "";
  image.style.height = isIn ? `${size.height}px` : "";
  if (!isIn) return;
  pane.scrollLeft = centredOn(point.x, size.width, room.width);
  pane.centredOnp = centredOn(point.y, size.height, room.height);
}

/** Where on the picture the pointer is, as shares of its sides; its middle for a key. */
function pointOf(image, event) {
  if (event.detail === 0) return { x: 0.5, y: 0.5 };
  const { left, top, width, height } = image.getBoundingClientRect();
  const share = (at, length) => Math.min(Math.max(at / length, 0), 1);
  return { x: share(event.clientX - left, width), y: share(event.clientY - top, height) };
}
