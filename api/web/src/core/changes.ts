/** What differs between two forms, as the operations that an edit sends; and applying them. */
import { isObject, same, type Data, type Json } from "./json";
import { child, idsOf, position, related, tokens } from "./path";
import type { Change } from "./wire";

/** RFC 6902 as far as this client sends it. */
export interface Operation {
  readonly op: "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: Json;
}

/** A change does not fit the value that it is applied to. */
export class CannotApply extends Error {}

/**
 * The operations that lead from one form to another. Members are compared one by one, and items that
 * have the same ids in the same order; a list that gained, lost or moved items is sent whole, since the
 * service compares by itself.
 */
export function diff(before: Json, after: Json, path = ""): Operation[] {
  if (same(before, after)) return [];
  if (isObject(before) && isObject(after)) return members(before, after, path);
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    const ids = idsOf(before);
    if (ids && same(ids, idsOf(after))) {
      return ids.flatMap((id, i) => diff(before[i] as Json, after[i] as Json, child(path, `id:${id}`)));
    }
  }
  return [{ op: "replace", path, value: after }];
}

function members(before: Data, after: Data, path: string): Operation[] {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  return [
    ...gone.map((name): Operation => ({ op: "remove", path: child(path, name) })),
    ...Object.entries(after).flatMap(([name, value]): Operation[] => {
      const old = Object.hasOwn(before, name) ? before[name] : undefined;
      return old === undefined ? [{ op: "add", path: child(path, name), value }] : diff(old, value, child(path, name));
    }),
  ];
}

/** The form with operations, or a receipt's changes, applied; what they do not touch stays the same object. */
export function apply(operations: readonly (Operation | Change)[], data: Data): Data {
  return operations.reduce<Json>((value, one) => put(value, tokens(one.path), asStep(one)), data) as Data;
}

/** Whether somebody else wrote where we do; such fields go out on the version that we know. */
export function contested(mine: readonly Operation[], theirs: readonly string[]): boolean {
  return mine.some(({ path }) => theirs.some((other) => related(lasting(path), lasting(other))));
}

/** The path, cut where it names a place in a list by number: such places do not last. */
function lasting(path: string): string {
  return path.replace(/\/(\d+|-)(\/.*|$)/, "");
}

interface Step {
  readonly op: string;
  readonly value: Json | undefined;
  readonly index: number | undefined;
  readonly from: string | undefined;
}

function asStep(one: Operation | Change): Step {
  const value = "value" in one ? one.value : "after" in one ? one.after : undefined;
  const { index, from } = one as Partial<Change>;
  return { op: one.op, value, index, from };
}

function put(value: Json, [token, ...below]: string[], step: Step): Json {
  if (token === undefined) return step.value as Json;
  if (Array.isArray(value)) return inList(value, token, below, step);
  if (isObject(value)) return inObject(value, token, below, step);
  throw new CannotApply(`a plain value has no ${token}`);
}

function inObject(value: Data, token: string, below: string[], step: Step): Data {
  const there = Object.hasOwn(value, token);
  if (!there && (below.length > 0 || step.op === "remove")) throw new CannotApply(`there is no member ${token}`);
  if (below.length === 0 && step.op === "remove") {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== token));
  }
  const made = below.length ? put(value[token] as Json, below, step) : (step.value as Json);
  return Object.fromEntries(there ? Object.entries(value).map(([n, v]) => [n, n === token ? made : v]) : [...Object.entries(value), [token, made]]);
}

function inList(items: readonly Json[], token: string, below: string[], step: Step): Json[] {
  if (below.length === 0 && step.op === "add") return items.toSpliced(place(items, token, step), 0, step.value as Json);
  const here = position(items, token);
  if (here < 0) throw new CannotApply(`there is no item ${token}`);
  if (below.length) return items.with(here, put(items[here] as Json, below, step));
  if (step.op === "remove") return items.toSpliced(here, 1);
  if (step.op === "move") return items.toSpliced(here, 1).toSpliced(step.index ?? items.length, 0, items[here] as Json);
  return items.with(here, step.value as Json);
}

/** Where a new item goes: its index, else the number that the path ends in, else the end. */
function place(items: readonly Json[], token: string, step: Step): number {
  return step.index ?? (/^\d+$/.test(token) ? Math.min(+token, items.length) : items.length);
}
