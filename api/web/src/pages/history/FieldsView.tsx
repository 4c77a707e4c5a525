/** The form field by field: who set each last, when, and everything it was before. */

import { useState } from "react";
import { labelAt } from "../../parts/forms";
import { useLoaded, useNow } from "../../parts/loading";
import { show } from "../../parts/values";
import { Who } from "../../parts/Who";
import { moment, person } from "../../parts/words";
import { apiOf } from "../api";
import { type Known, Trouble, Waiting, useSite } from "../site";
import { type Moment, Story } from "./Story";

interface Blame {
  paths: (Moment & { path: string; label?: string })[];
}

export function FieldsView({ known }: { known: Known }) {
  const { draft } = known;
  const [open, setOpen] = useState<{ path: string; title: string } | null>(null);
  const told = useLoaded(() => apiOf().get<Blame>(`/drafts/${draft.id}/blame`), [draft.id, draft.version]);
  if (told.problem) return <Trouble problem={told.problem} retry={told.reload} />;
  if (!told.value) return <Waiting what="who wrote what" />;
  return (
    <>
      <ul className="plain sheet fields">
        {told.value.paths.filter(isField).map((one) => {
          const title = one.label ?? labelAt(known.form, one.path, draft.data);
          return (
            <FieldLine
              key={one.path}
              one={one}
              title={title}
              known={known}
              open={() => setOpen({ path: one.path, title })}
            />
          );
        })}
      </ul>
      {open && <Story known={known} path={open.path} title={open.title} onClose={() => setOpen(null)} />}
    </>
  );
}

interface LineProps {
  one: Moment & { path: string };
  title: string;
  known: Known;
  open: () => void;
}

function FieldLine({ one, title, known, open }: LineProps) {
  const { me } = useSite();
  const now = useNow();
  const first = one.first && one.first.by !== one.by ? one.first : null;
  return (
    <li className="row">
      <Who by={one.by} />
      <div className="grow">
        <h3>{title}</h3>
        <p className="clip">{show(one.value, known.form, one.path)}</p>
        <p className="soft small">
          {person(one.by, me)}, {moment(one.at, { now })} · {one.act.replaceAll("_", " ")}
          {first && ` · first written by ${person(first.by, me)}`}
        </p>
      </div>
      <button type="button" className="quiet" onClick={open}>
        Every value it had<span className="heard"> of {title}</span>
      </button>
    </li>
  );
}

/** The ids of list items are nobody's to read. */
function isField({ path }: { path: string }): boolean {
  return !/\/(id:[^/]+|\d+)\/id$/.test(path);
}
