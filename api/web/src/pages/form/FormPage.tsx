/** The form: several steps, saved while it is filled in, with whoever else is there. */

import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { createPortal } from "react-dom";
import type { DraftSession, Snapshot } from "../../core";
import { announce } from "../../parts/Announcer";
import type { Definition, Draft, Step } from "../../parts/answers";
import { StatusLine } from "../../parts/StatusLine";
import { useLoaded } from "../../parts/loading";
import { Who } from "../../parts/Who";
import { listed, person } from "../../parts/words";
import { DraftNav } from "../DraftNav";
import { type Kept, useSession } from "../client";
import { LabelDialog } from "../history/LabelButton";
import { addressOf, go, useQuery } from "../router";
import { Heading, Trouble, Waiting, definitionOf, titleOf, useSite } from "../site";
import { tokens } from "../tokens";
import { Beside } from "./Beside";
import { inputId } from "./Field";
import { Gone } from "./Gone";
import { Late } from "./Late";
import { StepFields, StepNav, stepsOf } from "./Steps";
import { SubmitDialog } from "./SubmitDialog";
import { Unsent } from "./Unsent";
import { type Edit, EditContext } from "./edit";
import { putAt } from "./put";

export function FormPage({ draft }: { draft: string }) {
  const { session, kept, problem } = useSession(draft);
  if (problem !== undefined) return <Trouble problem={problem} />;
  if (session === null) return <Waiting what="the form" />;
  return <Form session={session} kept={kept} />;
}

function Form({ session, kept }: { session: DraftSession; kept: Kept | null }) {
  const now = useSyncExternalStore(session.subscribe, session.snapshot);
  const form = useLoaded(() => definitionOf(now.about?.form ?? ""), [now.about?.form]);
  if (form.problem) return <Trouble problem={form.problem} retry={form.reload} />;
  if (!form.value) return <Waiting what="the form" />;
  return <Filling session={session} now={now} form={form.value} kept={kept} />;
}

interface Props {
  session: DraftSession;
  now: Snapshot;
  form: Definition;
  kept: Kept | null;
}

/** The draft as the other parts of the page know it. */
function draftOf(now: Snapshot): Draft | null {
  const { about, data, step, completed_steps, version, conflicts } = now;
  return about && { ...about, data, step, completed_steps, version, conflicts };
}

function Filling({ session, now, form, kept }: Props) {
  const draft = draftOf(now);
  const steps = stepsOf(form, now.data);
  const [arrived, setArrived] = useState(false);
  const [dialog, setDialog] = useState<"label" | "submit" | null>(null);
  const asked = useQuery().get("step");
  const [at, setAt] = useState(asked ?? now.step);
  const step = steps.find((one) => one.id === at) ?? steps[0];
  const here = useHere(session);
  const edit = useEditing(session, now, form, step?.label ?? "");
  const titled = String(now.data[(form.title ?? "/title").slice(1)] ?? "");
  const title = titleOf({ title: titled, form: form.form }, form);
  if (!step || !draft) return <Waiting what="the form" />;
  const open = (id: string, completed?: readonly string[]) => {
    setArrived(true);
    setAt(id);
    if (!edit.readOnly) session.goTo(id, completed);
  };
  return (
    <EditContext value={edit}>
      <StatusPlace session={session} now={now} />
      <DraftNav draft={draft} current="form" />
      <div className="row wrap page-head">
        <div className="grow">
          <Heading title={title} />
          <Present now={now} draft={draft} />
        </div>
        {!edit.readOnly && (
          <div className="row">
            <button type="button" onClick={() => setDialog("label")}>
              Name this version…
            </button>
            <button type="button" className="main" onClick={() => setDialog("submit")}>
              Submit…
            </button>
          </div>
        )}
      </div>
      <Closed session={session} now={now} draft={draft} />
      {kept && draft.status === "open" && !isGone(now) && <Unsent session={session} form={form} kept={kept} />}
      <StepNav steps={steps} current={step} completed={now.completed_steps} open={(id) => open(id)} />
      <div className="split form-split">
        <section
          className="sheet step-fields"
          aria-label={step.label ?? step.id}
          onFocus={(event) => here(placeOf(event.target))}
          onBlur={() => here(null)}
        >
          <StepFields form={form} step={step} arrived={arrived} />
          {!edit.readOnly && (
            <Onward steps={steps} step={step} now={now} open={open} finish={() => setDialog("submit")} />
          )}
        </section>
        {!isGone(now) && <Beside draft={draft} form={form} title={title} />}
      </div>
      {dialog === "label" && <LabelNow session={session} draft={draft} onClose={() => setDialog(null)} />}
      {dialog === "submit" && (
        <SubmitDialog
          draft={draft.id}
          title={title}
          conflicts={now.conflicts.length}
          save={() => settled(session)}
          open={(id, path) => {
            setDialog(null);
            open(id);
            focusField(path);
          }}
          onClose={() => setDialog(null)}
          onDone={() => {
            setDialog(null);
            session.look();
            go(addressOf.drafts);
          }}
        />
      )}
    </EditContext>
  );
}

/** The service has nothing of the draft any more. */
function isGone(now: Snapshot): boolean {
  return now.status.kind === "gone";
}

