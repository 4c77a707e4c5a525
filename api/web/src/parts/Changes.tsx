/** Changes field by field: before and after, words marked in long text, items of lists by what became of them. */

import { type ReactNode, useState } from "react";
import type { Change, Definition, Json, Segment } from "./answers";
import { type Group, segments, shortened } from "./changes";
import { itemName, labelAt, parent } from "./forms";
import { isMasked, show } from "./values";
import { person } from "./words";

interface GroupProps {
  group: Group;
  form: Definition;
  level?: "h3" | "h4";
  /** What stands beside the heading, such as a box to choose this field by. */
  children?: ReactNode;
  /** What stands below. */
  foot?: ReactNode;
}

export function ChangedField({ group, form, level: Heading = "h3", children, foot }: GroupProps) {
  return (
    <article className="sheet changed">
      <div className="row">
        <Heading className="grow">
          {group.title} <span className="soft said">· {group.said}</span>
        </Heading>
        {children}
      </div>
      <Body group={group} form={form} />
      {foot}
    </article>
  );
}

function Body({ group, form }: { group: Group; form: Definition }) {
  if (group.kind === "list") {
    return (
      <ul className="items">
        {group.changes.map((change) => (
          <ItemChange key={`${change.op}${change.path}`} change={change} form={form} list={group.key} />
        ))}
      </ul>
    );
  }
  const [change] = group.changes;
  if (!change) return null;
  return group.kind === "text" ? <TextChange change={change} /> : <ValueChange change={change} form={form} />;
}

function ValueChange({ change, form }: { change: Change; form: Definition }) {
  return (
    <dl className="change">
      {change.before !== undefined && (
        <>
          <dt>Before</dt>
          <dd>
            <del>{shown(change.before, form, change.path)}</del>
          </dd>
        </>
      )}
      <dt>After</dt>
      <dd>
        {change.after === undefined ? (
          <span className="soft">nothing, it is taken out</span>
        ) : (
          <ins>{shown(change.after, form, change.path)}</ins>
        )}
      </dd>
    </dl>
  );
}

function shown(value: Json, form: Definition, path: string): string {
  return isMasked(value) ? "hidden from you" : show(value, form, path);
}

const MARKS = { add: "Added", remove: "Removed", move: "Moved", replace: "Changed", text: "Changed" } as const;

function ItemChange({ change, form, list }: { change: Change; form: Definition; list: string }) {
  const value = change.after ?? change.before;
  const name = itemName(form, list, value) ?? (value === undefined ? undefined : show(value, form, change.path));
  const details =
    itemName(form, list, value) === undefined || value === undefined ? "" : show(value, form, change.path);
  const said = change.label ?? labelAt(form, change.path);
  return (
    <li>
      <span className={`mark ${change.op}`}>{MARKS[change.op]}</span> {change.op === "add" && <ins>{name}</ins>}
      {change.op === "remove" && <del>{name}</del>}
      {change.op === "move" && <span>{moved(change)}</span>}
      {(change.op === "replace" || change.op === "text") && (
        <span>
          {said}: <del>{show(change.before, form, change.path)}</del> <ins>{show(change.after, form, change.path)}</ins>
        </span>
      )}
      {change.op !== "move" && change.index !== undefined && (
        <span className="soft">
          {" "}
          {change.op === "add" ? "at" : "was at"} place {change.index + 1}
        </span>
      )}
      {change.by !== undefined && change.by !== null && change.op === "add" && (
        <span className="soft"> · {person(change.by)}</span>
      )}
      {details !== "" && change.op !== "move" && <span className="soft details">{details}</span>}
    </li>
  );
}

/** "'Foo Trio' up, before 'Bar'": the service's own words, without who and what. */
function moved(change: Change): string {
  const said = change.text?.match(/[Mm]oved (.*)$/)?.[1];
  return said ?? change.label ?? parent(change.path);
}

/** A long text with its words marked; long stretches that stayed are folded until asked for. */
export function TextChange({ change }: { change: Change }) {
  const [view, setView] = useState<"marked" | "whole" | "apart">("marked");
  const all = segments(change);
  const parts: readonly (Segment | null)[] = view === "whole" ? all : shortened(all);
  return (
    <>
      {view === "apart" ? <Apart change={change} /> : <Marked parts={parts} />}
      <div className="row small">
        {view !== "apart" && parts.includes(null) && (
          <button type="button" className="quiet small" onClick={() => setView("whole")}>
            Show all of the text
          </button>
        )}
        <button type="button" className="quiet small" onClick={() => setView(view === "apart" ? "marked" : "apart")}>
          {view === "apart" ? "Mark the words" : "Read before and after"}
        </button>
      </div>
    </>
  );
}

function Marked({ parts }: { parts: readonly (Segment | null)[] }) {
  return (
    <p className="text">
      {parts.map((part, at) => {
        // biome-ignore lint: segments have no name but their place
        const key = at;
        if (part === null)
          return (
            <span key={key} className="soft">
              {" "}
              …{" "}
            </span>
          );
        if (part.insert !== undefined) return <ins key={key}>{part.insert}</ins>;
        if (part.delete !== undefined) return <del key={key}>{part.delete}</del>;
        return <span key={key}>{part.keep}</span>;
      })}
    </p>
  );
}

function Apart({ change }: { change: Change }) {
  return (
    <dl className="apart">
      <dt>Before</dt>
      <dd className="text">{typeof change.before === "string" && change.before !== "" ? change.before : "Nothing"}</dd>
      <dt>After</dt>
      <dd className="text">{typeof change.after === "string" && change.after !== "" ? change.after : "Nothing"}</dd>
    </dl>
  );
}
