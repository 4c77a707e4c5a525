/** Every change to every draft, for auditors; for others, to their own. It shows all and changes nothing. */

import { useState } from "react";
import { notify } from "../../parts/Announcer";
import { useAct } from "../../parts/loading";
import { usePages } from "../../parts/paging";
import { isMasked } from "../../parts/values";
import { Who } from "../../parts/Who";
import { count, exact, person, time, zone } from "../../parts/words";
import { sentenceOf } from "../api";
import { deviceNamed } from "../client";
import { Link, addressOf, setQuery, useQuery } from "../router";
import { Heading, Trouble, Waiting } from "../site";
import { Filters } from "./Filters";
import { type Line, type Lines, type Verified, exportLines, fetchLines, verifyChains } from "./lines";
import { NAMES, type Wanted, wantedBy } from "./wanted";

export function AuditPage() {
  const wanted = wantedBy(useQuery());
  const lines = usePages<Line, Lines>(
    (cursor) => fetchLines(wanted, cursor),
    NAMES.map((name) => wanted[name]),
  );
  return (
    <>
      <Heading title="Audit" />
      <p className="soft">Every change to every draft that you may see. Looking changes nothing.</p>
      <Filters wanted={wanted} />
      {lines.problem !== undefined && <Trouble problem={lines.problem} retry={lines.reload} />}
      {lines.first && <Found wanted={wanted} first={lines.first} items={lines.items} />}
      {lines.loading && !lines.first && <Waiting what="the changes" />}
      {lines.items.length > 0 && (
        <ul className="plain sheet audit" aria-label="Changes">
          {lines.items.map((line) => (
            <AuditLine key={`${line.draft} ${line.version} ${line.op} ${line.path}`} line={line} />
          ))}
        </ul>
      )}
      {lines.first?.total === 0 && <p className="sheet soft">No change fits these filters.</p>}
      {lines.more && (
        <p className="more">
          <button type="button" onClick={lines.more}>
            Show more, {lines.items.length} of {lines.first?.total.toLocaleString("en")} are shown
          </button>
        </p>
      )}
    </>
  );
}

interface FoundProps {
  wanted: Wanted;
  first: Lines;
  items: Line[];
}

/** How much was found, the whole of it as a file, and whether its chains hold. */
function Found({ wanted, first, items }: FoundProps) {
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const hidden = items.filter((line) => isMasked(line.before) || isMasked(line.after)).length;
  const save = (kind: "csv" | "ndjson") =>
    act(async () => {
      await exportLines(wanted, kind);
      notify({ text: `${count(first.total, "change")} exported.` });
    });
  return (
    <div className="row wrap found">
      <p className="grow soft small" role="status">
        {count(first.total, "change")} in {count(first.drafts, "draft")} · times in {zone()}
        {hidden > 0 && ` · values of ${hidden} of these are hidden from this role`}
      </p>
      <button type="button" className="quiet small" disabled={busy || first.total === 0} onClick={() => save("csv")}>
        Export {first.total === 1 ? "this one" : `these ${first.total.toLocaleString("en")}`} as CSV
      </button>
      <button type="button" className="quiet small" disabled={busy || first.total === 0} onClick={() => save("ndjson")}>
        as NDJSON
      </button>
      <Chains items={items} />
    </div>
  );
}

function Chains({ items }: { items: Line[] }) {
  const [found, setFound] = useState<(Verified & { at: string; drafts: number }) | null>(null);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const drafts = [...new Set(items.map((line) => line.draft))];
  const verify = () =>
    act(async () => {
      const verified = await verifyChains(drafts);
      setFound({ ...verified, at: new Date().toISOString(), drafts: drafts.length });
      notify(
        verified.intact
          ? { text: `${count(drafts.length, "chain")} intact, ${count(verified.versions, "version")} recomputed.` }
          : { text: `Not intact: ${verified.broken}`, bad: true },
      );
    });
  return (
    <>
      {found && (
        <span className={found.intact ? "pill good" : "pill warn"}>
          {found.intact ? `${count(found.drafts, "chain")} intact, ${time(found.at)}` : `broken: ${found.broken}`}
        </span>
      )}
      <button type="button" className="small" disabled={busy || drafts.length === 0} onClick={verify}>
        {busy ? "Verifying…" : `Verify ${count(drafts.length, "chain")}`}
      </button>
    </>
  );
}

function AuditLine({ line }: { line: Line }) {
  const title = line.title?.trim() || `Untitled ${line.form}`;
  const at = { from: String(line.version), to: String(line.version) };
  return (
    <li className="row">
      <Who by={line.by} />
      <div className="grow">
        <p>
          <Sentence line={line} />
        </p>
        <p className="soft small">
          <time dateTime={line.at}>{exact(line.at)}</time> ·{" "}
          <Link href={`${addressOf.history(line.draft)}?${new URLSearchParams(at)}`}>
            {title}, version {line.version}
          </Link>
          {line.device && ` · ${deviceNamed(line.device)}`}
          {line.reason && ` · reason: ${line.reason}`} · <span title={line.hash}>event …{line.hash.slice(-8)}</span>
        </p>
      </div>
      <button type="button" className="quiet small" onClick={() => setQuery({ draft: line.draft })}>
        Only this draft<span className="heard"> of {title}</span>
      </button>
    </li>
  );
}

/** The service's own sentence; who did it stands out. */
function Sentence({ line }: { line: Line }) {
  const who = person(line.by);
  if (!line.text.startsWith(who)) return <>{line.text}</>;
  return (
    <>
      <strong>{who}</strong>
      {line.text.slice(who.length)}
    </>
  );
}
