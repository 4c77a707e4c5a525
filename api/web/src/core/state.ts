/**
 * One draft on one device: what the service holds, what waits to be sent, what the form shows.
 *
 *     live    what the form shows                       changed by typing
 *      ↑ typed
 *     copy    what this device has sent or will send     the base with the outbox over it
 *      ↑ outbox  numbered edits, each sent until it is answered, always as the same request
 *     base    the service's data at `version`, and over it what of ours was recorded since
 *
 * Everything here is pure. `contract.md`, *The base of an edit*, says why a receipt is applied to the
 * copy that was sent and never to the live form.
 */
import { apply, CannotApply, contested, diff, type Operation } from "./changes";
import { same, type Data } from "./json";
import type { Conflict, Draft, Receipt } from "./wire";

/** What a draft's form holds: its values, and how far it is filled. */
export interface Form {
  readonly data: Data;
  readonly step: string | null;
  readonly completed_steps: readonly string[];
}

/** What is known of a draft besides its form. */
export type About = Omit<Draft, "data" | "step" | "completed_steps" | "version" | "conflicts">;

export interface Base extends Form {
  /** 0: the service does not know the draft yet. */
  readonly version: number;
  readonly conflicts: readonly Conflict[];
  readonly about: About | null;
}

/** What opens a draft that the service does not know. */
export interface Opening extends Form {
  readonly id: string;
  readonly form: string;
  readonly subject: string | null;
}

/** One numbered request; it is repeated as it is until there is an answer. */
export interface Request {
  readonly seq: number;
  readonly opening?: Opening;
  readonly based_on?: number;
  readonly changes?: readonly Operation[];
  readonly data?: Data;
  readonly step?: string | null;
  readonly completed_steps?: readonly string[];
}

export interface State {
  readonly id: string;
  readonly form: string;
  readonly subject: string | null;
  readonly base: Base;
  readonly outbox: readonly Request[];
  /** The number that was given last. */
  readonly seq: number;
  /** The next edit is sent as the whole form, since its changes did not fit. */
  readonly whole: boolean;
  readonly copy: Form;
  readonly live: Form;
}

/** What is written down of a state; `copy` and `live` follow from it. */
export interface Parts {
  readonly base: Pick<State, "id" | "form" | "subject" | "base">;
  readonly outbox: Pick<State, "outbox" | "seq" | "whole">;
  readonly typed: { readonly changes: readonly Operation[]; readonly step: string | null; readonly completed_steps: readonly string[] };
}

export const EMPTY: Form = { data: {}, step: null, completed_steps: [] };

/** A draft that nobody knows yet, with the values that its form begins with. */
export function begin(id: string, form: string, subject: string | null, initial: Data = {}): State {
  const start = { ...EMPTY, data: initial };
  const base: Base = { ...start, version: 0, conflicts: [], about: null };
  return { id, form, subject, base, outbox: [], seq: 0, whole: false, copy: start, live: start };
}

/** A draft as the service shows it. */
export function known(draft: Draft): State {
  return { ...begin(draft.id, draft.form, draft.subject), base: baseOf(draft), copy: formOf(draft), live: formOf(draft) };
}

/** The parts to write down. */
export function partsOf({ id, form, subject, base, outbox, seq, whole, copy, live }: State): Parts {
  const { step, completed_steps } = live;
  return {
    base: { id, form, subject, base },
    outbox: { outbox, seq, whole },
    typed: { changes: diff(copy.data, live.data), step, completed_steps },
  };
}

/** The state that was written down. */
export function restored({ base, outbox, typed }: Parts): State {
  const copy = outbox.outbox.reduce(over, formOf(base.base));
  const { step, completed_steps } = typed;
  return { ...base, ...outbox, copy, live: { data: apply(typed.changes, copy.data), step, completed_steps } };
}

/** Whether the form holds what no request carries yet. */
export function hasTyped({ copy, live }: State): boolean {
  return !sameForm(copy, live);
}

/** Whether anything is not yet confirmed by the service, and how many edits that are. */
export function waiting(state: State): number {
  return state.outbox.length + (hasTyped(state) ? 1 : 0);
}

/** Whether the draft takes edits, as far as this device knows. */
export function isOpen({ base }: State): boolean {
  return !base.about || base.about.status === "open";
}

/** The form shows something else now. */
export function type(state: State, live: Form): State {
  return { ...state, live };
}

/**
 * Number what was typed: from now on it is one request, whatever happens to it. What changes nothing is
 * not sent, and an opening under way is waited for, since an edit needs a version to be based on.
 */
export function queue(state: State): State {
  const { base, live, outbox, whole } = state;
  if (!hasTyped(state) || (base.version === 0 && outbox.length > 0)) return state;
  const seq = state.seq + 1;
  const request = base.version === 0 ? { seq, opening: opening(state) } : { seq, ...edit(state, whole) };
  return { ...state, outbox: [...outbox, request], seq, whole: false, copy: live };
}

