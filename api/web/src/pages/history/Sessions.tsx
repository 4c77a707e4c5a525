/** The sessions of a draft, each with every save of it on demand. */

import { useState } from "react";
import type { Definition, Page, Session, VersionLine } from "../../parts/answers";
import { fieldsOf, labelAt } from "../../parts/forms";
import { useNow } from "../../parts/loading";
import { type Pages, usePages } from "../../parts/paging";
import { Who } from "../../parts/Who";
import { capital, count, person, several, span, time } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";
import { deviceNamed } from "../client";
import { setQuery, useQuery } from "../router";
import { type Known, useSite } from "../site";
import type { Labels } from "./labels";
import { type Span, isOf, isSame } from "./span";

interface Props {
  known: Known;
  sessions: Pages<Session, Page<Session>>;
  labels: Labels;
  picked: Span | null;
}

function pick({ from, to }: { from: number; to: number }): void {
  setQuery({ from: String(from), to: String(to), view: null });
  if (matchMedia("(max-width: 820px)").matches) document.querySelector(".comparison")?.scrollIntoView();
}

export function Sessions({ known, sessions, labels, picked }: Props) {
  const field = useQuery().get("field");
  return (
    <nav aria-label="Sessions" className="sessions">
      {field && (
        <p className="row small">
          <span className="grow">Only what changed {labelAt(known.form, field, known.draft.data)}</span>
          <button type="button" className="quiet small" onClick={() => setQuery({ field: null })}>
            Show all
          </button>
        </p>
      )}
      <ul className="plain sheet">
        {sessions.items.map((session) => (
          <SessionLine key={session.from} known={known} session={session} labels={labels} picked={picked} />
        ))}
        {!sessions.loading && sessions.items.length === 0 && (
          <li className="soft small">Nobody has changed that yet.</li>
        )}
        {sessions.more && (
          <li>
            <button type="button" className="quiet" onClick={sessions.more}>
              Show older sessions
            </button>
          </li>
        )}
      </ul>
    </nav>
  );
}

function SessionLine({
  known,
  session,
  labels,
  picked,
}: {
  known: Known;
  session: Session;
  labels: Labels;
  picked: Span | null;
}) {
  const { me } = useSite();
  const now = useNow();
  const [open, setOpen] = useState(false);
  const named = [...labels].filter(
    ([version, { by, device }]) =>
      version >= session.from && version <= session.to && by === session.by && device === session.device,
  );
  const current = isOf(picked, session);
  return (
    <li className={current ? "session picked" : "session"}>
      <button type="button" className="pick" aria-current={current ? "true" : undefined} onClick={() => pick(session)}>
        <Who by={session.by} />
        <span className="grow">
          <strong>{span(session.from_at, session.to_at, { now })}</strong>
          <span className="soft small lines">
            {person(session.by, me)}
            {session.device && ` · ${deviceNamed(session.device, "This device")}`} · {count(session.versions, "save")}
          </span>
          <span className="small lines">{whatOf(session, known.form)}</span>
        </span>
      </button>
      {named.map(([version, { name }]) => (
        <span key={version} className="pill label">
          {name}
        </span>
      ))}
      {session.versions > 1 && (
        <button type="button" className="quiet small saves" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide the saves" : `Show every save`}
          <span className="heard">
            {" "}
            of {person(session.by, me)}, {span(session.from_at, session.to_at, { now })}
          </span>
        </button>
      )}
      {open && <Saves known={known} session={session} labels={labels} picked={picked} />}
    </li>
  );
}

function whatOf(session: Session, form: Definition): string {
  const fields = fieldsOf(session.paths).map((path) => labelAt(form, path));
  return fields.length > 0 ? several(fields, 3) : capital(session.acts.map(said).join(", "));
}

function said(act: string): string {
  return act.replaceAll("_", " ");
}

function Saves({
  known,
  session,
  labels,
  picked,
}: {
  known: Known;
  session: Session;
  labels: Labels;
  picked: Span | null;
}) {
  const query = {
    by: session.by,
    from: session.from_at,
    to: session.to_at,
    ...(session.device !== null && { device: session.device }),
  };
  const saves = usePages<VersionLine>(
    (cursor) =>
      ask<Page<VersionLine>>(
        api.GET("/v1/drafts/{draft_id}/versions", {
          params: { path: { draft_id: known.draft.id }, query: { ...query, limit: 100, ...(cursor && { cursor }) } },
        }),
      ),
    [session.from],
    { news: session.to, keyOf: (line) => line.version },
  );
  const own = saves.items.filter((line) => line.device === session.device && line.version >= session.from);
  return (
    <>
      {saves.problem !== undefined && <p className="small">{sentenceOf(saves.problem)}</p>}
      <ol className="plain saves" reversed>
        {own.map((line) => (
          <SaveLine
            key={line.version}
            line={line}
            known={known}
            label={labels.get(line.version)?.name}
            current={isSame(picked, { from: line.version, to: line.version })}
          />
        ))}
      </ol>
      {saves.more && (
        <button type="button" className="quiet small" onClick={saves.more}>
          Show earlier saves
        </button>
      )}
    </>
  );
}

function SaveLine({
  line,
  known,
  label,
  current,
}: {
  line: VersionLine;
  known: Known;
  label: string | undefined;
  current: boolean;
}) {
  const fields = line.paths.map((path) => labelAt(known.form, path, known.draft.data));
  return (
    <li>
      <button
        type="button"
        className="pick save"
        aria-current={current ? "true" : undefined}
        onClick={() => pick({ from: line.version, to: line.version })}
      >
        <span className="soft">{line.version}</span>
        <span className="soft">{time(line.at)}</span>
        <span className="grow">
          {line.act !== "edited" && <em>{capital(said(line.act))} </em>}
          {several(fields, 2)}
          {line.reason && <span className="soft"> · {line.reason}</span>}
          {label && <span className="pill label">{label}</span>}
        </span>
      </button>
    </li>
  );
}
