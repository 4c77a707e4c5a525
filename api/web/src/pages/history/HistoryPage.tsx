/** The history of a draft: its sessions on one side, what changed in the chosen one on the other. */

import { useEffect, useRef } from "react";
import type { Page, Session } from "../../parts/answers";
import { announce } from "../../parts/Announcer";
import { useLoaded, useNow } from "../../parts/loading";
import { usePages } from "../../parts/paging";
import { count } from "../../parts/words";
import { api, ask } from "../api";
import { deviceHere } from "../client";
import { DraftNav } from "../DraftNav";
import { setQuery, useQuery } from "../router";
import { Heading, type Known, Trouble, Waiting, fetchDraft, titleOf, useSite } from "../site";
import { Comparison } from "./Comparison";
import { FieldsView } from "./FieldsView";
import { Sessions } from "./Sessions";
import { fetchLabels } from "./labels";
import { useNews } from "./news";
import { type Span, spanOf } from "./span";

export function HistoryPage({ draft }: { draft: string }) {
  const known = useLoaded(() => fetchDraft(draft), [draft]);
  if (known.problem && !known.value) return <Trouble problem={known.problem} retry={known.reload} />;
  if (!known.value) return <Waiting what="the history" />;
  return <History known={known.value} reload={known.reload} />;
}

function History({ known, reload }: { known: Known; reload: () => void }) {
  const { draft, form } = known;
  const query = useQuery();
  const byField = query.get("by") === "field";
  const path = query.get("field");
  const sessions = usePages<Session>(
    (cursor) =>
      ask<Page<Session>>(
        api.GET("/v1/drafts/{draft_id}/versions", {
          params: {
            path: { draft_id: draft.id },
            query: { grouped: true, limit: 30, ...(cursor && { cursor }), ...(path && { path }) },
          },
        }),
      ),
    [draft.id, path],
    { news: draft.version, keyOf: (session) => session.from },
  );
  const labels = useLoaded(() => fetchLabels(draft.id), [draft.id]);
  const picked = usePicked(query, sessions.items);
  const title = titleOf(draft, form);
  useAnnounced(sessions.items, path);
  useNews(draft, (acts) => {
    // The address names what is looked at, before there is a later one.
    if (picked && !query.get("from")) setQuery(placeOf(picked), { replace: true });
    if (acts.has("labelled") || acts.has("unlabelled")) labels.reload();
    reload();
  });
  const goOn = (version: number) => {
    reload();
    setQuery({ ...placeOf({ from: version, to: version }), view: null, a: null, b: null }, { replace: true });
  };
  const named = () => {
    reload();
    labels.reload();
  };
  return (
    <>
      <DraftNav draft={draft} current="history" />
      <Heading title={`History of ${title}`} />
      <p className="soft">
        {count(draft.version, "version")}, none thrown away.{" "}
        <Counts sessions={sessions.items} all={sessions.more === null && !path} />
      </p>
      <Tabs byField={byField} />
      {sessions.problem !== undefined && <Trouble problem={sessions.problem} retry={sessions.reload} />}
      {byField ? (
        <FieldsView known={known} />
      ) : (
        <div className="split">
          <Sessions known={known} sessions={sessions} labels={labels.value ?? new Map()} picked={picked} />
          {picked && (
            <Comparison
              known={known}
              span={picked}
              labels={labels.value ?? new Map()}
              onDone={goOn}
              onLabelled={named}
            />
          )}
        </div>
      )}
    </>
  );
}

function Counts({ sessions, all }: { sessions: Session[]; all: boolean }) {
  const now = useNow();
  if (!all || sessions.length === 0) return <>Lines are grouped by who worked on what device, the latest first.</>;
  const people = new Set(sessions.map((one) => one.by)).size;
  return (
    <>
      {count(sessions.length, "session")} by {count(people, "person", "people")}, the latest first{now ? "." : ""}
    </>
  );
}

function Tabs({ byField }: { byField: boolean }) {
  return (
    <div className="tabs" role="group" aria-label="Show the history">
      <button type="button" aria-pressed={!byField} onClick={() => setQuery({ by: null })}>
        By session
      </button>
      <button type="button" aria-pressed={byField} onClick={() => setQuery({ by: "field" })}>
        By field
      </button>
    </div>
  );
}

const placeOf = ({ from, to }: { from: number; to: number }) => ({ from: String(from), to: String(to) });

/** What is chosen: what the address names, as it was when it was first seen, else the latest session. */
function usePicked(query: URLSearchParams, sessions: Session[]): Span | null {
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  const seen = useRef(new Map<string, Span>());
  for (const one of sessions) seen.current.set(`${one.from} ${one.to}`, spanOf(one));
  const latest = sessions.find((one) => one.paths.length > 0) ?? sessions[0];
  const found =
    from > 0 && to >= from
      ? (seen.current.get(`${from} ${to}`) ?? { from, to, whole: true, paths: [] })
      : latest && spanOf(latest);
  const last = useRef<Span | null>(null);
  last.current = found ?? last.current;
  return last.current;
}

/** Tell of somebody who begins to work on the draft; how they go on is there to be read. */
function useAnnounced(sessions: Session[], path: string | null): void {
  const { me } = useSite();
  const known = useRef({ path, newest: 0 });
  useEffect(() => {
    const { newest } = known.current;
    const begun = sessions.filter((one) => one.from > newest && !isMine(one, me));
    if (newest > 0 && known.current.path === path) for (const one of begun) announce(`New: ${one.text}`);
    known.current = { path, newest: Math.max(newest, ...sessions.map((one) => one.from)) };
  }, [sessions.map((one) => one.from).join(" ")]);
}

function isMine({ by, device }: Session, me: string | null): boolean {
  return by === me && (device === null || device === deviceHere());
}
