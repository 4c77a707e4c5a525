/** Drafts that an older page kept in this browser: taken over, and what became of each told. */

import { useEffect, useState } from "react";
import type { Adopted } from "../../core";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import { count } from "../../parts/words";
import { sentenceOf } from "../api";
import { Link, addressOf } from "../router";
import { useSite } from "../site";
import { adoptHere, forgetReport, keptReport } from "./adopting";

export function Imported({ changed }: { changed: () => void }) {
  const { me } = useSite();
  const [report, setReport] = useState<readonly Adopted[]>(() => keptReport(me));
  const [open, setOpen] = useState(false);
  useEffect(() => {
    adoptHere(me).then(
      (found) => {
        if (found === null) return;
        setReport(found);
        changed();
      },
      (problem: unknown) =>
        notify({ text: `Drafts in this browser wait to be taken over. ${sentenceOf(problem)}`, bad: true }),
    );
  }, [me]);
  const taken = report.filter((one) => one.draft !== null);
  if (report.length === 0) return null;
  const forget = () => {
    forgetReport(me);
    setReport([]);
    setOpen(false);
  };
  return (
    <p className="soft small imported">
      {taken.length === 0
        ? "What lay in this browser could not be taken over."
        : `${count(taken.length, "draft")} of an older page lay in this browser and ${taken.length === 1 ? "was" : "were"} taken over.`}{" "}
      <button type="button" className="quiet small" onClick={() => setOpen(true)}>
        See what was imported
      </button>
      {open && (
        <Dialog title="What was imported" onClose={() => setOpen(false)}>
          <ul className="items">
            {report.map((one) => (
              <Entry key={one.key} one={one} />
            ))}
          </ul>
          <div className="row actions">
            <button type="button" onClick={forget}>
              Do not show this again
            </button>
          </div>
        </Dialog>
      )}
    </p>
  );
}

const OUTCOMES: { readonly [outcome in Adopted["outcome"]]: string } = {
  imported: "is a draft now",
  filled: "was joined with the draft that you had open",
  known: "was taken over before",
  empty: "was empty",
  broken: "could not be read, and stays where it is",
  refused: "was refused, and stays where it is",
  ignored: "is no draft, and stays where it is",
};

function Entry({ one }: { one: Adopted }) {
  return (
    <li>
      <code>{one.key}</code> {OUTCOMES[one.outcome]}
      {one.detail && `: ${one.detail}`}
      {one.draft && (
        <>
          {". "}
          <Link href={addressOf.form(one.draft)}>Open it</Link>
        </>
      )}
      {!!one.conflicts && one.draft && (
        <>
          {", "}
          <Link href={addressOf.conflicts(one.draft)}>review {count(one.conflicts, "field")}</Link>
        </>
      )}
    </li>
  );
}
