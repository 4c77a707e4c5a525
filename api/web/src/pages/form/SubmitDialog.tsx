/** Finishing a draft: what it still lacks is told, and does not hinder. */

import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import { useAct, useLoaded } from "../../parts/loading";
import { count } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";
import { Trouble, Waiting } from "../site";

interface Gap {
  path: string;
  text: string;
  step: string | null;
}

interface Completeness {
  complete: boolean | null;
  gaps: Gap[];
}

interface Props {
  draft: string;
  title: string;
  conflicts: number;
  /** Bring everything typed to the service first. */
  save: () => Promise<void>;
  open: (step: string, path: string) => void;
  onClose: () => void;
  onDone: () => void;
}

export function SubmitDialog({ draft, title, conflicts, save, open, onClose, onDone }: Props) {
  const params = { path: { draft_id: draft } };
  const report = useLoaded(async () => {
    await save();
    return ask<Completeness>(api.GET("/v1/drafts/{draft_id}/completeness", { params }));
  }, [draft]);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const submit = () =>
    act(async () => {
      await ask(api.POST("/v1/drafts/{draft_id}/submit", { params }));
      notify({ text: `${title} is submitted. It takes no more edits; its history stays.` });
      onDone();
    });
  const gaps = report.value?.gaps ?? [];
  return (
    <Dialog title={`Submit ${title}`} onClose={onClose}>
      {report.problem !== undefined && <Trouble problem={report.problem} retry={report.reload} />}
      {!report.value && report.problem === undefined && <Waiting what="what is missing" />}
      {report.value && gaps.length === 0 && <p>Everything the form asks for is there.</p>}
      {gaps.length > 0 && (
        <>
          <p>The form asks for {count(gaps.length, "more thing")}:</p>
          <ul className="gaps">
            {gaps.map((gap) => (
              <li key={`${gap.path} ${gap.text}`}>
                {gap.text}{" "}
                {gap.step && (
                  <button type="button" className="quiet small" onClick={() => open(gap.step ?? "", gap.path)}>
                    Go there<span className="heard"> where {gap.text}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {conflicts > 0 && (
        <p className="stays">
          {count(conflicts, "field")} still wait{conflicts === 1 ? "s" : ""} for a decision between two values.
        </p>
      )}
      <p className="soft small hint">A submitted draft takes no more edits. Nothing of it is lost.</p>
      <div className="row actions">
        <button type="button" className="main" disabled={!report.value || busy} onClick={submit}>
          {gaps.length > 0 ? "Submit it as it is" : "Submit"}
        </button>
        <button type="button" onClick={onClose}>
          Go on editing
        </button>
      </div>
    </Dialog>
  );
}
