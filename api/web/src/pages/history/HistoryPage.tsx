/** The history of a draft: its sessions on one side, what changed in the chosen one on the other. */

import { useEffect, useState } from "react";
import type { Page, Session } from "../../parts/answers";
import { useLoaded, useNow } from "../../parts/loading";
import { usePages } from "../../parts/paging";
import { count } from "../../parts/words";
import { api, ask } from "../api";
import { DraftNav } from "../DraftNav";
import { setQuery, useQuery } from "../router";
import { Heading, type Known, Trouble, Waiting, fetchDraft, titleOf } from "../site";
import { Comparison } from "./Comparison";
import { FieldsView } from "./FieldsView";
import { Sessions } from "./Sessions";
import { fetchLabels } from "./labels";
import { type Span, isSame, spanOf } from "./span";

export function HistoryPage({ draft }: { draft: string }) {
  const known = useLoaded(() => fetchDraft(draft), [draft]);
  if (known.problem) return <Trouble problem={known.problem} retry={known.reload} />;
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
    [draft.id, draft.version, path],
  );
  const labels = useLoaded(() => fetchLabels(draft.id), [draft.id, draft.version]);
  const picked = usePicked(query, sessions.items);
  const title = titleOf(draft, form);
  const refresh = () => {
    reload();
    setQuery({ from: null, to: null, view: null, a: null, b: null }, { replace: true });
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
              onDone={refresh}
              onLabelled={reload}
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

/** What is chosen: what the address names, else the latest session. */
function usePicked(query: URLSearchParams, sessions: Session[]): Span | null {
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  const [last, setLast] = useState<Span | null>(null);
  const latest = sessions.find((one) => one.paths.length > 0) ?? sessions[0];
  const found =
    from > 0 && to >= from
      ? (sessions.map(spanOf).find((one) => isSame(one, { from, to })) ?? { from, to, whole: true, paths: [] })
      : latest && spanOf(latest);
  useEffect(() => {
    if (found) setLast(found);
  }, [found?.from, found?.to]);
  return found ?? last;
}
