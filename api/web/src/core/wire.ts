/** The answers of the service, as the contract has them; requests are typed by `contract.ts`. */
import type { components } from "./contract";
import type { Data, Json } from "./json";

export type Schemas = components["schemas"];
export type DraftStatus = "open" | "submitted" | "discarded" | "expired";
export type Role = "owner" | "editor" | "viewer" | "auditor";

export interface Draft {
  readonly id: string;
  readonly form: string;
  readonly subject: string | null;
  readonly title: string | null;
  readonly template: boolean;
  readonly status: DraftStatus;
  readonly version: number;
  readonly data: Data;
  readonly step: string | null;
  readonly completed_steps: readonly string[];
  readonly owner: string;
  readonly role: Role;
  readonly conflicts: readonly Conflict[];
  readonly created_at: string;
  readonly saved_at: string;
  readonly expires_at: string;
  readonly forked_from: { readonly draft: string; readonly version: number } | null;
}

/** A draft on a list: without its data, and with how many conflicts it has. */
export type DraftLine = Omit<Draft, "data" | "conflicts"> & {
  readonly conflicts: number;
  readonly saved_by: string;
  readonly saved_device: string | null;
};

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface Receipt {
  readonly id: string;
  readonly version: number;
  readonly recorded: boolean;
  readonly merged: boolean;
  readonly saved_at: string;
  readonly expires_at: string;
  readonly changes: readonly Change[];
  readonly conflicts: readonly Conflict[];
}

export interface Change {
  readonly op: "add" | "remove" | "replace" | "move" | "text";
  readonly path: string;
  readonly from?: string;
  readonly index?: number;
  readonly before?: Json;
  readonly after?: Json;
  readonly segments?: readonly { readonly keep?: string; readonly insert?: string; readonly delete?: string }[];
  readonly by: string;
  readonly version: number;
  readonly label: string;
  readonly text: string;
}

/** One side of a conflict. */
export interface Side {
  readonly values: { readonly [path: string]: Json };
  readonly by: string;
  readonly at: string;
  readonly device: string | null;
  readonly version: number;
}

export interface Conflict {
  readonly id: string;
  readonly paths: readonly string[];
  readonly group: string | null;
  readonly base: { readonly [path: string]: Json };
  readonly ours: Side;
  readonly theirs: readonly Side[];
}

/** A problem document (RFC 9457). */
export type Problem = Schemas["Problem"];
