/** Changes as a reader looks at them: one group per field, the items of a list together. */

import { diffWordsWithSpace } from "diff";
import { isObject } from "../core/json";
import type { Change, Definition, Json, Segment } from "./answers";
import { isItem, labelAt, parent, tokens } from "./forms";
import { listed } from "./words";

export interface Group {
  /** What marks the group among others. */
  key: string;
  kind: "field" | "text" | "list";
  title: string;
  /** What happened, in a few words: "changed", "1 added, 2 moved". */
  said: string;
  changes: Change[];
  /** The places to name to the service to take or bring back just this. */
  paths: string[];
}

const NEAR = 48;

/** The changes by field, in their order. */
export function grouped(changes: readonly Change[], form: Definition): Group[] {
  const groups = new Map<string, Group>();
  for (const change of changes) {
    const list = listOf(change);
    const key = list ?? change.path;
    const known = groups.get(key);
    if (known) known.changes.push(change);
    else groups.set(key, begun(key, change, list !== undefined, form));
  }
  return [...groups.values()].map(finished);
}

function listOf(change: Change): string | undefined {
  const parts = tokens(change.path);
  const last = parts.at(-1);
  return parts.length > 1 && last !== undefined && isItem(last) ? parent(change.path) : undefined;
}

function begun(key: string, change: Change, isList: boolean, form: Definition): Group {
  const title = isList ? labelAt(form, key) : (change.label ?? labelAt(form, key));
  const kind = isList ? "list" : isLongText(change) ? "text" : "field";
  return { key, kind, title, said: "", changes: [change], paths: [] };
}

function finished(group: Group): Group {
  const whole = group.changes.some((change) => change.op === "move" || !change.path.includes("/id:"));
  const paths = group.kind === "list" && whole ? [group.key] : group.changes.map((change) => change.path);
  return { ...group, paths: [...new Set(paths)], said: saidOf(group) };
}

function saidOf(group: Group): string {
  const [only] = group.changes;
  if (group.kind !== "list" && only) return group.kind === "text" ? edits(only) : DID[only.op];
  const counts = (["add", "remove", "move", "replace", "text"] as const)
    .map((op) => [group.changes.filter((change) => change.op === op).length, DID[op]] as const)
    .filter(([n]) => n > 0);
  return counts.map(([n, did]) => `${n} ${did}`).join(", ");
}

const DID = { add: "added", remove: "removed", replace: "changed", move: "moved", text: "changed" } as const;

function edits(change: Change): string {
  const found = segments(change).reduce(
    (spots, segment, at, all) =>
      segment.keep === undefined && (at === 0 || all[at - 1]?.keep !== undefined) ? spots + 1 : spots,
    0,
  );
  return found === 1 ? "1 edit" : `${found} edits`;
}

/** Whether a change is one of a text long enough to be read word by word. */
export function isLongText(change: Change): boolean {
  if (change.op === "text") return true;
  const { before, after } = change;
  if (change.op !== "replace" || typeof before !== "string" || typeof after !== "string") return false;
  return Math.min(before.length, after.length) > NEAR || /\n/.test(before + after);
}

/** What stayed, came and went in a text. */
export function segments(change: Change): readonly Segment[] {
  if (change.segments) return change.segments;
  return wordsBetween(asText(change.before), asText(change.after));
}

function asText(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** The words that stayed, came and went from one text to another. */
export function wordsBetween(before: string, after: string): Segment[] {
  return diffWordsWithSpace(before, after).map((part) =>
    part.added ? { insert: part.value } : part.removed ? { delete: part.value } : { keep: part.value },
  );
}

/** Both texts in one: what they share once, and of what differs first the one side, then the other. */
export function bothTexts(ours: string, theirs: string): string {
  const parts: string[] = [];
  let mine = "";
  let other = "";
  const close = () => {
    const between = mine && other && !/\s$/.test(mine) && !/^\s/.test(other) ? " " : "";
    parts.push(mine + between + other);
    mine = other = "";
  };
  for (const segment of wordsBetween(ours, theirs)) {
    if (segment.keep !== undefined) {
      close();
      parts.push(segment.keep);
    }
    mine += segment.delete ?? "";
    other += segment.insert ?? "";
  }
  close();
  return parts.join("");
}

/** Both lists in one: the first whole, and of the second what the first lacks. */
export function bothLists(ours: readonly Json[], theirs: readonly Json[]): Json[] {
  const known = new Set(ours.map(identity));
  return [...ours, ...theirs.filter((item) => !known.has(identity(item)))];
}

function identity(item: Json): string {
  const id = isObject(item) ? item.id : undefined;
  return id === undefined ? JSON.stringify(item) : `id:${String(id)}`;
}

/** The segments with long stretches that stayed cut to their ends: null stands for what is left out. */
export function shortened(all: readonly Segment[], around = 120): (Segment | null)[] {
  return all.flatMap((segment, at) => {
    const keep = segment.keep;
    if (keep === undefined || keep.length <= 2 * around + 80) return [segment];
    const start = at === 0 ? "" : keep.slice(0, keep.indexOf(" ", around) + 1);
    const end = at === all.length - 1 ? "" : keep.slice(keep.lastIndexOf(" ", keep.length - around));
    return [...(start ? [{ keep: start }] : []), null, ...(end ? [{ keep: end }] : [])];
  });
}

/** A run of fields in words, for a line of the history. */
export function fieldsInWords(paths: readonly string[], form: Definition): string {
  return listed([...new Set(paths.map((path) => labelAt(form, path)))]);
}
