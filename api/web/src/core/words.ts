/** A status as a short sentence, for a page and for those who hear it. */
import type { Status } from "./status";

/** What a person is told; times in the words of their language's clock. */
export function inWords(status: Status, language?: string): string {
  const kept = status.onDevice ? "saved on this device" : "only in this page: do not close it";
  const count = status.waiting > 0 ? ` (${status.waiting} waiting)` : "";
  switch (status.kind) {
    case "new":
      return "Nothing to save yet";
    case "saved":
      return `Saved ${at(status.savedAt, language)}`;
    case "saving":
      return "Saving…";
    case "unsaved":
      return status.onDevice ? "Not sent yet" : `Not sent yet, ${kept}`;
    case "offline":
      return status.waiting > 0 ? `Offline, ${kept}${count}` : `Offline. Saved ${at(status.savedAt, language)}`;
    case "failed":
      return `Not saved: ${status.problem ?? "the service refused it"} ${status.waiting > 0 ? `It is ${kept}.` : ""}`.trim();
    case "review":
      return status.conflicts === 1 ? "Saved; one field needs a decision" : `Saved; ${status.conflicts} fields need a decision`;
    case "signed-out":
      return status.waiting > 0 ? `Signed out, ${kept}${count}` : "Signed out";
    case "closed":
      return `This draft is ${status.closed}${status.waiting > 0 ? `; what you typed since is ${kept}` : ""}`;
    case "gone":
      return status.waiting > 0 ? `This draft was deleted; what you typed is ${kept}` : "This draft was deleted";
  }
}

function at(time: string | null, language: string | undefined): string {
  if (time === null) return "";
  const day = new Date(time);
  const today = day.toDateString() === new Date().toDateString();
  return day.toLocaleString(language, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