/** Wait until nothing typed waits any more. */
async function settled(session: DraftSession): Promise<void> {
  if (session.hasUnsent()) await session.save();
}

function useEditing(session: DraftSession, now: Snapshot, form: Definition, step: string): Edit {
  const { me } = useSite();
  const { about, data, conflicts, present } = now;
  const gone = isGone(now);
  return useMemo<Edit>(() => {
    const may = !gone && about?.status === "open" && (about.role === "owner" || about.role === "editor");
    return {
      form,
      data,
      step,
      readOnly: !may,
      set: (path, value) => session.change(putAt(session.snapshot().data, path, value)),
      othersAt: (path) => [
        ...new Set(present.filter((one) => one.path === path && one.user !== me).map((one) => one.user)),
      ],
      conflicts,
      review: addressOf.conflicts(now.id),
    };
  }, [session, form, step, about, gone, data, conflicts, present, me, now.id]);
}

/** Others believe that somebody is here for as long as it is said again. */
const AGAIN = 20_000;

/** Tells at which field somebody is, when that changes and now and then. */
function useHere(session: DraftSession): (path: string | null) => void {
  const place = useRef<string | null>(null);
  useEffect(() => {
    const say = () => document.hidden || session.here(place.current);
    const ticking = setInterval(say, AGAIN);
    say();
    return () => clearInterval(ticking);
  }, [session]);
  return (path) => {
    if (path === place.current) return;
    place.current = path;
    session.here(path);
  };
}

function placeOf(target: Element): string | null {
  return target.closest<HTMLElement>("[data-path]")?.dataset.path ?? null;
}

function focusField(path: string): void {
  requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(inputId(path))?.focus()));
}

/** The status stands at the top of every page width, where the page's frame keeps a place for it. */
function StatusPlace({ session, now }: { session: DraftSession; now: Snapshot }) {
  const [place, setPlace] = useState<HTMLElement | null>(null);
  useEffect(() => setPlace(document.getElementById("status-place")), []);
  const retry = () => (now.status.kind === "signed-out" ? tokens.forget() : session.resume());
  return place && createPortal(<StatusLine status={now.status} onAct={retry} />, place);
}

function Present({ now, draft }: { now: Snapshot; draft: Draft }) {
  const { me } = useSite();
  const others = [...new Set(now.present.map((one) => one.user).filter((by) => by !== me))];
  const said =
    others.length === 0 ? "" : `${listed(others.map((one) => person(one)))} ${others.length === 1 ? "is" : "are"} here`;
  useEffect(() => {
    if (said) announce(said);
  }, [said]);
  return (
    <p className="soft people">
      {others.map((one) => (
        <Who key={one} by={one} here />
      ))}
      {said || (isGone(now) ? "" : alone(draft, me))}
    </p>
  );
}

/** What is said where nobody else is. */
function alone({ owner, status }: Draft, me: string | null): string {
  if (owner !== me) return `${person(owner)} shares it with you.`;
  return status === "open" ? "It saves by itself." : "";
}

const CLOSED = {
  submitted: "This draft is submitted, and takes no more edits.",
  discarded: "This draft is in the trash. Put it back from your drafts to go on with it.",
  expired: "This draft has expired. Put it back from the trash to go on with it.",
} as const;

function Closed({ session, now, draft }: { session: DraftSession; now: Snapshot; draft: Draft }) {
  const { closed, waiting, kind } = now.status;
  if (kind === "gone") return <Gone session={session} waiting={waiting} />;
  if (closed && waiting > 0) return <Late session={session} closed={closed} />;
  if (closed) return <p className="strip">{CLOSED[closed]}</p>;
  if (draft.role === "viewer" || draft.role === "auditor")
    return <p className="strip">You may look at this draft, but not change it.</p>;
  return null;
}

interface OnwardProps {
  steps: Step[];
  step: Step;
  now: Snapshot;
  open: (step: string, completed?: readonly string[]) => void;
  finish: () => void;
}

/** One step back, or on to the next with this one done. */
function Onward({ steps, step, now, open, finish }: OnwardProps) {
  const at = steps.indexOf(step);
  const [before, after] = [steps[at - 1], steps[at + 1]];
  const completed = [...new Set([...now.completed_steps, step.id])];
  return (
    <div className="row wrap">
      {before && (
        <button type="button" onClick={() => open(before.id)}>
          ← {before.label ?? before.id}
        </button>
      )}
      {after ? (
        <button type="button" className="main" onClick={() => open(after.id, completed)}>
          On to {after.label ?? after.id} →
        </button>
      ) : (
        <button
          type="button"
          className="main"
          onClick={() => {
            open(step.id, completed);
            finish();
          }}
        >
          Done, submit…
        </button>
      )}
    </div>
  );
}

/** A name for how the form is now: what is typed is saved first, so that the name is on all of it. */
function LabelNow({ session, draft, onClose }: { session: DraftSession; draft: Draft; onClose: () => void }) {
  const ready = useLoaded(() => settled(session), []);
  if (ready.problem) return <Trouble problem={ready.problem} />;
  if (ready.loading) return null;
  const done = () => {
    onClose();
    void session.look();
  };
  return (
    <LabelDialog draft={draft} version={session.snapshot().version} label={undefined} onClose={onClose} onDone={done} />
  );
}
