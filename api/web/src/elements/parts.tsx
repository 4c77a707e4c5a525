/** `<variorum-history>`, `<variorum-conflicts>` and `<variorum-drafts>`: React's components as elements. */
import { createRoot, type Root } from "react-dom/client";
import type { ComponentType } from "react";
import type { Client, DraftLine, DraftSession } from "../core";
import { ConflictReview } from "../react/ConflictReview";
import { DraftsProvider } from "../react/context";
import { DraftHistory } from "../react/DraftHistory";
import { DraftsList } from "../react/DraftsList";
import { OfDraft, type VariorumDraft } from "./draft";

abstract class Part extends OfDraft {
  protected abstract readonly component: ComponentType<{ readonly session: DraftSession }>;
  private root: Root | undefined;
  private shown: DraftSession | undefined;

  /** The component follows the draft by itself. */
  override show(session: DraftSession, client: Client): void {
    if (this.shown === session) return;
    this.shown = session;
    this.root ??= createRoot(this);
    const Shown = this.component;
    this.root.render(<DraftsProvider client={client}><Shown session={session} /></DraftsProvider>);
  }

  override gone(): void {
    this.root?.unmount();
    [this.root, this.shown] = [undefined, undefined];
  }
}

export class VariorumHistory extends Part {
  protected readonly component = DraftHistory;
}

export class VariorumConflicts extends Part {
  protected readonly component = ConflictReview;
}

/** Dispatches `variorum-choose` with the draft that somebody chose; of one form, by the attribute `form`. */
export class VariorumDrafts extends HTMLElement {
  private root: Root | undefined;

  /** The list works with the client that is given, or that of a `<variorum-draft>` around it. */
  set client(client: Client) {
    this.root ??= createRoot(this);
    const form = this.getAttribute("form");
    const choose = (draft: DraftLine) => this.dispatchEvent(new CustomEvent("variorum-choose", { detail: draft, bubbles: true }));
    this.root.render(<DraftsProvider client={client}><DraftsList {...(form && { form })} onOpen={choose} /></DraftsProvider>);
  }

  connectedCallback(): void {
    const around = this.closest<VariorumDraft>("variorum-draft");
    if (around) this.client = around.client;
  }

  disconnectedCallback(): void {
    this.root?.unmount();
    this.root = undefined;
  }
}
