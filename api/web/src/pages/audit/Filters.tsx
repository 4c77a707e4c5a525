/** The filters of the audit; they go with the address, so that a search can be kept and sent. */

import { type FormEvent, useEffect, useState } from "react";
import { setQuery } from "../router";
import { ACTS, NAMES, type Wanted } from "./wanted";

const NOTHING = Object.fromEntries(NAMES.map((name) => [name, null]));

export function Filters({ wanted }: { wanted: Wanted }) {
  const [typed, setTyped] = useState(wanted);
  const asked = NAMES.map((name) => wanted[name]).join("\n");
  useEffect(() => setTyped(wanted), [asked]);
  const field = (name: keyof Wanted) => ({
    id: `audit-${name}`,
    value: typed[name],
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const show = (event: FormEvent) => {
    event.preventDefault();
    setQuery({ ...typed });
  };
  const narrowed = NAMES.filter((name) => wanted[name] !== "");
  return (
    <form className="sheet audit-filters" role="search" onSubmit={show}>
      <div className="words">
        <label htmlFor="audit-q">Draft, field or words</label>
        <input type="search" {...field("q")} />
      </div>
      <div>
        <label htmlFor="audit-by">Person</label>
        <input {...field("by")} autoComplete="off" />
      </div>
      <div>
        <label htmlFor="audit-act">What was done</label>
        <select {...field("act")}>
          <option value="">Anything</option>
          {ACTS.map((act) => (
            <option key={act} value={act}>
              {act.replaceAll("_", " ")}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label htmlFor="audit-from">From</label>
        <input type="date" {...field("from")} />
      </div>
      <div>
        <label htmlFor="audit-to">To</label>
        <input type="date" {...field("to")} />
      </div>
      <div className="row">
        <button type="submit" className="main">
          Show
        </button>
        {narrowed.length > 0 && (
          <button type="button" className="quiet" onClick={() => setQuery(NOTHING)}>
            Clear
          </button>
        )}
      </div>
      {wanted.draft && (
        <p className="small only">
          <span className="pill label">Only one draft</span>
          <button type="button" className="quiet small" onClick={() => setQuery({ draft: null })}>
            Show all drafts
          </button>
        </p>
      )}
    </form>
  );
}
