/** What this device still had from before and the service did not: told only if something really differs. */

import { useEffect, useState } from "react";
import type { DraftSession } from "../../core";
import { diff, type Operation } from "../../core/changes";
import { announce } from "../../parts/Announcer";
import type { Data, Definition, Draft } from "../../parts/answers";
import { fieldsOf, labelAt, valueAt } from "../../parts/forms";
import { several } from "../../parts/words";
import { apiOf } from "../api";
import type { Kept } from "../client";
import { putAt } from "./put";

interface Found {
  paths: string[];
  /** What the service had when this was found; unknown while it cannot be reached. */
  before: Data | null;
}

interface Props {
  session: DraftSession;
  form: Definition;
  kept: Kept;
}

export function Unsent({ session, form, kept }: Props) {
  const [found, setFound] = useState<Found | null>(null);
  useEffect(() => {
    let over = false;
    void differing(session, kept).then((found) => {
      if (over || found === null) return;
      setFound(found);
      announce(sentence(found, form));
    });
    return () => {
      over = true;
    };
  }, [session, form, kept]);
  if (found === null) return null;
  const takeOut = () => {
    const { before, paths } = found;
    if (before)
      session.change(paths.reduce((data, path) => putAt(data, path, valueAt(before, path)), session.snapshot().data));
    setFound(null);
  };
  return (
    <div className="strip">
      <p>{sentence(found, form)}</p>
      <button type="button" onClick={() => setFound(null)}>
        Keep {found.paths.length === 1 ? "it" : "them"}
      </button>
      {found.before && (
        <button type="button" className="quiet" onClick={takeOut}>
          Take {found.paths.length === 1 ? "it" : "them"} out again
        </button>
      )}
    </div>
  );
}

function sentence({ paths, before }: Found, form: Definition): string {
  const fields = several(
    fieldsOf(paths).map((path) => labelAt(form, path)),
    3,
  );
  const fate = before ? "and is being saved now" : "and is saved once the service can be reached";
  return `Brought back from this device: ${fields}. It was typed here before and not yet sent, ${fate}.`;
}

/** What was kept, as far as it differs from the version that it was typed on. */
async function differing(session: DraftSession, { data, version }: Kept): Promise<Found | null> {
  const asked = apiOf().get<Draft>(`/drafts/${session.snapshot().id}`, { query: { version } });
  const before = await asked.then(
    (draft) => draft.data,
    () => null,
  );
  if (before === null) return { paths: Object.keys(data).map((name) => `/${name}`), before };
  const paths = lasting(diff(before, data));
  return paths.length === 0 ? null : { paths, before };
}

/** The places that differ, each once. */
function lasting(changes: readonly Operation[]): string[] {
  return [...new Set(changes.map((change) => change.path))];
}
