/** Somebody's drafts, to search in and to go on with. */
import { useEffect, useId, useState } from "react";
import type { DraftLine, Page } from "../core";
import { useClient } from "./context";

interface Props {
  /** Only drafts of this form. */
  readonly form?: string;
  /** Somebody chose a draft. */
  readonly onOpen: (draft: DraftLine) => void;
}

/** Open drafts, those saved last in front. */
export function DraftsList({ form, onOpen }: Props) {
  const { api } = useClient();
  const id = useId();
  const [q, setQ] = useState("");
  const [drafts, setDrafts] = useState<readonly DraftLine[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState("");

  const fetchPage = (from: string | null) =>
    api.get<Page<DraftLine>>("/drafts", { query: { status: "open", sort: "saved", form, q, cursor: from } });
  useEffect(() => {
    let over = false;
    const show = ({ items, next_cursor }: Page<DraftLine>) => (setDrafts(items), setCursor(next_cursor), setProblem(""));
    fetchPage(null).then((page) => over || show(page), (error: Error) => over || setProblem(error.message));
    return () => void (over = true);
  }, [api, form, q]);
  const more = () =>
    fetchPage(cursor).then(
      ({ items, next_cursor }) => (setDrafts((known) => [...known, ...items]), setCursor(next_cursor)),
      (error: Error) => setProblem(error.message),
    );

  return (
    <section aria-label="Drafts">
      <p>
        <label htmlFor={id}>Search</label>
        <input id={id} type="search" value={q} onChange={(event) => setQ(event.target.value)} />
      </p>
      {problem && <p role="alert">{problem}</p>}
      {drafts.length === 0 ? <p>No drafts.</p> : (
        <ul className="plain">
          {drafts.map((draft) => (
            <li key={draft.id}>
              <button type="button" onClick={() => onOpen(draft)}>{draft.title || "Untitled"}</button>{" "}
              saved <time dateTime={draft.saved_at}>{inWords(draft.saved_at)}</time>, kept until{" "}
              <time dateTime={draft.expires_at}>{inWords(draft.expires_at)}</time>
              {draft.conflicts > 0 && `, ${draft.conflicts} to decide`}
            </li>
          ))}
        </ul>
      )}
      {cursor && <button type="button" onClick={() => void more()}>More</button>}
    </section>
  );
}

function inWords(time: string): string {
  return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
}
