/** What a form's definition says of a place: its label, its format, how it merges. */

import { isObject } from "../core/json";
import { get, tokens } from "../core/path";
import type { Data, Definition, Field, Json } from "./answers";

export { get as valueAt, related as touches, tokens } from "../core/path";

export const NO_FORM: Definition = { form: "" };

/** The pointer of some tokens. */
export function pointer(parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The place that a path lies in. */
export function parent(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

export function isItem(token: string): boolean {
  return token.startsWith("id:") || /^\d+$/.test(token);
}

/** The path under which a definition describes a place: list items are `*` there. */
export function described(path: string): string {
  return pointer(tokens(path).map((token) => (isItem(token) ? "*" : token)));
}

/** What the definition says of the place; nothing if it says nothing. */
export function fieldAt(form: Definition, path: string): Field {
  return form.fields?.[described(path)] ?? {};
}

/** Whether a place, or one that holds it, is sensitive. */
export function isSensitive(form: Definition, path: string): boolean {
  const parts = tokens(path);
  return parts.some((_, end) => fieldAt(form, pointer(parts.slice(0, end + 1))).sensitive === true);
}

function readable(token: string): string {
  const words = token.replaceAll(/[_-]+/g, " ").trim();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** What an item of a list is called, by its name in the data. */
export function itemName(form: Definition, list: string, item: Json | undefined): string | undefined {
  if (!isObject(item)) return undefined;
  for (const at of [fieldAt(form, list).item, "/name", "/title", "/label"]) {
    const value = at === undefined ? undefined : get(item, at);
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/** What a place is called: "Fee of 'Foo Trio'". */
export function labelAt(form: Definition, path: string, data?: Data): string {
  const parts = tokens(path);
  const last = parts.at(-1);
  if (last === undefined) return "The form";
  const within = parts.findLastIndex((token, at) => at > 0 && isItem(token));
  if (within < 0) return fieldAt(form, path).label ?? readable(last);
  const item = pointer(parts.slice(0, within + 1));
  const name = nameOfItem(form, item, data);
  if (within === parts.length - 1) return name;
  return `${fieldAt(form, path).label ?? readable(last)} of ${name}`;
}

function nameOfItem(form: Definition, item: string, data?: Data): string {
  const list = parent(item);
  const value = data && get(data, item);
  const name = itemName(form, list, value);
  if (name !== undefined) return `'${name}'`;
  const noun = fieldAt(form, item).label ?? "item";
  return value !== undefined && typeof value !== "object"
    ? `'${String(value)}'`
    : `an ${noun}`.replace(/^an (?=[^aeiou])/i, "a ");
}

/** The fields in which a person finds something: places inside a list count as the list. */
export function fieldsOf(paths: readonly string[]): string[] {
  const outer = paths.map((path) => {
    const parts = tokens(path);
    const item = parts.findIndex((token, at) => at > 0 && isItem(token));
    return item < 0 ? path : pointer(parts.slice(0, item));
  });
  return [...new Set(outer)];
}

/** The id of a list's item, as text; undefined if it has none. */
export function idOf(item: Json | undefined): string | undefined {
  const id = isObject(item) ? item.id : undefined;
  return typeof id === "string" || typeof id === "number" ? String(id) : undefined;
}
