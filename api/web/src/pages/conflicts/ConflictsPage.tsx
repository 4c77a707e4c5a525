/** What clashed in a draft, one at a time: every value with whose it is, nothing chosen beforehand. */

import { useEffect, useRef, useState } from "react";
import type { Conflict, Page, Side } from "../../parts/answers";
import { useLoaded } from "../../parts/loading";
import { capital, count } from "../../parts/words";
import { DraftNav } from "../DraftNav";
import { versionOf } from "../history/labels";
import { api, ask } from "../api";
import { Link, addressOf } from "../router";
import { Heading, type Known, Trouble, Waiting, fetchDraft, titleOf } from "../site";
import { Combined } from "./Combined";
import { Decision, type Decided } from "./Decision";

interface Open extends Known {
  conflicts: readonly Conflict[];
}

async function fetchOpen(draft: string): Promise<Open> {
  const params = { path: { draft_id: draft }, query: { limit: 100 } };
  const [known, page] = await Promise.all([
    fetchDraft(draft),
    ask<Page<Conflict>>(api.GET("/v1/drafts/{draft_id}/conflicts", { params })),
  ]);
  const conflicts = await Promise.all(page.items.map((one) => withReasons(draft, one)));
  return { ...known, conflicts };
}

/** Each side with the reason that came with its save. */
async function withReasons(draft: string, conflict: Conflict): Promise<Conflict> {
  const told = async (side: Side) => ({ ...side, reason: (await versionOf(draft, side.version)).reason });
  const [ours, ...theirs] = await Promise.all([told(conflict.ours), ...conflict.theirs.map(told)]);
  return { ...conflict, ours, theirs };
}

export function ConflictsPage({ draft }: { draft: string }) {
  const open = useLoaded(() => fetchOpen(draft), [draft]);
  if (open.problem) return <Trouble problem={open.problem} retry={open.reload} />;
  if (!open.value) return <Waiting what="what is to decide" />;
  return <Conflicts open={open.value} reload={open.reload} />;
}

function Conflicts({ open, reload }: { open: Open; reload: () => void }) {
  const { draft, form, conflicts } = open;
  const [skipped, setSkipped] = useState<ReadonlySet<string>>(new Set());
  const [decided, setDecided] = useState<Decided[]>([]);
  const place = useRef<HTMLElement>(null);
  const waiting = [
    ...conflicts.filter((one) => !skipped.has(one.id)),
    ...conflicts.filter((one) => skipped.has(one.id)),
  ];
  const current = waiting[0];
  const moved = useRef(false);
  useEffect(() => {
    if (moved.current) place.current?.querySelector<HTMLElement>("h2")?.focus();
  }, [current?.id]);
  const decide = (one: Decided) => {
    moved.current = true;
    setDecided([...decided, one]);
    reload();
  };
  const skip = (id: string) => {
    moved.current = true;
    const rest = new Set(skipped);
    rest.delete(id);
    setSkipped(new Set([...rest, id]));
    if (conflicts.length === 1) setSkipped(new Set());
  };
  return (
    <div className="narrow">
      <DraftNav draft={draft} waiting={conflicts.length} current="conflicts" />
      <Heading title={headline(conflicts.length)} small={titleOf(draft, form)} />
      <p className="soft">
        {conflicts.length === 0
          ? "Wherever several people or devices changed this draft, their changes fitted together, or somebody has decided."
          : "These fields were changed in two places at once, and the changes say different things. All else was combined. Every value is kept until somebody decides, and you can come back later."}
      </p>
      {decided.length > 0 && <Results decided={decided} />}
      <section ref={place} aria-label="To decide">
        {current && (
          <Decision
            key={current.id}
            known={open}
            conflict={current}
            place={decided.length + 1}
            total={decided.length + conflicts.length}
            onDecided={decide}
            onSkip={conflicts.length > 1 ? () => skip(current.id) : null}
          />
        )}
      </section>
      {conflicts.length === 0 ? (
        <p className="row wrap">
          <Link className="button main" href={addressOf.form(draft.id)}>
            Go on with the form
          </Link>
          <Link className="button" href={addressOf.history(draft.id)}>
            Look at the history
          </Link>
        </p>
      ) : (
        <Combined known={open} conflicts={conflicts} />
      )}
    </div>
  );
}

const NUMBERS = ["", "", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];

function headline(n: number): string {
  if (n === 0) return "Nothing is left to decide";
  if (n === 1) return "One change needs you";
  return `${NUMBERS[n] ?? n} changes need you`;
}

/** What was decided on this visit. */
function Results({ decided }: { decided: Decided[] }) {
  return (
    <div className="sheet results">
      <h2 className="small-heading">{capital(count(decided.length, "decision"))} made</h2>
      <ul className="items">
        {decided.map((one) => (
          <li key={one.version}>
            <span className="tick" aria-hidden="true">
              ✓
            </span>{" "}
            {one.text}
          </li>
        ))}
      </ul>
    </div>
  );
}
