/** The shapes of the answers that the pages read, beside those of the core. */

import type { Change as Told, Draft, DraftLine, Json, Receipt as Plain, Side as Plainly } from "../core";

export type { Data, Draft, Json, Page, Role } from "../core";

/** A change; in a comparison nobody in particular made it. */
export type Change = Pick<Told, "op" | "path"> & Partial<Told>;
export type Segment = NonNullable<Told["segments"]>[number];

export interface Receipt extends Plain {
  readonly outcomes?: readonly { readonly path: string; readonly outcome: "undone" | "superseded" | "dependent" }[];
}

export interface Side extends Plainly {
  readonly reason?: string | null;
}

export interface Conflict {
  readonly id: string;
  readonly paths: readonly string[];
  readonly base: { readonly [path: string]: Json };
  readonly ours: Side;
  readonly theirs: readonly Side[];
}

/** A line of the drafts page. */
export interface Summary extends DraftLine {
  readonly step_label?: string | null;
  readonly step_number?: number | null;
  /** How many steps the form has. */
  readonly steps?: number | null;
  /** The step to go on with. */
  readonly resume?: string | null;
  readonly filled?: number | null;
  readonly fields?: number | null;
  readonly shared_by?: string | null;
}

export type Status = Draft["status"];

export interface VersionLine {
  version: number;
  act: string;
  by: string;
  at: string;
  device: string | null;
  paths: string[];
  label: string | null;
  reason: string | null;
}

export interface Version extends Omit<VersionLine, "paths"> {
  about: { [name: string]: Json };
  text: string;
  changes: Change[];
}

export interface Session {
  from: number;
  to: number;
  from_at: string;
  to_at: string;
  by: string;
  device: string | null;
  versions: number;
  acts: string[];
  paths: string[];
  text: string;
}

export interface Comparison {
  from: number;
  to: number;
  changes: Change[];
}

export interface Field {
  label?: string;
  format?: string;
  merge?: "text" | "set" | "atomic" | string;
  key?: string;
  item?: string;
  sensitive?: boolean;
}

export interface Step {
  id: string;
  label?: string;
  paths: string[];
}

export interface Definition {
  form: string;
  label?: string;
  title?: string;
  steps?: Step[];
  fields?: { [path: string]: Field };
  groups?: string[][];
  schema?: Json;
}
