/** What this device still had from before and the service did not: told only if something really differs. */

import { useEffect, useState } from "react";
import type { DraftSession } from "../../core";
import { diff, type Operation } from "../../core/changes";
import { announce } from "../../parts/Announcer";
import type { Data, Definition, Draft } from "../../parts/answers";
import { fieldsOf, labelAt, valueAt } from "../../parts/forms";
import { several } from "../../parts/words";
import { apiOf } from "../api";
import { putAt } from "./put";

interface Kept {
  paths: string[];
  /** What the service had when this was found; unknown while it cannot be reached. */
  before: Data | null;
}

export function Unsent({ session, form }: { session: DraftSession; form: Definition }) {
  const [kept, setKept] = useState<Kept | null>(null);
  useEffect(() => {
    let over = false;
    void keptFrom(session).then((found) => {
      if (over || found === null) return;
      setKept(found);
      announce(sentence(found, form));
    });
    return () => {
      over = true;
    };
  }, [session, form]);
  if (kept === null) return null;
  const takeOut = () => {
    const { before, paths } = kept;
    if (before)
      session.change(paths.reduce((data, path) => putAt(data, path, valueAt(before, path)), session.snapshot().data));
    setKept(null);
  };
  return (
    <div className="strip">
      <p>{sentence(kept, form)}</p>
      <button type="button" onClick={() => setKept(null)}>
        Keep {kept.paths.length === 1 ? "it" : "them"}
      </button>
      {kept.before && (
        <button type="button" className="quiet" onClick={takeOut}>
          Take {kept.paths.length === 1 ? "it" : "them"} out again
        </button>
      )}
    </div>
  );
}

function sentence({ paths, before }: Kept, form: Definition): string {
  const fields = several(
    fieldsOf(paths).map((path) => labelAt(form, path)),
    3,
  );
  const fate = before ? "and is being saved now" : "and is saved once the service can be reached";
  return `Brought back from this device: ${fields}. It was typed here before and not yet sent, ${fate}.`;
}

/** What waited when the draft was opened, and differs from what the service holds. */
async function keptFrom(session: DraftSession): Promise<Kept | null> {
  if (!session.hasUnsent()) return null;
  const { data, id } = session.snapshot();
  const before = await apiOf()
    .get<Draft>(`/drafts/${id}`)
    .then(
      (draft) => draft.data,
      () => null,
    );
  const paths = before ? lasting(diff(before, data)) : [];
  if (before && paths.length === 0) return null;
  return { paths: before ? paths : Object.keys(data).map((name) => `/${name}`), before };
}

/** The places that differ, each once. */
function lasting(changes: readonly Operation[]): string[] {
  return [...new Set(changes.map((change) => change.path))];
}
