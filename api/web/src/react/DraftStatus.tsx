/** How a draft stands, in words: what is saved, and what is only on this device. */
import { useEffect, useState } from "react";
import { inWords, type DraftSession, type Status } from "../core";
import { useDraftValue } from "./draft";

/** Announcing each save would talk over somebody who types: only what lasts this long is said aloud. */
const SETTLED = 1_500;

const TONES: Partial<Record<Status["kind"], string>> = {
  offline: "off", unsaved: "off", "signed-out": "off", review: "off", failed: "bad", gone: "bad", closed: "bad",
};

/** The status as a line, polite to screen readers, with a button where trying again makes sense. */
export function DraftStatus({ session, language }: { readonly session: DraftSession; readonly language?: string }) {
  const status = useDraftValue(session, (snapshot) => snapshot.status);
  const words = status ? inWords(status, language) : "";
  const said = useSettled(words);
  if (!status) return null;
  const mayRetry = status.kind === "failed" || status.kind === "offline";
  return (
    <span className={`status ${TONES[status.kind] ?? ""}`} data-status={status.kind} data-waiting={status.waiting}>
      <i aria-hidden="true" />
      <span aria-hidden="true">{words}</span>
      <span role="status" className="said">{said}</span>
      {mayRetry && status.waiting > 0 && (
        <button type="button" className="quiet" onClick={() => session.resume()}>Retry</button>
      )}
    </span>
  );
}

function useSettled(words: string): string {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSaid(words), SETTLED);
    return () => clearTimeout(timer);
  }, [words]);
  return said;
}
