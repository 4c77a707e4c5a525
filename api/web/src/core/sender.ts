/** Sends what waits in the outbox, and says what the answer, or a refusal, makes of the state. */
import { Refused, type Api } from "./api";
import { answered, opened, renumbered, takenBack, withStatus, type Request, type State } from "./state";
import type { Draft, Problem, Receipt } from "./wire";

export type Transition = (state: State) => State;

/** As many edits as go in one call, and as many characters. */
const MOST_EDITS = 200;
const MOST_CHARACTERS = 500_000;

/**
 * Send the first request that waits, or all edits of a queue in one call; what the answer makes of the
 * state at the time it comes.
 *
 * @throws Refused, Unreachable
 */
export async function send(api: Api, device: string, state: State, keepalive = false): Promise<Transition> {
  const [first, ...rest] = state.outbox;
  if (!first) return (same) => same;
  const asked = { keepalive };
  if (first.opening) {
    const draft = await api.post<Draft>("/drafts", bodyOf(first, device), asked);
    return (now) => opened(now, draft);
  }
  if (rest.length === 0 || keepalive) {
    const receipt = await api.patch<Receipt>(`/drafts/${state.id}`, bodyOf(first, device), asked);
    return (now) => answered(now, receipt);
  }
  const edits = some(state.outbox.map((request) => bodyOf(request, device)));
  const { results } = await api.post<{ results: (Receipt | Problem)[] }>(`/drafts/${state.id}/edits`, { edits });
  return (now) => afterQueue(now, results);
}

/** What a refusal makes of the state, if the client can go on by itself. */
export function refused(state: State, problem: Partial<Problem>): State | undefined {
  switch (problem.type?.split("/").pop()) {
    case "seq-reused":
    case "seq-skipped":
      return renumbered(state, problem.last_seq ?? state.seq);
    case "draft-closed":
      return withStatus(state, problem.draft_status as "expired");
    case "cannot-apply":
    case "invalid":
    case "too-large":
      return state.outbox[0]?.data ? undefined : takenBack(state);
    default:
      return undefined;
  }
}

/** The request as it is sent; the same each time. */
export function bodyOf({ opening, seq, ...edit }: Request, device: string): Record<string, unknown> {
  const { step, subject, ...begun } = opening ?? {};
  return opening ? { ...begun, ...(subject && { subject }), ...(step && { step }), device, seq } : { ...edit, device, seq };
}

function some(bodies: Record<string, unknown>[]): Record<string, unknown>[] {
  let characters = 0;
  const fitting = bodies.findIndex((body, i) => i === MOST_EDITS || (i > 0 && (characters += JSON.stringify(body).length) > MOST_CHARACTERS));
  return fitting < 0 ? bodies : bodies.slice(0, fitting);
}

/** Receipts up to the first refusal; what followed it was based on it, and is sent again as a whole. */
function afterQueue(state: State, results: readonly (Receipt | Problem)[]): State {
  for (const result of results) {
    if ("recorded" in result) state = answered(state, result);
    else {
      const next = refused(state, result);
      if (!next) throw new Refused(result, undefined);
      return next;
    }
  }
  return state;
}
