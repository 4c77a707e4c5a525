/** What can be done with a draft from the list; each says what it did, and how to take it back. */

import { notify } from "../../parts/Announcer";
import type { Receipt } from "../../parts/answers";
import { date } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";

const at = (draft: string) => ({ params: { path: { draft_id: draft } } });

export async function extend(draft: string, title: string): Promise<void> {
  const { expires_at } = await ask<Receipt>(api.POST("/v1/drafts/{draft_id}/extend", at(draft)));
  notify({ text: `${title} is kept until ${date(expires_at)}.` });
}

export async function discard(draft: string, title: string, changed: () => void): Promise<void> {
  await ask(api.DELETE("/v1/drafts/{draft_id}", at(draft)));
  const back = () =>
    void recover(draft, title).then(changed, (problem: unknown) => notify({ text: sentenceOf(problem), bad: true }));
  notify({ text: `${title} is in the trash.`, act: { label: "Put back", do: back } });
}

export async function recover(draft: string, title: string): Promise<void> {
  await ask(api.POST("/v1/drafts/{draft_id}/recover", at(draft)));
  notify({ text: `${title} is back among your drafts.` });
}

export async function makeTemplate(draft: string, title: string, on: boolean): Promise<void> {
  await ask(api.PUT("/v1/drafts/{draft_id}/template", { ...at(draft), body: { on } }));
  notify({
    text: on
      ? `${title} is a template now: others can start from it, and it never expires.`
      : `${title} is a draft again.`,
  });
}
