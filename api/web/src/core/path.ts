/** Where a value is: RFC 6901 JSON Pointers, in which `id:<id>` names a list item by its id. */
import { isObject, type Json } from "./json";

/** Members that may tell the items of a list apart, the preferred one first. */
const KEYS = ["id", "key", "_key", "uuid"];

/** The tokens of a pointer, unescaped. */
export function tokens(path: string): string[] {
  return path.split("/").slice(1).map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The path of a member, or item, of the value at `path`. */
export function child(path: string, token: string): string {
  return `${path}/${token.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Whether one path is the other, or leads to it. */
export function related(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

/** The ids of a list's items by the first key that tells them all apart; none if there is none. */
export function idsOf(items: readonly Json[]): string[] | undefined {
  for (const key of items.length ? KEYS : []) {
    const ids = items.map((item) => idOf(item, key));
    if (ids.every((id) => id !== undefined) && new Set(ids).size === ids.length) return ids;
  }
  return undefined;
}

/** Where in a list the item is that a token names, as an index or by its id; -1 if nowhere. */
export function position(items: readonly Json[], token: string): number {
  if (!token.startsWith("id:")) return /^(0|[1-9]\d*)$/.test(token) && +token < items.length ? +token : -1;
  const wanted = token.slice(3);
  for (const key of KEYS) {
    const place = items.findIndex((item) => idOf(item, key) === wanted);
    if (place >= 0) return place;
  }
  return -1;
}

/** The value at a path, or `undefined`. */
export function get(value: Json | undefined, path: string): Json | undefined {
  for (const token of tokens(path)) {
    if (Array.isArray(value)) value = (value as Json[])[position(value, token)];
    else value = isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
  }
  return value;
}

/** A path as names and places, as `a.b[0]` has them; where nothing is, a token stays as it is. */
export function steps(value: Json | undefined, path: string): (string | number)[] {
  return tokens(path).map((token) => {
    const step = Array.isArray(value) ? position(value, token) : token;
    value = Array.isArray(value) ? (value as Json[])[step as number] : isObject(value) ? value[token] : undefined;
    return step;
  });
}

function idOf(item: Json, key: string): string | undefined {
  const id = isObject(item) ? item[key] : undefined;
  return (typeof id === "string" && id !== "") || typeof id === "number" ? String(id) : undefined;
}
