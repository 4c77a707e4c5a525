/** Ending a draft for good, after somebody has read what that means. */

import { useState } from "react";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import type { Summary } from "../../parts/answers";
import { useAct } from "../../parts/loading";
import { count } from "../../parts/words";
import { apiOf, sentenceOf } from "../api";

interface Props {
  draft: Summary;
  title: string;
  onClose: () => void;
  onDone: () => void;
}

export function PurgeDialog({ draft, title, onClose, onDone }: Props) {
  const [sure, setSure] = useState(false);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const purge = () =>
    act(async () => {
      await apiOf().post(`/drafts/${draft.id}/purge`, {});
      notify({ text: `${title} is deleted for good.` });
      onDone();
    });
  return (
    <Dialog title="Delete for good" onClose={onClose}>
      <p>
        <strong>{title}</strong> and all {count(draft.version, "version")} of it will be gone, for everybody it is
        shared with. Nothing can bring them back. What stays is a note that it existed, and when you deleted it.
      </p>
      <label className="choose sure">
        <input type="checkbox" checked={sure} onChange={(event) => setSure(event.target.checked)} />
        Yes, delete all of it
      </label>
      <div className="row actions">
        <button type="button" className="main bad" disabled={!sure || busy} onClick={purge}>
          Delete for good
        </button>
        <button type="button" onClick={onClose}>
          Keep it in the trash
        </button>
      </div>
    </Dialog>
  );
}
