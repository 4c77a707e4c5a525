/** What a restore or an undo would do, tried by the service itself, before it is done. */

import { ChangedField } from "../../parts/Changes";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import type { Definition, Receipt } from "../../parts/answers";
import { grouped } from "../../parts/changes";
import { labelAt } from "../../parts/forms";
import { useAct, useLoaded } from "../../parts/loading";
import { listed } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";
import { type Known, Trouble, Waiting } from "../site";

export type Wish =
  { kind: "restore"; version: number; paths?: string[] } | { kind: "undo"; from: number; to: number; paths?: string[] };

interface Props {
  known: Known;
  wish: Wish;
  onClose: () => void;
  /** It was done, by this version. */
  onDone: (version: number) => void;
}

function carryOut(draft: string, wish: Wish, dryRun: boolean): Promise<Receipt> {
  const params = { path: { draft_id: draft } };
  const rest = { dry_run: dryRun, ...(wish.paths && { paths: wish.paths }) };
  if (wish.kind === "restore") {
    return ask(api.POST("/v1/drafts/{draft_id}/restore", { params, body: { version: wish.version, ...rest } }));
  }
  const { from, to } = wish;
  return ask(api.POST("/v1/drafts/{draft_id}/undo", { params, body: { version: from, through: to, ...rest } }));
}

const nameOf = (wish: Wish) =>
  wish.kind === "restore"
    ? `Restore version ${wish.version}`
    : wish.from === wish.to
      ? `Undo version ${wish.to}`
      : `Undo versions ${wish.from} to ${wish.to}`;

export function Preview({ known, wish, onClose, onDone }: Props) {
  const { draft, form } = known;
  const tried = useLoaded(() => carryOut(draft.id, wish, true), []);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const confirm = () =>
    act(async () => {
      const receipt = await carryOut(draft.id, wish, false);
      onDone(receipt.version);
      tell(draft.id, wish, receipt, onDone);
    });
  const nothing = tried.value?.changes.length === 0;
  return (
    <Dialog title={nameOf(wish)} onClose={onClose} wide>
      {tried.problem !== undefined && <Trouble problem={tried.problem} retry={tried.reload} />}
      {!tried.value && tried.problem === undefined && <Waiting what="the preview" />}
      {tried.value && <Effect receipt={tried.value} form={form} known={known} />}
      <div className="row actions">
        <button type="button" className="main" disabled={!tried.value || nothing || busy} onClick={confirm}>
          {wish.kind === "restore" ? "Restore" : "Undo"}
        </button>
        <button type="button" onClick={onClose}>
          {nothing ? "Close" : "Leave it as it is"}
        </button>
      </div>
    </Dialog>
  );
}

function Effect({ receipt, form, known }: { receipt: Receipt; form: Definition; known: Known }) {
  const groups = grouped(receipt.changes, form);
  const stay = (outcome: string) =>
    (receipt.outcomes ?? [])
      .filter((one) => one.outcome === outcome)
      .map((one) => labelAt(form, one.path, known.draft.data));
  const [superseded, dependent] = [stay("superseded"), stay("dependent")];
  return (
    <>
      <p>
        {groups.length === 0
          ? "Nothing would change: the form is like that already."
          : "This will change, from how it is now:"}
      </p>
      {groups.map((group) => (
        <ChangedField key={group.key} group={group} form={form} />
      ))}
      {superseded.length > 0 && <p className="stays">{listed(superseded)} will stay: changed again since then.</p>}
      {dependent.length > 0 && <p className="stays">{listed(dependent)} will stay: the place it belongs to is gone.</p>}
    </>
  );
}

/** Say what was done, and offer to take that back too. */
function tell(draft: string, wish: Wish, receipt: Receipt, onDone: (version: number) => void): void {
  const done = wish.kind === "restore" ? "Restored" : "Undone";
  if (!receipt.recorded) return notify({ text: "Nothing was left to change." });
  const back = async () => {
    const { version } = await carryOut(draft, { kind: "undo", from: receipt.version, to: receipt.version }, false);
    onDone(version);
    notify({ text: "Taken back. It is as it was before." });
  };
  const takeBack = () => void back().catch((problem: unknown) => notify({ text: sentenceOf(problem), bad: true }));
  notify({ text: `${done}, as version ${receipt.version}.`, act: { label: "Take that back", do: takeBack } });
}
