/** What was typed into a draft after it was finished, kept as a draft of its own. */
import type { Client } from "./client";
import type { DraftSession } from "./session";
import type { Receipt } from "./wire";

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
