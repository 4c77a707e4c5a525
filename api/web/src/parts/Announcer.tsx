/** What just happened, told politely to a screen reader and shown for a while. */

import { useEffect, useSyncExternalStore } from "react";

export interface Notice {
  text: string;
  /** Something to do about it, such as taking it back. */
  act?: { label: string; do: () => void };
  bad?: boolean;
}

let shown: Notice | null = null;
let spoken = "";
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function settle(notice: Notice | null): void {
  shown = notice;
  for (const listener of listeners) listener();
}

/** Say it, without showing anything. */
export function announce(text: string): void {
  // The same words twice are no change that a screen reader would tell.
  spoken = text === spoken ? `${text}\u00a0` : text;
  for (const listener of listeners) listener();
}

/** Say it and show it; one with something to do stays until it is closed or the next one comes. */
export function notify(notice: Notice): void {
  clearTimeout(timer);
  announce(notice.text);
  settle(notice);
  if (!notice.act && !notice.bad) timer = setTimeout(() => settle(null), 6000);
}

let dialogs = 0;

function count(more: number): void {
  dialogs += more;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** While a dialog is open, the page around it is neither heard nor in reach: then the dialog has this. */
export function Announcer({ inDialog = false }: { inDialog?: boolean }) {
  const notice = useSyncExternalStore(subscribe, () => shown);
  const words = useSyncExternalStore(subscribe, () => spoken);
  const covered = useSyncExternalStore(subscribe, () => dialogs > 0) && !inDialog;
  useEffect(() => {
    if (!inDialog) return;
    count(1);
    return () => count(-1);
  }, [inDialog]);
  return (
    <>
      <p className="heard" role="status" aria-live="polite">
        {words}
      </p>
      {notice && !covered && (
        <aside className={notice.bad ? "notice bad" : "notice"} aria-label="Notice">
          <span className="grow">{notice.text}</span>
          {notice.act && (
            <button
              type="button"
              className="quiet"
              onClick={() => {
                settle(null);
                notice.act?.do();
              }}
            >
              {notice.act.label}
            </button>
          )}
          <button type="button" className="quiet" aria-label="Close this notice" onClick={() => settle(null)}>
            ×
          </button>
        </aside>
      )}
    </>
  );
}
