// Where the ticks of a time axis stand and what they say: round times of the queue's own zone, few enough to read.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR), [1, 2, 7, 14, 28, 91, 182, 364].map((n) => n * DAY));

/**
 * Ticks between two moments.
 * @param {number} from milliseconds since 1970
 * @param {number} to
 * @param {number} most how many there may be
 * @param {string} zone IANA name
 * @param {string} language
 * @returns {{value: number, label: string}[]}
 */
export function timeTicks(from, to, most, zone, language) {
  const step = STEPS.find((size) => (to - from) / size <= Math.max(most, 1)) ?? STEPS[STEPS.length - 1];
  const values = [];
  for (let local = Math.ceil((from + offset(from, zone)) / step) * step; ; local += step) {
    const value = local - offset(local - offset(from, zone), zone);
    if (value > to) break;
    if (value >= from) values.push(value);
  }
  return values.map((value, index) => ({ value, label: label(value, values[index - 1], step, zone, language) }));
}

/**
 * How far a zone is from UTC at a moment, in milliseconds.
 * @param {number} at
 * @param {string} zone
 */
export function offset(at, zone) {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" })
      .formatToParts(at).map(({ type, value }) => [type, Number(value)]),
  );
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(at / 1000) * 1000;
}

/**
 * Short where the eye can see the rest: the day is named on the first tick and where it changes.
 * @param {number} value
 * @param {number | undefined} before the tick to the left
 * @param {number} step
 * @param {string} zone
 * @param {string} language
 */
function label(value, before, step, zone, language) {
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, day: "numeric", month: "short" });
  if (step >= DAY) return day.format(value);
  const time = new Intl.DateTimeFormat(language, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const isNewDay = before === undefined || day.format(before) !== day.format(value);
  return isNewDay ? `${time.format(value)}\n${day.format(value)}` : time.format(value);
}

/**
 * A moment in full, for a tooltip.
 * @param {number} value
 * @param {string} zone
 * @param {string} language
 */
export function fullTime(value, zone, language) {
  return new Intl.DateTimeFormat(language, { timeZone: zone, dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(value);
}
