/** Times for people, by the service's clock: this machine's may be wrong. */

let ahead = 0; // milliseconds that the service's clock is ahead of this one

const NOT_EXACT = 2500; // what `Date`, of whole seconds and of a busy service, can be off by

/** Learn the service's clock from the `Date` of an answer, unless it took long. */
export function learnClock(date, askedAt, answeredAt) {
  const told = Date.parse(date ?? "");
  if (Number.isNaN(told) || answeredAt - askedAt > 2000) return;
  const measured = told + 500 - (askedAt + answeredAt) / 2;
  if (Math.abs(measured - ahead) > NOT_EXACT) ahead = Math.abs(measured) > NOT_EXACT ? measured : 0;
}

export function now() {
  return Date.now() + ahead;
}

/** The nearest whole seconds until a moment of the service; zero once it is past, and not before. */
export function secondsUntil(moment, at = now()) {
  const left = (Date.parse(moment) - at) / 1000;
  return left > 0 ? Math.max(1, Math.round(left)) : 0;
}

/** The same of a moment that the client has reckoned by this machine's clock. */
export function secondsUntilHere(moment) {
  return secondsUntil(moment, Date.now());
}

/** 75 → "1:15". */
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** 75 → "2 minutes": how long to wait, in words. */
export function duration(seconds) {
  if (seconds < 60) return plural(seconds, "second");
  if (seconds < 3600) return plural(Math.ceil(seconds / 60), "minute");
  return plural(Math.ceil(seconds / 3600), "hour");
}

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function exact(moment) {
  return DAY.format(new Date(moment));
}

/** "5 minutes ago", "yesterday", "in 3 hours". */
export function relative(moment) {
  const seconds = Math.round((Date.parse(moment) - now()) / 1000);
  if (Math.abs(seconds) < 45) return seconds > 15 ? "in a moment" : "just now";
  const [unit, size] = UNITS.find(([, least]) => Math.abs(seconds) >= least * 0.75) ?? ["minute", 60];
  return AGO.format(Math.round(seconds / size), unit);
}

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function plural(count, unit) {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
