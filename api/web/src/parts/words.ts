/** Times, counts and people in words; the moment that counts as now always comes in. */

const LOCALE = "en-GB";
const DAY = 86_400_000;

export interface Clock {
  now: Date;
  zone?: string;
}

/** A number with its noun. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** Parts as an enumeration: "Fee, Title and Pay". */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join("");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** The first of some parts, each once, and how many others there are. */
export function several(parts: readonly string[], most: number, other = "other"): string {
  const distinct = [...new Set(parts)];
  if (distinct.length <= most + 1) return listed(distinct);
  return listed([...distinct.slice(0, most), count(distinct.length - most, other)]);
}

/** A sentence begun with a capital letter. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function written(at: Date, zone: string | undefined, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: zone }).format(at);
}

/** The time of day: "14:03". */
export function time(at: string, zone?: string): string {
  return written(new Date(at), zone, { hour: "2-digit", minute: "2-digit", hour12: false });
}

function calendarDay(at: Date, zone?: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: zone,
    year: "numeric",
    month: "numeric",
    day: "numeric",
  }).formatToParts(at);
  const part = (name: string) => Number(parts.find((one) => one.type === name)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day")) / DAY;
}

/** A day as somebody says it: "Today", "Yesterday", "22 Nov", "22 Nov 2025". */
export function day(at: string, { now, zone }: Clock): string {
  const when = new Date(at);
  const since = calendarDay(now, zone) - calendarDay(when, zone);
  if (since === 0) return "Today";
  if (since === 1) return "Yesterday";
  const year = written(when, zone, { year: "numeric" }) === written(now, zone, { year: "numeric" });
  return date(at, zone, !year);
}

/** A date: "22 Nov 2026". */
export function date(at: string, zone?: string, withYear = true): string {
  const year = withYear ? ({ year: "numeric" } as const) : {};
  return written(new Date(at), zone, { day: "numeric", month: "short", ...year });
}

/** A moment: "Today 14:03". */
export function moment(at: string, clock: Clock): string {
  return `${day(at, clock)} ${time(at, clock.zone)}`;
}

/** A moment as it stands within a sentence: "today 14:03". */
export function within(said: string): string {
  return said.replace(/^(Today|Yesterday)/, (word) => word.toLowerCase());
}

/** From one moment to another: "Today 13:40 – 14:03". */
export function span(from: string, to: string, clock: Clock): string {
  const [start, end] = [moment(from, clock), moment(to, clock)];
  if (start === end) return end;
  return day(from, clock) === day(to, clock) ? `${start} – ${time(to, clock.zone)}` : `${start} – ${end}`;
}

/** A moment to the second, for the record: "22 Nov 2026, 14:03:22". */
export function exact(at: string, zone?: string): string {
  const seconds = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;
  return `${date(at, zone)}, ${written(new Date(at), zone, seconds)}`;
}

/** How long ago something was: "4 minutes ago", "yesterday 18:20", "22 Nov". */
export function ago(at: string, clock: Clock): string {
  const seconds = (clock.now.getTime() - new Date(at).getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3570) return `${count(Math.max(1, Math.round(seconds / 60)), "minute")} ago`;
  const said = day(at, clock);
  if (said === "Today") return `${count(Math.round(seconds / 3600), "hour")} ago`;
  if (said === "Yesterday") return `yesterday ${time(at, clock.zone)}`;
  const days = calendarDay(clock.now, clock.zone) - calendarDay(new Date(at), clock.zone);
  return days < 31 ? `${count(days, "day")} ago` : said;
}

/** When something ends, and whether that is soon enough to say so louder. */
export function until(at: string, clock: Clock): { text: string; soon: boolean } {
  const days = calendarDay(new Date(at), clock.zone) - calendarDay(clock.now, clock.zone);
  if (days > 7) return { text: day(at, clock), soon: false };
  if (days > 1) return { text: `in ${count(days, "day")}`, soon: true };
  if (days === 1) return { text: "tomorrow", soon: true };
  return { text: days === 0 ? "today" : "now", soon: true };
}

/** The time zone in which this page tells times: "Europe/Berlin". */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Somebody by name; a name that is one plain word gets its capital letter, as in the service's sentences. */
export function person(by: string | null, me?: string | null): string {
  if (by === null || by === "") return "Somebody";
  if (by === me) return "You";
  if (by === "service") return "The service";
  if (by.startsWith("link:")) return "Somebody with a link";
  if (by.startsWith("key:")) return `API key ${by.slice(4)}`;
  return /^\p{Ll}+$/u.test(by) ? capital(by) : by;
}

/** One or two letters that stand for somebody. */
export function initials(by: string): string {
  if (by.startsWith("link:")) return "↗";
  const words = by.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[1]] : [words[0] ?? "?"];
  return letters
    .map((word) => word?.slice(0, 1) ?? "")
    .join("")
    .toUpperCase();
}

const HUES = 6;

/** One of a few colours, always the same one for somebody. */
export function hue(by: string): number {
  let sum = 7;
  for (const sign of by) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