function opening({ id, form, subject, live }: State): Opening {
  return { id, form, subject, ...live };
}

function edit({ base, copy, live }: State, whole: boolean): Omit<Request, "seq"> {
  return {
    based_on: base.version,
    ...(whole ? { data: live.data } : { changes: diff(copy.data, live.data) }),
    ...(live.step !== copy.step && { step: live.step }),
    ...(!same(live.completed_steps, copy.completed_steps) && { completed_steps: live.completed_steps }),
  };
}

/** The receipt of the request that waits longest. */
export function answered(state: State, receipt: Receipt): State {
  const [request, ...rest] = state.outbox;
  if (!request) return state;
  const sent = over(formOf(state.base), request);
  const saved = { ...state, outbox: rest, base: dated({ ...state.base, ...sent }, receipt) };
  if (rest.length > 0) return saved;
  // What the service holds is what was sent, with the changes of the receipt (`before` is ours).
  const data = apply(receipt.changes, sent.data);
  return weave(saved, { ...saved.base, data, version: receipt.version, conflicts: receipt.conflicts });
}

/** The draft as it was opened, or as it was there already. */
export function opened(state: State, draft: Draft): State {
  const ours = { ...state, id: draft.id, outbox: state.outbox.slice(1) };
  const woven = weave(ours, baseOf(draft));
  return woven.base.version > 0 ? woven : { ...onto(ours, baseOf(draft), true), whole: true };
}

/** The draft as the service shows it now; what is older than a save under way is not looked at. */
export function looked(before: State, draft: Draft): State {
  // That a draft is finished is said of what waits by the answer to it; that it was put back, here.
  const state = draft.status === "open" ? withStatus(before, "open") : before;
  const { base, outbox } = state;
  if (outbox.length > 0) return state;
  if (draft.version > base.version) return weave(state, baseOf(draft));
  return draft.version < base.version ? { ...onto(state, baseOf(draft), true), whole: true } : state;
}

/** The service has seen higher numbers of this device: the same requests under new ones. */
export function renumbered(state: State, last: number): State {
  const first = Math.max(last, 0) + 1;
  const outbox = state.outbox.map((request, i) => ({ ...request, seq: first + i }));
  return { ...state, outbox, seq: Math.max(state.seq, last + outbox.length) };
}

/** A request cannot be taken as it is: all that waits becomes typed again, to be sent as a whole. */
export function takenBack(state: State): State {
  return { ...state, outbox: [], copy: formOf(state.base), whole: true };
}

/** The draft takes no more edits, or does again. */
export function withStatus(state: State, status: About["status"]): State {
  const { about } = state.base;
  return about && about.status !== status ? { ...state, base: { ...state.base, about: { ...about, status } } } : state;
}

/**
 * Go on from what the service holds; what was typed meanwhile stays on top. Where others wrote what is
 * typed here, it goes out on the old base, so that they meet as a conflict and neither is lost.
 */
function weave(state: State, seen: Base): State {
  const mine = diff(state.copy.data, state.live.data);
  const news = diff(state.copy.data, seen.data).map(({ path }) => path);
  const disputed = seen.conflicts.flatMap(({ paths }) => paths);
  return contested(mine, [...news, ...disputed]) ? state : onto(state, seen, false);
}

function onto(state: State, seen: Base, whole: boolean): State {
  const mine = diff(state.copy.data, state.live.data);
  const form = formOf(seen);
  const keepsStep = state.live.step !== state.copy.step || !same(state.live.completed_steps, state.copy.completed_steps);
  try {
    const live = { ...(keepsStep ? state.live : form), data: apply(mine, seen.data) };
    // The same object if it says the same: nobody is to hear of the echo of our own save.
    return { ...state, base: seen, copy: form, live: sameForm(live, state.live) ? state.live : live };
  } catch (error) {
    if (!(error instanceof CannotApply)) throw error;
    return whole ? { ...state, base: seen, copy: form } : state;
  }
}

function over(form: Form, request: Request): Form {
  const { opening, changes, data = form.data, step = form.step, completed_steps = form.completed_steps } = request;
  return opening ? formOf(opening) : { data: changes ? apply(changes, form.data) : data, step, completed_steps };
}

function dated(base: Base, { saved_at, expires_at }: Receipt): Base {
  return { ...base, about: base.about && { ...base.about, saved_at, expires_at } };
}

function baseOf({ data, step, completed_steps, version, conflicts, ...about }: Draft): Base {
  return { data, step, completed_steps, version, conflicts, about };
}

function formOf({ data, step, completed_steps }: Form): Form {
  return { data, step, completed_steps };
}

function sameForm(one: Form, other: Form): boolean {
  return one === other || (one.step === other.step && same(one.data, other.data) && same(one.completed_steps, other.completed_steps));
}
