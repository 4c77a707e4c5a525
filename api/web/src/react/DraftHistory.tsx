/** Who changed what when, session by session; any version can be brought back. */
import { useCallback, useRef, useState } from "react";
import type { Api, Change, DraftSession, Page } from "../core";
import { usePages } from "../parts/paging";
import { useClient } from "./context";
import { useDraftValue } from "./draft";

interface Sitting {
  readonly from: number;
  readonly to: number;
  readonly from_at: string;
  readonly to_at: string;
  readonly by: string;
  readonly device: string | null;
  readonly text: string;
}

interface Version {
  readonly version: number;
  readonly at: string;
  readonly device: string | null;
  readonly text: string;
  readonly changes: readonly Change[];
}

/** Lines that are fetched at once: sessions, and saves of one. */
const SITTINGS = 30;
const SAVES = 20;

/** The history of a draft, newest first; what is saved meanwhile is added to it. */
export function DraftHistory({ session }: { readonly session: DraftSession }) {
  const { api } = useClient();
  const id = useDraftValue(session, (snapshot) => (snapshot.version > 0 ? snapshot.id : null));
  const version = useDraftValue(session, (snapshot) => snapshot.version);
  const [problem, setProblem] = useState("");
  const sittings = usePages<Sitting>(
    async (cursor) => (id ? api.get(`/drafts/${id}/versions`, { query: { grouped: true, limit: SITTINGS, cursor } }) : NOTHING),
    [api, id],
    { news: version, keyOf: ({ from }) => from },
  );
  const told = useTold(api, id ?? "");

  const restore = useCallback(
    (wanted: number) =>
      session.after((draft) => api.post(`/drafts/${draft}/restore`, { version: wanted })).then(
        () => setProblem(""),
        (error: Error) => setProblem(error.message),
      ),
    [api, session],
  );

  return (
    <section aria-label="History">
      <Failed problem={problem || sittings.problem} />
      {!id || sittings.items.length === 0 ? <p>Nothing is saved yet.</p> : (
        <ol className="plain">
          {sittings.items.map((one) => (
            <li key={one.from}><SittingLine api={api} id={id} sitting={one} told={told} onRestore={restore} /></li>
          ))}
        </ol>
      )}
      {sittings.more && <button type="button" onClick={sittings.more}>Older</button>}
    </section>
  );
}

const NOTHING: Page<never> = { items: [], next_cursor: null };

function Failed({ problem }: { readonly problem: unknown }) {
  return problem ? <p role="alert">{problem instanceof Error ? problem.message : String(problem)}</p> : null;
}

/** Tells a version in words and values; none is asked for twice, since what was saved never changes. */
function useTold(api: Api, id: string): (version: number) => Promise<Version> {
  const known = useRef(new Map<string, Promise<Version>>());
  return useCallback((version) => {
    const path = `/drafts/${id}/versions/${version}`;
    const asked = known.current.get(path) ?? api.get<Version>(path);
    known.current.set(path, asked);
    asked.catch(() => known.current.delete(path));
    return asked;
  }, [api, id]);
}

interface LineProps {
  readonly api: Api;
  readonly id: string;
  readonly sitting: Sitting;
  readonly told: (version: number) => Promise<Version>;
  readonly onRestore: (version: number) => void;
}

/** One session; its saves are fetched when it is opened. */
function SittingLine(props: LineProps) {
  const { text, to_at } = props.sitting;
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {text} · <time dateTime={to_at}>{inWords(to_at)}</time>
      </summary>
      {open && <Saves {...props} />}
    </details>
  );
}

function Saves({ api, id, sitting, told, onRestore }: LineProps) {
  const { from, to } = sitting;
  const saves = usePages<Version>((cursor) => savesOf(api, id, sitting, told, cursor), [api, id, from], {
    news: to,
    keyOf: ({ version }) => version,
  });
  return (
    <>
      <Failed problem={saves.problem} />
      {saves.loading && saves.items.length === 0 && <p>Loading…</p>}
      <ol className="plain">
        {saves.items.map((one) => (
          <li key={one.version}>
            <time dateTime={one.at}>{inWords(one.at)}</time> {one.text}{" "}
            <button type="button" onClick={() => onRestore(one.version)}>Bring version {one.version} back</button>
          </li>
        ))}
      </ol>
      {saves.more && <button type="button" onClick={saves.more}>Earlier saves</button>}
    </>
  );
}

/** A page of a session's saves; those of other devices of the same person may lie between them. */
async function savesOf(
  api: Api, id: string, { from, from_at, to_at, by, device }: Sitting, told: LineProps["told"], cursor: string | undefined,
): Promise<Page<Version>> {
  const query = { by, device, from: from_at, to: to_at, limit: SAVES, cursor };
  const { items, next_cursor } = await api.get<Page<Version>>(`/drafts/${id}/versions`, { query });
  const own = items.filter((one) => one.version >= from && one.device === device);
  return { items: await Promise.all(own.map((one) => told(one.version))), next_cursor };
}

function inWords(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
