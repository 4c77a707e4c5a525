/** A value as somebody reads it. */

import { isObject } from "../core/json";
import type { Data, Definition, Json } from "./answers";
import { fieldAt, itemName, pointer, tokens } from "./forms";
import { count, date, listed } from "./words";

export const HIDDEN = "hidden";

/** Whether the service holds a value back: it is marked sensitive, and not this reader's. */
export function isMasked(value: Json | undefined): boolean {
  return isObject(value) && value.masked === true && Object.keys(value).length === 1;
}

/** A value in words, by the format of its place. */
export function show(value: Json | undefined, form: Definition, path: string): string {
  if (value === undefined || value === null) return "nothing";
  if (isMasked(value)) return HIDDEN;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return amount(value, fieldAt(form, path).format);
  if (typeof value === "string") return text(value, fieldAt(form, path).format);
  return isObject(value) ? object(value, form, path) : list(value, form, path);
}

function amount(value: number, format = ""): string {
  const [kind, code] = format.split(":");
  if (kind !== "currency" || code === undefined) return String(value);
  return money(value, code);
}

/** An amount with its currency: "€250", "€12.50". */
export function money(value: number, code: string): string {
  try {
    const digits = Number.isInteger(value) ? { minimumFractionDigits: 0 } : {};
    return new Intl.NumberFormat("en-GB", { style: "currency", currency: code, ...digits }).format(value);
  } catch {
    return `${value} ${code}`;
  }
}

function text(value: string, format = ""): string {
  if (value.trim() === "") return "empty";
  return format === "date" && /^\d{4}-\d\d-\d\d$/.test(value) ? date(`${value}T12:00:00Z`, "UTC") : value;
}

function list(value: readonly Json[], form: Definition, path: string): string {
  if (value.length === 0) return "an empty list";
  const names = value.map((item) => itemName(form, path, item) ?? scalar(item));
  if (names.some((name) => name === undefined)) return count(value.length, "item");
  return names.length > 6
    ? listed([...names.slice(0, 5).map(String), count(names.length - 5, "other")])
    : listed(names.map(String));
}

function scalar(item: Json): string | undefined {
  return item === null || typeof item === "object" ? undefined : String(item);
}

function object(value: Data, form: Definition, path: string): string {
  const parts = tokens(path);
  const shown = Object.entries(value)
    .filter(([name, inner]) => name !== "id" && inner !== null && inner !== "")
    .map(([name, inner]) => `${labelOf(form, [...parts, name])}: ${show(inner, form, pointer([...parts, name]))}`);
  if (shown.length > 0) return shown.join(" · ");
  return Object.keys(value).length === 0 ? "empty" : "an item without a name";
}

function labelOf(form: Definition, parts: string[]): string {
  return fieldAt(form, pointer(parts)).label ?? parts.at(-1) ?? "";
}
