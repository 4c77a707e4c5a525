/** The module that the service serves at `/client/variorum.js`: the core, and custom elements. */
import { VariorumDraft } from "./draft";
import { VariorumConflicts, VariorumDrafts, VariorumHistory } from "./parts";
import { VariorumStatus } from "./status";

export * from "../core";
export { bindForm } from "./fields";

const ELEMENTS: Record<string, CustomElementConstructor> = {
  "variorum-draft": VariorumDraft,
  "variorum-status": VariorumStatus,
  "variorum-history": VariorumHistory,
  "variorum-conflicts": VariorumConflicts,
  "variorum-drafts": VariorumDrafts,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
