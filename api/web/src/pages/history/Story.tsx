/** Every value that a field had: who gave it, when, and who wrote it first. */

import { Dialog } from "../../parts/Dialog";
import type { Json } from "../../parts/answers";
import { useLoaded, useNow } from "../../parts/loading";
import { show } from "../../parts/values";
import { Who } from "../../parts/Who";
import { moment, person } from "../../parts/words";
import { apiOf } from "../api";
import { type Known, Trouble, Waiting, useSite } from "../site";
import { deviceNamed } from "../client";
import { setQuery } from "../router";

interface Props {
  known: Known;
  path: string;
  title: string;
  onClose: () => void;
}

export interface Moment {
  draft: string;
  version: number;
  by: string;
  at: string;
  act: string;
  device: string | null;
  value?: Json;
  first?: { by: string; version: number; at: string } | null;
}

interface Lineage {
  path: string;
  items: Moment[];
}

export function Story({ known, path, title, onClose }: Props) {
  const told = useLoaded(() => apiOf().get<Lineage>(`/drafts/${known.draft.id}/lineage`, { query: { path } }), [path]);
  return (
    <Dialog title={title} onClose={onClose} wide>
      <p className="soft small">Every value it had, the latest first.</p>
      {told.problem !== undefined && <Trouble problem={told.problem} retry={told.reload} />}
      {!told.value && told.problem === undefined && <Waiting what="its values" />}
      <ol className="plain story">
        {told.value?.items.map((one) => (
          <Value key={`${one.draft} ${one.version}`} one={one} known={known} path={path} onClose={onClose} />
        ))}
      </ol>
      <div className="row actions">
        <button
          type="button"
          onClick={() => {
            onClose();
            setQuery({ field: path, by: null, from: null, to: null });
          }}
        >
          Show only the sessions that changed it
        </button>
      </div>
    </Dialog>
  );
}

function Value({ one, known, path, onClose }: { one: Moment; known: Known; path: string; onClose: () => void }) {
  const { me } = useSite();
  const now = useNow();
  const look = () => {
    onClose();
    setQuery({ from: String(one.version), to: String(one.version), view: null, by: null });
  };
  const first = one.first && one.first.version !== one.version ? one.first : null;
  return (
    <li className="row">
      <Who by={one.by} />
      <div className="grow">
        <p className="text">{show(one.value, known.form, path)}</p>
        <p className="soft small">
          {moment(one.at, { now })} · {person(one.by, me)}
          {one.device && ` on ${deviceNamed(one.device)}`} · {one.act.replaceAll("_", " ")}
          {first && ` · first written by ${person(first.by, me)}, ${moment(first.at, { now })}`}
        </p>
      </div>
      <button type="button" className="quiet small" onClick={look}>
        Version {one.version}
      </button>
    </li>
  );
}
