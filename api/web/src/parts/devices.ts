/** What browsers and devices are called. */

const BROWSERS = [
  [/\bEdg(e|A|iOS)?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|Chromium|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
] as const;

const SYSTEMS = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bMac OS X\b/, "Mac"],
  [/\bWindows\b/, "Windows"],
  [/\b(Linux|X11|CrOS)\b/, "Linux"],
] as const;

/** A browser and where it runs: "Firefox on Linux". */
export function browserName(agent: string): string {
  const first = (known: readonly (readonly [RegExp, string])[], unknown: string) =>
    known.find(([mark]) => mark.test(agent))?.[1] ?? unknown;
  return `${first(BROWSERS, "Browser")} on ${first(SYSTEMS, "a device")}`;
}

/** A device without the letters that only tell it apart from others of its kind. */
export function deviceInWords(device: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(device)) return `device ${device.slice(0, 4)}`;
  return device.replace(/^(.+ on .+) [0-9a-f]{8}$/, "$1");
}
