/** JSON values: what they are, and when two are the same (RFC 8785: the order of members is free). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Data = { readonly [name: string]: Json };

/** Whether a value is an object with members. */
export function isObject(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values say the same. */
export function same(one: Json | undefined, other: Json | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((item, i) => same(item, other[i]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && same(one[name], other[name]));
}

/** A form's values as JSON: `undefined` members are left out, dates and the like become text. */
export function asData(value: unknown): Data {
  return JSON.parse(JSON.stringify(value)) as Data;
}
