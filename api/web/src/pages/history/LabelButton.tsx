/** Giving a version a name, or taking it away. */

import { type FormEvent, useState } from "react";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import type { Draft } from "../../parts/answers";
import { useAct } from "../../parts/loading";
import { api, ask, sentenceOf } from "../api";

interface Props {
  draft: Draft;
  version: number;
  label: string | undefined;
  onDone: () => void;
}

export function LabelButton({ draft, version, label, onDone }: Props) {
  const [open, setOpen] = useState(false);
  if (draft.role !== "owner" && draft.role !== "editor") return null;
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {label ? `Rename version ${version}…` : `Name version ${version}…`}
      </button>
      {open && (
        <LabelDialog
          draft={draft}
          version={version}
          label={label}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            onDone();
          }}
        />
      )}
    </>
  );
}

export function LabelDialog({ draft, version, label, onDone, onClose }: Props & { onClose: () => void }) {
  const [name, setName] = useState(label ?? "");
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const params = { path: { draft_id: draft.id, version } };
  const give = (event: FormEvent) => {
    event.preventDefault();
    act(async () => {
      await ask(api.PUT("/v1/drafts/{draft_id}/versions/{version}/label", { params, body: { label: name.trim() } }));
      notify({ text: `Version ${version} is called “${name.trim()}”.` });
      onDone();
    });
  };
  const take = () =>
    act(async () => {
      await ask(api.DELETE("/v1/drafts/{draft_id}/versions/{version}/label", { params }));
      notify({ text: `Version ${version} has no name any more.` });
      onDone();
    });
  return (
    <Dialog title={`Name version ${version}`} onClose={onClose}>
      <form onSubmit={give}>
        <label htmlFor="label-name">Name</label>
        <input
          id="label-name"
          data-first
          maxLength={200}
          value={name}
          placeholder="Sent to agency"
          onChange={(event) => setName(event.target.value)}
        />
        <p className="soft small hint">So that you find it again. The version itself stays as it is.</p>
        <div className="row actions">
          <button type="submit" className="main" disabled={busy || name.trim() === "" || name.trim() === label}>
            Keep this name
          </button>
          {label && (
            <button type="button" disabled={busy} onClick={take}>
              Take the name away
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}
