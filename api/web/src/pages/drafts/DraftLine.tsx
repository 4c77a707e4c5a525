/** One draft in the list: where it stands, how long it keeps, and what can be done with it. */

import { useState } from "react";
import { notify } from "../../parts/Announcer";
import { type Item, Menu } from "../../parts/Menu";
import type { Summary } from "../../parts/answers";
import { useAct, useLoaded, useNow } from "../../parts/loading";
import { Who } from "../../parts/Who";
import { ago, person, until } from "../../parts/words";
import { sentenceOf } from "../api";
import { deviceNamed } from "../client";
import { Link, addressOf, go } from "../router";
import { definitionOf, titleOf, useSite } from "../site";
import { beginAnother } from "./NewDraft";
import { PurgeDialog } from "./PurgeDialog";
import { ShareDialog } from "./ShareDialog";
import { discard, extend, makeTemplate, recover } from "./acts";
import type { Listed } from "./lists";

interface Props {
  draft: Summary;
  list: Listed;
  changed: () => void;
}

type Open = "share" | "purge" | null;

export function DraftLine({ draft, list, changed }: Props) {
  const form = useLoaded(() => definitionOf(draft.form), [draft.form]).value;
  const [open, setOpen] = useState<Open>(null);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const title = titleOf(draft, form);
  const run = (task: () => Promise<void>) =>
    act(async () => {
      await task();
      changed();
    });
  return (
    <li className="draft">
      <div className="grow">
        <h2>
          <Link href={resumeAt(draft)}>{title}</Link>
        </h2>
        <Standing draft={draft} />
      </div>
      <Pills draft={draft} list={list} keep={() => run(() => extend(draft.id, title))} busy={busy} />
      <Main draft={draft} list={list} title={title} run={run} />
      <Menu label={`More for ${title}`} items={itemsFor(draft, list, title, run, changed, setOpen)} />
      {open === "share" && (
        <ShareDialog
          draft={draft}
          title={title}
          onClose={() => setOpen(null)}
          onHandedOver={() => {
            setOpen(null);
            changed();
          }}
        />
      )}
      {open === "purge" && (
        <PurgeDialog
          draft={draft}
          title={title}
          onClose={() => setOpen(null)}
          onDone={() => {
            setOpen(null);
            changed();
          }}
        />
      )}
    </li>
  );
}

function Standing({ draft }: { draft: Summary }) {
  const { me } = useSite();
  const now = useNow();
  const saved = `saved ${ago(draft.saved_at, { now })}`;
  const by = draft.saved_by === me ? "" : ` by ${person(draft.saved_by)}`;
  const on = draft.saved_device ? ` on ${deviceNamed(draft.saved_device)}` : "";
  const filled = draft.fields ? `${draft.filled ?? 0} of ${draft.fields} fields` : null;
  const parts = [stepOf(draft), filled, saved + by + on, draft.subject && `for ${draft.form} ${draft.subject}`];
  return (
    <p className="soft small">
      {parts.filter(Boolean).join(" · ")}
      {draft.owner !== me && (
        <span className="owner">
          {" · "}
          <Who by={draft.owner} /> {person(draft.owner)} shares it{draft.role === "viewer" && ", you may look"}
        </span>
      )}
    </p>
  );
}

function stepOf({ step_number, steps, step_label }: Summary): string | null {
  if (!step_number) return null;
  return `Step ${step_number} of ${steps}${step_label ? `, ${step_label}` : ""}`;
}

/** The address at which a draft is gone on with: its step that is not done yet. */
function resumeAt({ id, resume, step }: Summary): string {
  return addressOf.form(id) + (resume && resume !== step ? `?step=${encodeURIComponent(resume)}` : "");
}

function Pills({ draft, list, keep, busy }: { draft: Summary; list: Listed; keep: () => void; busy: boolean }) {
  const now = useNow();
  const ends = until(draft.expires_at, { now });
  const open = draft.status === "open" && !draft.template;
  const may = draft.role === "owner" || draft.role === "editor";
  return (
    <div className="pills">
      {draft.conflicts > 0 && (
        <Link href={addressOf.conflicts(draft.id)} className="pill warn">
          {draft.conflicts} to review
        </Link>
      )}
      {list === "trash" && <span className="pill">{draft.status === "expired" ? "expired" : "discarded"}</span>}
      {list === "submitted" && <span className="pill good">submitted</span>}
      {open && <span className={ends.soon ? "pill warn" : "pill"}>expires {ends.text}</span>}
      {open && ends.soon && may && (
        <button type="button" className="quiet small" disabled={busy} onClick={keep}>
          Keep longer
        </button>
      )}
    </div>
  );
}

interface MainProps {
  draft: Summary;
  list: Listed;
  title: string;
  run: (task: () => Promise<void>) => void;
}

/** What somebody most likely wants to do. */
function Main({ draft, list, title, run }: MainProps) {
  const named = <span className="heard"> {title}</span>;
  if (list === "templates") {
    return (
      <button type="button" onClick={() => run(() => beginAnother({ form: draft.form, from_template: draft.id }))}>
        Start from it{named}
      </button>
    );
  }
  if (list === "trash" && draft.role === "owner") {
    return (
      <button type="button" onClick={() => run(() => recover(draft.id, title))}>
        Put back{named}
      </button>
    );
  }
  const going = draft.status === "open" && draft.role !== "viewer";
  return (
    <Link className="button" href={resumeAt(draft)}>
      {going ? "Continue" : "Look"}
      {named}
    </Link>
  );
}

function itemsFor(
  draft: Summary,
  list: Listed,
  title: string,
  run: MainProps["run"],
  changed: () => void,
  setOpen: (open: Open) => void,
): Item[] {
  const owner = draft.role === "owner";
  const open = draft.status === "open";
  const items: (Item | false)[] = [
    open && list === "templates" && { label: "Edit the template", do: () => go(addressOf.form(draft.id)) },
    { label: "History", do: () => go(addressOf.history(draft.id)) },
    draft.conflicts > 0 && { label: "Review what clashed", do: () => go(addressOf.conflicts(draft.id)) },
    owner && open && { label: "Share…", do: () => setOpen("share") },
    owner &&
      open &&
      !draft.template && { label: "Make it a template", do: () => run(() => makeTemplate(draft.id, title, true)) },
    owner &&
      open &&
      draft.template && { label: "Make it a draft again", do: () => run(() => makeTemplate(draft.id, title, false)) },
    draft.role !== "viewer" &&
      open &&
      !draft.template && { label: "Keep it longer", do: () => run(() => extend(draft.id, title)) },
    owner && open && { label: "Move to the trash", bad: true, do: () => run(() => discard(draft.id, title, changed)) },
    owner && !open && { label: "Delete for good…", bad: true, do: () => setOpen("purge") },
  ];
  return items.filter((item) => item !== false);
}
