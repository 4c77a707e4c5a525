/** React's skin over the core. */
export { DraftsProvider, useClient } from "./context";
export { useDraft, useDraftValue, type OpenDraft } from "./draft";
export { ConflictReview } from "./ConflictReview";
export { DraftHistory } from "./DraftHistory";
export { DraftsList } from "./DraftsList";
export { DraftStatus } from "./DraftStatus";
export { useGigFormPersistence, type GigFormPersistence } from "./gig";
export { useFormDraft } from "./hookForm";
