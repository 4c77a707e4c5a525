/** What was combined without asking, in the merges that also brought what clashes. */

import type { Conflict, Version } from "../../parts/answers";
import { useLoaded } from "../../parts/loading";
import { person } from "../../parts/words";
import { versionOf } from "../history/labels";
import { type Known, useSite } from "../site";

export function Combined({ known, conflicts }: { known: Known; conflicts: readonly Conflict[] }) {
  const { me } = useSite();
  const versions = [...new Set(conflicts.flatMap((one) => one.theirs.map((side) => side.version)))];
  const told = useLoaded<Version[]>(
    () => Promise.all(versions.map((version) => versionOf(known.draft.id, version))),
    [known.draft.id, versions.join()],
  );
  const changes = told.value?.flatMap((version) => version.changes) ?? [];
  if (changes.length === 0) return null;
  return (
    <details className="combined">
      <summary className="soft">What was combined without asking ({changes.length})</summary>
      <ul className="items">
        {changes.map((change) => (
          <li key={`${change.version} ${change.op} ${change.path}`} className="soft small">
            {change.by === me
              ? change.text?.replace(/^\S+/, "You")
              : (change.text ?? `${person(change.by ?? null)} changed ${change.label}`)}
          </li>
        ))}
      </ul>
    </details>
  );
}
