/** Who changed what when, session by session; any version can be brought back. */
import { useCallback, useEffect, useState } from "react";
import type { Api, Change, DraftSession, Page } from "../core";
import { useClient } from "./context";
import { useDraftValue } from "./draft";

interface Sitting {
  readonly from: number;
  readonly to: number;
  readonly to_at: string;
  readonly by: string;
  readonly device: string | null;
  readonly versions: number;
  readonly text: string;
}

interface Version {
  readonly version: number;
  readonly at: string;
  readonly text: string;
  readonly changes: readonly Change[];
}

/** The history of a draft, newest first, which follows what is saved. */
export function DraftHistory({ session }: { readonly session: DraftSession }) {
  const { api } = useClient();
  const id = useDraftValue(session, (snapshot) => (snapshot.version > 0 ? snapshot.id : null));
  const version = useDraftValue(session, (snapshot) => snapshot.version);
  const [sittings, setSittings] = useState<readonly Sitting[]>([]);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    let over = false;
    if (!id) return undefined;
    api.get<Page<Sitting>>(`/drafts/${id}/versions`, { query: { grouped: true } }).then(
      ({ items }) => over || (setSittings(items), setProblem("")),
      (error: Error) => over || setProblem(error.message),
    );
    return () => void (over = true);
  }, [api, id, version]);

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
      {problem && <p role="alert">{problem}</p>}
      {!id || sittings.length === 0 ? <p>Nothing is saved yet.</p> : (
        <ol className="plain">
          {sittings.map((one) => (
            <li key={one.from}><SittingLine api={api} id={id} sitting={one} onRestore={restore} /></li>
          ))}
        </ol>
      )}
    </section>
  );
}

interface LineProps {
  readonly api: Api;
  readonly id: string;
  readonly sitting: Sitting;
  readonly onRestore: (version: number) => void;
}

/** One session; its saves are fetched when it is opened. */
function SittingLine({ api, id, sitting, onRestore }: LineProps) {
  const { from, to, to_at, text, versions: count } = sitting;
  const [open, setOpen] = useState(false);
  const [versions, setVersions] = useState<readonly Version[] | null>(null);

  useEffect(() => {
    let over = false;
    if (!open) return undefined;
    void versionsOf(api, id, sitting).then((found) => over || setVersions(found), () => over || setVersions([]));
    return () => void (over = true);
    // A session that goes on has another end.
  }, [api, id, open, from, to, count]);

  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {text} · <time dateTime={to_at}>{inWords(to_at)}</time>
      </summary>
      {open && versions === null && <p>Loading…</p>}
      <ol className="plain">
        {versions?.map((one) => (
          <li key={one.version}>
            <time dateTime={one.at}>{inWords(one.at)}</time> {one.text}{" "}
            <button type="button" onClick={() => onRestore(one.version)}>Bring version {one.version} back</button>
          </li>
        ))}
      </ol>
    </details>
  );
}

/** Sessions of several devices overlap in their versions: only those of this one are shown. */
async function versionsOf(api: Api, id: string, { from, to, by, device }: Sitting): Promise<Version[]> {
  const query = { limit: 200, ...(device && { device }), by };
  const { items } = await api.get<Page<Version & { readonly device: string | null }>>(`/drafts/${id}/versions`, { query });
  const own = items.filter((one) => one.version >= from && one.version <= to && one.device === device);
  return Promise.all(own.map((one) => api.get<Version>(`/drafts/${id}/versions/${one.version}`)));
}

function inWords(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
