/** Your drafts: everything begun, shared, kept as a template or in the trash. */

import { useEffect, useState } from "react";
import { announce } from "../../parts/Announcer";
import type { Summary } from "../../parts/answers";
import { usePages } from "../../parts/paging";
import { count } from "../../parts/words";
import { setQuery, useQuery } from "../router";
import { Heading, Trouble, Waiting, useSite } from "../site";
import { DraftLine } from "./DraftLine";
import { Imported } from "./Imported";
import { NewDraft } from "./NewDraft";
import { NotSaved } from "./NotSaved";
import { LISTS, type Listed, SORTS, type Sort, type Wanted, fetchList } from "./lists";

export function DraftsPage() {
  const { me } = useSite();
  if (me === null) return <Guest />;
  return <Drafts />;
}

/** A share link opens one draft only, and whoever has it holds no list. */
function Guest() {
  return (
    <>
      <Heading title="You came with a link" />
      <p>A share link opens the one draft it was made for: use the address that came with it.</p>
    </>
  );
}

function Drafts() {
  const query = useQuery();
  const wanted: Wanted = {
    list: (query.get("list") ?? "open") as Listed,
    sort: (query.get("sort") ?? "saved") as Sort,
    q: query.get("q") ?? "",
  };
  const drafts = usePages<Summary>((cursor) => fetchList(wanted, cursor), [wanted.list, wanted.sort, wanted.q]);
  const said = `${count(drafts.items.length, "draft")}${drafts.more ? " and more" : ""}`;
  useEffect(() => {
    if (!drafts.loading && wanted.q) announce(`${said} found`);
  }, [drafts.loading, said, wanted.q]);
  return (
    <>
      <div className="row wrap page-head">
        <div className="grow">
          <Heading title="Your drafts" />
          <p className="soft">Everything you have begun, on every device. Each save keeps a draft for longer.</p>
        </div>
        <NewDraft />
      </div>
      <NotSaved />
      <Filters wanted={wanted} />
      {drafts.problem !== undefined && <Trouble problem={drafts.problem} retry={drafts.reload} />}
      {drafts.loading && drafts.items.length === 0 && drafts.problem === undefined && <Waiting what="your drafts" />}
      <ul className="plain sheet drafts" aria-label={LISTS[wanted.list]} hidden={drafts.items.length === 0}>
        {drafts.items.map((draft) => (
          <DraftLine key={draft.id} draft={draft} list={wanted.list} changed={drafts.reload} />
        ))}
      </ul>
      {!drafts.loading && drafts.items.length === 0 && drafts.problem === undefined && <Empty wanted={wanted} />}
      {drafts.more && (
        <p className="more">
          <button type="button" onClick={drafts.more}>
            Show more drafts
          </button>
        </p>
      )}
      <Imported changed={drafts.reload} />
    </>
  );
}

function Filters({ wanted }: { wanted: Wanted }) {
  const [typed, setTyped] = useState(wanted.q);
  useEffect(() => {
    if (typed === wanted.q) return;
    const wait = setTimeout(() => setQuery({ q: typed }, { replace: true }), 250);
    return () => clearTimeout(wait);
  }, [typed]);
  return (
    <search className="row wrap filters">
      <input
        type="search"
        className="grow"
        aria-label="Search drafts"
        placeholder="Search in titles and text"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <Choose
        label="Show"
        options={LISTS}
        value={wanted.list}
        onChange={(list) => setQuery({ list: list === "open" ? null : list })}
      />
      <Choose
        label="Order"
        options={SORTS}
        value={wanted.sort}
        onChange={(sort) => setQuery({ sort: sort === "saved" ? null : sort })}
      />
    </search>
  );
}

interface ChooseProps<T extends string> {
  label: string;
  options: { [value in T]: string };
  value: T;
  onChange: (value: T) => void;
}

function Choose<T extends string>({ label, options, value, onChange }: ChooseProps<T>) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value as T)}>
      {(Object.entries(options) as [T, string][]).map(([one, said]) => (
        <option key={one} value={one}>
          {said}
        </option>
      ))}
    </select>
  );
}

const NOTHING: { [list in Listed]: string } = {
  open: "You have no draft yet. Begin one: it saves by itself, and waits for you on every device.",
  templates: "No templates yet. Any draft of yours can be made one, from its ⋯ menu; others start from it.",
  submitted: "Nothing has been submitted yet.",
  trash: "The trash is empty.",
};

function Empty({ wanted }: { wanted: Wanted }) {
  return <p className="sheet soft">{wanted.q ? `No draft here has “${wanted.q}” in it.` : NOTHING[wanted.list]}</p>;
}
