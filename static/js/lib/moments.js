/**
 * Moments as people write and read them, in the time zone of the browser, and as items hold them: seconds since 1970, as
 * JSON text. Nothing here knows a page.
 */

const UNITS = new Map(
  Object.entries({
    second: ["s", "sec", "secs", "second", "seconds"],
    minute: ["min", "mins", "minute", "minutes"],
    hour: ["h", "hr", "hrs", "hour", "hours"],
    day: ["d", "day", "days"],
    week: ["w", "wk", "week", "weeks"],
    month: ["mo", "month", "months"],
    year: ["y", "yr", "year", "years"],
  }).flatMap(([unit, words]) => words.map((word) => /** @type {[string, string]} */ ([word, unit]))),
);
const SECONDS_OF = { second: 1, minute: 60, hour: 3_600 };
const MONTHS = "january february march april may june july august september october november december".split(" ");
const WEEKDAYS = "sunday monday tuesday wednesday thursday friday saturday".split(" ");
const LONGEST = 60;
// More seconds than this are milliseconds that somebody took for them: the year 5138.
const MOST_SECONDS = 100_000_000_000;

const PLAIN_NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;
// A year alone, or a date without its strokes, is hardly meant as seconds of 1970.
const YEAR = /^(?:19|2[0-9])[0-9]{2}$/;
const YEAR_MONTH_DAY = /^((?:19|2[0-9])[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$/;
const RELATIVE = /^(?:in |\+)?(next|half an?|an?|[0-9]{1,6}(?:\.[0-9]{1,3})?) ?([a-z]{1,7})$/;
const ZONED = /^(.{6,}?) ?(z|utc|gmt|[+-][0-9]{2}:?[0-9]{2})$/;
const TIME = /^(.*?)(?:^|[ t])([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?)? ?([ap]m)?$/;
const YEAR_FIRST = /^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})$/;
const YEAR_LAST = /^([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})$/;
const DAY_MONTH = /^([0-9]{1,2})(?:st|nd|rd|th|\.)? ([a-z]{3,9})\.?(?: ([0-9]{4}))?$/;
const MONTH_DAY = /^([a-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?(?: ([0-9]{4}))?$/;

/**
 * The moment that a text means, as JSON text: seconds since 1970, a date, a time, or how long from now. A date without a
 * time is its beginning; one without a zone is in the browser's.
 * @param {string} text
 * @param {Date} now
 * @param {{isDayFirst?: boolean}} [options] how 3/4/2026 is meant; with points the day is always first
 * @returns {string|null} null when it is no moment
 */
export function readMoment(text, now, { isDayFirst = true } = {}) {
  const said = text
    .trim()
    .toLowerCase()
    .replace(/,| at | um /g, " ")
    .replace(/\s+/g, " ")
    .replace(/\bnoon$/, "12:00")
    .replace(/\bmidnight$/, "0:00");
  if (said.length > LONGEST || YEAR.test(said)) return null;
  if (PLAIN_NUMBER.test(said) && !YEAR_MONTH_DAY.test(said)) {
    const number = Number(said);
    return Math.abs(number) < MOST_SECONDS ? said : String(Math.floor(number / 1000));
  }
  if (said === "now") return secondsOf(now);
  return fromNow(said, now) ?? fromCalendar(said, now, isDayFirst);
}

function secondsOf(date) {
  return Number.isNaN(date.getTime()) ? null : String(Math.floor(date.getTime() / 1000));
}

/** "in 3 days", "2h", "+30 d", "in an hour", "in half an hour", "next week". */
function fromNow(said, now) {
  const found = RELATIVE.exec(said);
  const unit = found && UNITS.get(found[2]);
  if (!unit) return null;
  const count = found[1].startsWith("half") ? 0.5 : /^[an]/.test(found[1]) ? 1 : Number(found[1]);
  return Number.isInteger(count) || Object.hasOwn(SECONDS_OF, unit) ? later(now, count, unit) : null;
}

/** A moment that much later; days and more go by the calendar, so that the time of day stays. */
export function later(now, count, unit) {
  if (Object.hasOwn(SECONDS_OF, unit)) return secondsOf(new Date(now.getTime() + count * SECONDS_OF[unit] * 1000));
  const date = new Date(now);
  if (unit === "day" || unit === "week") date.setDate(date.getDate() + count * (unit === "week" ? 7 : 1));
  else {
    const day = date.getDate();
    date.setDate(1);
    date.setMonth(date.getMonth() + count * (unit === "year" ? 12 : 1));
    date.setDate(Math.min(day, new Date(date.getFullYear(), date.getMonth() + 1, 0).getDate()));
  }
  return secondsOf(date);
}

function fromCalendar(said, now, isDayFirst) {
  const zoned = ZONED.exec(said);
  const offset = zoned ? offsetMinutes(zoned[2]) : null;
  const { day, time } = parted(zoned ? zoned[1] : said);
  const date = day === "" ? null : dateOf(day, now, isDayFirst);
  if ((day !== "" && date === null) || (day === "" && time === null)) return null;
  const [hours, minutes, seconds] = time ?? [0, 0, 0];
  if (date) return momentOf(date, hours, minutes, seconds, offset);
  // A time alone is the next one of that kind.
  const today = [now.getFullYear(), now.getMonth(), now.getDate()];
  const found = momentOf(today, hours, minutes, seconds, offset);
  if (found !== null && Number(found) > now.getTime() / 1000) return found;
  return momentOf([today[0], today[1], today[2] + 1], hours, minutes, seconds, offset, { isCounted: true });
}

function offsetMinutes(zone) {
  if (!/^[+-]/.test(zone)) return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return zone[0] === "-" ? -minutes : minutes;
}

/** What is said of the day and of the time of day; `time` is null when nothing is. */
function parted(said) {
  const found = TIME.exec(said);
  if (!found || (found[3] === undefined && found[5] === undefined)) return { day: said, time: null };
  const [, day, hours, minutes = "0", seconds = "0", half] = found;
  let hour = Number(hours);
  if (half && (hour < 1 || hour > 12)) return { day: said, time: null };
  if (half) hour = (hour % 12) + (half === "pm" ? 12 : 0);
  const isTime = hour < 24 && Number(minutes) < 60 && Number(seconds) < 60;
  return isTime ? { day: day.trim(), time: [hour, Number(minutes), Number(seconds)] } : { day: said, time: null };
}

/** @returns {number[]|null} year, month from 0, day */
function dateOf(day, now, isDayFirst) {
  const today = [now.getFullYear(), now.getMonth(), now.getDate()];
  if (day === "today") return today;
  if (day === "tomorrow") return dayAfter(now, 1);
  const weekday = placeOf(day.replace(/^(?:next|on) /, ""), WEEKDAYS);
  if (weekday !== -1) return dayAfter(now, (weekday - now.getDay() + 7) % 7 || 7);
  const then = fromNow(day, now);
  if (then !== null) {
    const date = new Date(Number(then) * 1000);
    return [date.getFullYear(), date.getMonth(), date.getDate()];
  }
  let found = YEAR_FIRST.exec(day) ?? YEAR_MONTH_DAY.exec(day);
  if (found) return [Number(found[1]), Number(found[2]) - 1, Number(found[3])];
  found = YEAR_LAST.exec(day);
  if (found) {
    const [one, other, year] = [Number(found[1]), Number(found[3]), Number(found[4])];
    const isFirst = found[2] === "." || one > 12 || (isDayFirst && other <= 12);
    return isFirst ? [year, other - 1, one] : [year, one - 1, other];
  }
  found = DAY_MONTH.exec(day);
  if (found) return namedDate(found[1], found[2], found[3], now);
  found = MONTH_DAY.exec(day);
  return found ? namedDate(found[2], found[1], found[3], now) : null;
}

/** Which of the names a word is, or begins, with three letters or more; -1 for none. */
function placeOf(word, names) {
  return word.length < 3 ? -1 : names.findIndex((name) => name.startsWith(word));
}

function dayAfter(now, days) {
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  return [date.getFullYear(), date.getMonth(), date.getDate()];
}

/** Without a year it is the next such day. */
function namedDate(day, monthName, year, now) {
  const month = placeOf(monthName, MONTHS);
  if (month === -1) return null;
  if (year) return [Number(year), month, Number(day)];
  const isPast = new Date(now.getFullYear(), month, Number(day) + 1) <= now;
  return [now.getFullYear() + (isPast ? 1 : 0), month, Number(day)];
}

/**
 * @param {number[]} date year, month from 0, day
 * @param {number} hours
 * @param {number} minutes
 * @param {number} seconds
 * @param {number|null} offset of the zone, in minutes; null for the browser's
 * @param {{isCounted?: boolean}} [options] the day may be one beyond the end of its month
 */
function momentOf(date, hours, minutes, seconds, offset, { isCounted = false } = {}) {
  const [year, month, day] = date;
  const calendar = new Date(Date.UTC(year, month, day));
  // 30 February is no day.
  if (!isCounted && (calendar.getUTCMonth() !== month || calendar.getUTCDate() !== day)) return null;
  return secondsOf(
    offset === null
      ? new Date(year, month, day, hours, minutes, seconds)
      : new Date(Date.UTC(year, month, day, hours, minutes - offset, seconds)),
  );
}

/** The moment of a JSON number of seconds; null when no calendar has it. */
export function momentFrom(json) {
  const date = new Date(Math.floor(Number(json)) * 1000);
  return json === null || json.startsWith('"') || Number.isNaN(date.getTime()) ? null : date;
}

/** "2026-12-24 18:00" where the browser is. */
export function localText(date) {
  return forPicker(date).replace("T", " ");
}

/** "2026-12-24 17:00" in UTC. */
export function utcText(date) {
  return date
    .toISOString()
    .replace(/:\d\d\.\d+Z$/, "")
    .replace("T", " ");
}

/** As `<input type="datetime-local">` has it, in the browser's zone. */
export function forPicker(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = [String(date.getFullYear()).padStart(4, "0"), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The browser's zone at that moment: "Europe/Berlin, UTC+1". */
export function zoneText(date) {
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset =
    minutes === 0 ? "UTC" : `UTC${minutes < 0 ? "−" : "+"}${hours}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return zone && zone !== "UTC" ? `${zone}, ${offset}` : offset;
}

/** Whether people who speak this write the day before the month: 24/12/2026. */
export function isDayFirst(language) {
  const parts = new Intl.DateTimeFormat(language).formatToParts(new Date(2026, 11, 24)).map(({ type }) => type);
  return parts.indexOf("day") < parts.indexOf("month");
}
