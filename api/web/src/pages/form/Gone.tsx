/** A draft that was deleted for good elsewhere: what its form held is kept here until somebody decides. */

import { useEffect, useState } from "react";
import { type DraftSession, keepAsNew } from "../../core";
import { announce, notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import { useAct } from "../../parts/loading";
import { sentenceOf } from "../api";
import { clientNow } from "../client";
import { addressOf, go } from "../router";

const GONE = "This draft was deleted for good, and cannot be brought back.";
const KEPT = "What you typed is not lost: all that this form holds is kept on this device.";

export function Gone({ session, waiting }: { session: DraftSession; waiting: number }) {
  const [leaving, setLeaving] = useState(false);
  const [busy, act] = useAct((problem) => notify({ text: `${sentenceOf(problem)} ${KEPT}`, bad: true }));
  const said = waiting > 0 ? `${GONE} ${KEPT}` : GONE;
  useEffect(() => announce(said), [said]);
  const keep = () =>
    act(async () => {
      const draft = await keepAsNew(clientNow(), session);
      notify({ text: "It is a new draft now. Its history begins here." });
      go(addressOf.form(draft));
    });
  return (
    <div className="strip">
      <p>{said}</p>
      {waiting > 0 && (
        <>
          <button type="button" disabled={busy} onClick={keep}>
            Make it a new draft
          </button>
          <button type="button" className="quiet" disabled={busy} onClick={() => setLeaving(true)}>
            Let it go…
          </button>
        </>
      )}
      {leaving && <LetGo session={session} onClose={() => setLeaving(false)} />}
    </div>
  );
}

function LetGo({ session, onClose }: { session: DraftSession; onClose: () => void }) {
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const forget = () =>
    act(async () => {
      await session.forget();
      notify({ text: "Nothing of that draft is on this device any more." });
      go(addressOf.drafts);
    });
  return (
    <Dialog title="Let it go" onClose={onClose}>
      <p>What you typed here was never saved anywhere else. It goes from this device, and nothing can bring it back.</p>
      <div className="row actions">
        <button type="button" className="main bad" disabled={busy} onClick={forget}>
          Let it go for good
        </button>
        <button type="button" onClick={onClose}>
          Keep it on this device
        </button>
      </div>
    </Dialog>
  );
}
