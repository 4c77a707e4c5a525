/** The versions that somebody looks at: one, or those of a session. */

import type { Change, Session } from "../../parts/answers";
import { touches } from "../../parts/forms";

export interface Span {
  from: number;
  to: number;
  /** Whether nobody else's versions lie between them. */
  whole: boolean;
  /** What the session changed; empty for one version. */
  paths: string[];
  session?: Session;
}

export function spanOf(session: Session): Span {
  const { from, to, versions, paths } = session;
  return { from, to, whole: to - from + 1 === versions, paths, session };
}

export function isSame(one: { from: number; to: number } | null, other: { from: number; to: number }): boolean {
  return one !== null && one.from === other.from && one.to === other.to;
}

/** Whether these are a session's versions, as many of them as there were when they were chosen. */
export function isOf(one: Span | null, session: Session): boolean {
  return isSame(one, session) || one?.session?.from === session.from;
}

/** Of the changes over a span, those of fields that the session itself changed. */
export function ownChanges(span: Span, changes: readonly Change[]): Change[] {
  if (span.whole) return [...changes];
  return changes.filter((change) => span.paths.some((path) => touches(path, change.path)));
}
