/** Taking changes back and bringing versions back: always previewed, always a new version. */

import { useState } from "react";
import type { Group } from "../../parts/changes";
import { count } from "../../parts/words";
import type { Known } from "../site";
import type { Found, View } from "./Comparison";
import { Preview, type Wish } from "./Preview";
import type { Span } from "./span";

interface Props {
  known: Known;
  span: Span;
  view: View;
  found: Found;
  chosen: Group[];
  onDone: (version: number) => void;
}

export function Actions({ known, span, view, found, chosen, onDone }: Props) {
  const [wish, setWish] = useState<Wish | null>(null);
  const paths = chosen.flatMap((group) => group.paths);
  const what = chosen.length === 0 ? "" : count(chosen.length, "field");
  const restore = (version: number) => setWish({ kind: "restore", version, ...(paths.length > 0 && { paths }) });
  const undo = () => setWish({ kind: "undo", from: Math.max(span.from, 2), to: span.to, ...pathsToUndo(span, paths) });
  const { from, to } = found;
  const head = known.draft.version;
  if (found.groups.length === 0 && view === "here") return null;
  return (
    <>
      <div className="row wrap actions">
        {view === "here" && span.to > 1 && found.groups.length > 0 && (
          <button type="button" className="main" onClick={undo}>
            Undo {what || (span.from === span.to ? "this save" : "this session")}, keep what came later…
          </button>
        )}
        {from > 0 && from !== head && (
          <button type="button" onClick={() => restore(from)}>
            Restore {what && `${what} from`} version {from}…
          </button>
        )}
        {to !== head && (
          <button type="button" onClick={() => restore(to)}>
            Restore {what && `${what} from`} version {to}…
          </button>
        )}
      </div>
      <p className="soft small">
        {chosen.length === 0 ? "Choose fields to take only these. " : ""}You see first what will change. It adds a new
        version, which you can undo.
      </p>
      {wish && (
        <Preview
          known={known}
          wish={wish}
          onClose={() => setWish(null)}
          onDone={(version) => {
            setWish(null);
            onDone(version);
          }}
        />
      )}
    </>
  );
}

/** What an undo is limited to: chosen fields, or the session's own where others saved in between. */
function pathsToUndo(span: Span, chosen: string[]): { paths?: string[] } {
  if (chosen.length > 0) return { paths: chosen };
  return span.whole || span.paths.length === 0 ? {} : { paths: span.paths };
}
