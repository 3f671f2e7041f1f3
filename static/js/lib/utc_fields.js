/** Moments of `<input type="datetime-local">` in the browser's own time zone, and as addresses have them: in UTC. Pure. */

/** What an address has, as the field shows it here; "" for what is no moment. @param {string} utc "2026-11-29T14:05:00" */
export function toLocal(utc) {
  const at = new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(utc) ? utc : `${utc}Z`);
  if (utc === "" || Number.isNaN(at.getTime())) return "";
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = [String(at.getFullYear()).padStart(4, "0"), two(at.getMonth() + 1), two(at.getDate())].join("-");
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** What the field holds, as an address has it; "" for what is no moment. @param {string} local */
export function toUtc(local) {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? "" : at.toISOString().slice(0, 19);
}
