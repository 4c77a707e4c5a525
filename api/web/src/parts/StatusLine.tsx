/** What may be said about saving, never more: "Saved" only where a receipt says so. */

import { useEffect, useRef } from "react";
import { inWords, type Status, type StatusKind } from "../core";
import { announce } from "./Announcer";

const LANGUAGE = "en-GB";

const TONES: { readonly [kind in StatusKind]: "" | "off" | "bad" | "on-the-way" } = {
  new: "on-the-way",
  saved: "",
  saving: "on-the-way",
  unsaved: "on-the-way",
  offline: "off",
  failed: "bad",
  review: "off",
  "signed-out": "off",
  closed: "",
  gone: "bad",
};

const ACTS: { readonly [kind in StatusKind]?: string } = {
  failed: "Retry",
  offline: "Try now",
  "signed-out": "Sign in",
};

/** A save each second is not worth telling; trouble and its end are. */
const QUIET = new Set<StatusKind>(["new", "saving", "unsaved"]);

interface Props {
  status: Status;
  /** Try again, or sign in. */
  onAct: () => void;
}

export function StatusLine({ status, onAct }: Props) {
  const text = inWords(status, LANGUAGE);
  const act = ACTS[status.kind];
  const isLate = status.kind === "closed" && status.waiting > 0;
  const told = useRef<StatusKind>("saved");
  useEffect(() => {
    if (QUIET.has(status.kind) || told.current === status.kind) return;
    told.current = status.kind;
    announce(text);
  }, [status.kind, text]);
  return (
    <span className={`status ${isLate ? "off" : TONES[status.kind]}`}>
      <i aria-hidden="true" />
      <span>{text}</span>
      {act && (
        <button type="button" className="quiet small" onClick={onAct}>
          {act}
        </button>
      )}
    </span>
  );
}
