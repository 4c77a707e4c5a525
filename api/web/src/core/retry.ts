/** What a failed attempt to send means, and when to try again. */
import { Refused, Unreachable } from "./api";
import type { Sending } from "./status";

/** Milliseconds until the first attempt after a failure, and at most. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;

/** How sending goes after an error: `attempts` failed before it, and `random` is at most 1. */
export function afterFailure(error: unknown, now: number, attempts: number, random: number): Sending {
  const retryAt = now + backOff((error as Partial<Refused>).retryAfter, attempts, random);
  if (error instanceof Unreachable) return { kind: "offline", retryAt };
  if (!(error instanceof Refused)) return { kind: "failed", problem: String(error), retryAt };
  const { status, detail } = error.problem;
  if (status === 401) return { kind: "signed-out" };
  if (status === 410) return { kind: "gone" };
  const again = status === 408 || status === 429 || status >= 500;
  return { kind: "failed", problem: detail, retryAt: again ? retryAt : null };
}

/** Twice as long each time, and never the same for all who lost the service at once. */
function backOff(asked: number | undefined, attempts: number, random: number): number {
  const own = Math.min(FIRST_RETRY * 2 ** attempts, LAST_RETRY) * (0.5 + random / 2);
  return (asked ?? 0) * 1_000 + own;
}
