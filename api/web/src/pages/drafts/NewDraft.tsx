/** Beginning a draft; whoever has begun one already is asked, if there is something in it. */

import { useState } from "react";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import { Menu } from "../../parts/Menu";
import type { Data, Draft, Json, Page } from "../../parts/answers";
import { fieldsOf, labelAt } from "../../parts/forms";
import { useAct, useLoaded, useNow } from "../../parts/loading";
import { ago, several } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";
import { addressOf, go } from "../router";
import { definitionOf, titleOf } from "../site";

interface FormLine {
  form: string;
  label: string | null;
}

export function NewDraft() {
  const forms = useLoaded(() => ask<Page<FormLine>>(api.GET("/v1/forms")), []);
  const [begun, setBegun] = useState<Draft | null>(null);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const begin = (form: string) =>
    act(async () => {
      const id = crypto.randomUUID();
      const draft = await openDraft({ form, id });
      if (draft.id === id || !holds(draft.data)) go(addressOf.form(draft.id));
      else setBegun(draft);
    });
  const [only, ...others] = forms.value?.items ?? [];
  if (!only) return null;
  const called = (one: FormLine) => `New ${(one.label ?? one.form).toLowerCase()}`;
  return (
    <div className="row">
      <button type="button" className="main" disabled={busy} onClick={() => begin(only.form)}>
        {called(only)}
      </button>
      {others.length > 0 && (
        <Menu
          label="Begin another form"
          items={others.map((one) => ({ label: called(one), do: () => begin(one.form) }))}
        >
          ▾
        </Menu>
      )}
      {begun && <Begun draft={begun} onClose={() => setBegun(null)} />}
    </div>
  );
}

/** Whether there is anything in a form that somebody typed. */
export function holds(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === "") return false;
  if (typeof value !== "object") return true;
  return Object.values(value as Data).some(holds);
}

function Begun({ draft, onClose }: { draft: Draft; onClose: () => void }) {
  const now = useNow();
  const form = useLoaded(() => definitionOf(draft.form), [draft.form]).value;
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const filled = Object.keys(draft.data)
    .filter((name) => holds(draft.data[name]))
    .map((name) => `/${name}`);
  const fields = form
    ? several(
        fieldsOf(filled).map((path) => labelAt(form, path)),
        4,
      )
    : "";
  return (
    <Dialog title="You have begun one already" onClose={onClose}>
      <p>
        <strong>{titleOf(draft, form)}</strong>, saved {ago(draft.saved_at, { now })}
        {fields && `: ${fields}`}.
      </p>
      <div className="row wrap actions">
        <button type="button" className="main" onClick={() => go(addressOf.form(draft.id))}>
          Go on with it
        </button>
        <button type="button" disabled={busy} onClick={() => act(() => beginAnother({ form: draft.form }))}>
          Begin another
        </button>
      </div>
    </Dialog>
  );
}

/** Open a further draft and go to it. */
export async function beginAnother(wanted: { form: string; from_template?: string }): Promise<void> {
  const { id } = await openDraft({ ...wanted, id: crypto.randomUUID(), another: true });
  go(addressOf.form(id));
}

/** The id is ours, so that asking twice opens one. */
function openDraft(wanted: { form: string; id: string; another?: boolean; from_template?: string }): Promise<Draft> {
  return ask(api.POST("/v1/drafts", { body: { another: false, ...wanted, data: {}, completed_steps: [] } }));
}
