/** What may be said about a draft: "saved" only by a receipt, and what is only on this device otherwise. */
import { waiting, type State } from "./state";
import type { DraftStatus } from "./wire";

/** How it goes with sending. */
export type Sending =
  | { readonly kind: "idle" }
  | { readonly kind: "sending" }
  | { readonly kind: "offline"; readonly retryAt: number | null }
  | { readonly kind: "failed"; readonly problem: string; readonly retryAt: number | null }
  | { readonly kind: "signed-out" }
  | { readonly kind: "gone" };

export type StatusKind =
  | "new" | "saved" | "saving" | "unsaved" | "offline" | "failed" | "review" | "signed-out" | "closed" | "gone";

export interface Status {
  readonly kind: StatusKind;
  /** Edits that the service has not confirmed. */
  readonly waiting: number;
  /** The moment of the last save, by the service's clock; only ever from a receipt or the draft itself. */
  readonly savedAt: string | null;
  /** Whether what waits would survive the browser being closed. */
  readonly onDevice: boolean;
  readonly conflicts: number;
  readonly problem: string | null;
  /** When the next attempt is made, in milliseconds since 1970. */
  readonly retryAt: number | null;
  readonly closed: Exclude<DraftStatus, "open"> | null;
}

/** The status of a draft, by its state, how sending goes, and whether the journal can be written. */
export function statusOf(state: State, sending: Sending, onDevice: boolean): Status {
  const { about, conflicts } = state.base;
  const closed = about && about.status !== "open" ? about.status : null;
  return {
    kind: kindOf(state, sending, closed !== null),
    waiting: waiting(state),
    savedAt: about?.saved_at ?? null,
    onDevice,
    conflicts: conflicts.length,
    problem: sending.kind === "failed" ? sending.problem : null,
    retryAt: "retryAt" in sending ? sending.retryAt : null,
    closed,
  };
}

function kindOf(state: State, sending: Sending, closed: boolean): StatusKind {
  if (sending.kind === "gone" || sending.kind === "signed-out") return sending.kind;
  if (closed) return "closed";
  if (sending.kind === "offline" || sending.kind === "failed") return sending.kind;
  if (waiting(state) > 0) return sending.kind === "sending" ? "saving" : "unsaved";
  if (state.base.conflicts.length > 0) return "review";
  return state.base.version > 0 ? "saved" : "new";
}
