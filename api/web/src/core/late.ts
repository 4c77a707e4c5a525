/** What was typed into a draft after it was finished or purged, kept as a draft of its own. */
import type { Client } from "./client";
import { uuid } from "./environment";
import type { DraftSession } from "./session";
import type { Draft, Receipt } from "./wire";

/**
 * Send what waits to the fork that the service makes of a finished draft for this device, and forget the
 * finished one here.
 *
 * @returns the fork's id
 * @throws Refused, Unreachable: then it still waits
 */
export async function keepAsFork({ api }: Client, session: DraftSession): Promise<string> {
  const { id, version, data, step, completed_steps } = session.snapshot();
  const edit = { based_on: version, device: session.device, data, step, completed_steps, on_closed: "fork" };
  const fork = await api.patch<Receipt>(`/drafts/${id}`, edit);
  await session.forget();
  return fork.id;
}

/** The ids of new drafts that were asked for: asked again, the service knows that it is the same one. */
const asked = new WeakMap<DraftSession, string>();

/**
 * Begin a new draft with what the form of a purged one holds, beside any other of its form and subject, and
 * forget the purged one here.
 *
 * @returns the new draft's id
 * @throws Refused, Unreachable: then it still waits
 */
export async function keepAsNew({ api }: Client, session: DraftSession): Promise<string> {
  const { about, data, step, completed_steps } = session.snapshot();
  const { form, subject } = about ?? {};
  const id = asked.get(session) ?? uuid();
  asked.set(session, id);
  const opening = { id, form, ...(subject && { subject }), another: true, data, ...(step && { step }), completed_steps };
  const draft = await api.post<Draft>("/drafts", { ...opening, device: session.device });
  await session.forget();
  return draft.id;
}
