/** What was typed into a draft that was finished meanwhile: kept here, and a way to go on with it. */

import { useEffect, useState } from "react";
import { type DraftSession, keepAsFork } from "../../core";
import { announce, notify } from "../../parts/Announcer";
import { useAct } from "../../parts/loading";
import { sentenceOf } from "../api";
import { clientNow } from "../client";
import { addressOf, go } from "../router";
import { useSite } from "../site";

const FINISHED = {
  submitted: "This draft was submitted while you were writing.",
  discarded: "This draft was put into the trash while you were writing.",
  expired: "This draft expired while you were writing.",
} as const;

const KEPT = "What you typed since is kept on this device.";
const GIVEN = "What you typed since is a draft of its own now, with whoever shared this one with you.";

export function Late({ session, closed }: { session: DraftSession; closed: keyof typeof FINISHED }) {
  const { me } = useSite();
  const [given, setGiven] = useState(false);
  const [busy, act] = useAct((problem) => notify({ text: `${sentenceOf(problem)} ${KEPT}`, bad: true }));
  const said = `${FINISHED[closed]} ${given ? GIVEN : KEPT}`;
  useEffect(() => announce(said), [said]);
  const keep = () =>
    act(async () => {
      const fork = await keepAsFork(clientNow(), session);
      // The guest of a link sees the linked draft only.
      if (me === null) return setGiven(true);
      notify({ text: "What you typed is a draft of its own now." });
      go(addressOf.form(fork));
    });
  return (
    <div className="strip">
      <p>{said}</p>
      {!given && (
        <button type="button" disabled={busy} onClick={keep}>
          Keep it as a draft of its own
        </button>
      )}
    </div>
  );
}
