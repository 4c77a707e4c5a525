/** The pages without a network: a service worker keeps them; drafts are kept by the core. */

import type { Definition } from "../parts/answers";

const FORM = "variorum-form ";

/** Keep a form's definition for a time without a network; it holds nothing that anybody typed. */
export function keepForm(form: string, definition: Definition): Definition {
  try {
    localStorage.setItem(FORM + form, JSON.stringify(definition));
  } catch {
    // Full or forbidden: then the form is read with a network only.
  }
  return definition;
}

/** The definition that was kept last. */
export function keptForm(form: string): Definition | undefined {
  const kept = localStorage.getItem(FORM + form);
  return kept === null ? undefined : (JSON.parse(kept) as Definition);
}

/** From now on the pages open without a network, in a browser that can and on a secure origin. */
export function keepPages(): void {
  if (import.meta.env.PROD) void navigator.serviceWorker?.register("/sw.js").catch(() => {});
}
