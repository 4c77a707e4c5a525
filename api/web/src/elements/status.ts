/** `<variorum-status>`: how the draft around it stands, as one polite line. */
import { inWords, type DraftSession } from "../core";
import { OfDraft } from "./draft";

export class VariorumStatus extends OfDraft {
  override connectedCallback(): void {
    this.setAttribute("role", "status");
    super.connectedCallback();
  }

  override show(session: DraftSession): void {
    const { status } = session.snapshot();
    const words = inWords(status, this.lang || undefined);
    if (this.textContent !== words) this.textContent = words;
    this.dataset["status"] = status.kind;
    this.dataset["waiting"] = String(status.waiting);
  }

  override fail(error: Error): void {
    super.fail(error);
    this.dataset["status"] = "failed";
  }
}
