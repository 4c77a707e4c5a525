/** What changed in the chosen versions, or between any two, and what can be done about it. */

import { useEffect, useState } from "react";
import { ChangedField } from "../../parts/Changes";
import type { Change, Comparison as Compared, Draft } from "../../parts/answers";
import { type Group, grouped } from "../../parts/changes";
import { useLoaded } from "../../parts/loading";
import { capital, count, exact, listed, person, time, zone } from "../../parts/words";
import { api, ask } from "../api";
import { deviceNamed } from "../client";
import { setQuery, useQuery } from "../router";
import { type Known, Trouble, Waiting, useSite } from "../site";
import { Actions } from "./Actions";
import { LabelButton } from "./LabelButton";
import { Story } from "./Story";
import { TwoVersions } from "./TwoVersions";
import { WholeForm } from "./WholeForm";
import { type Labels, versionOf } from "./labels";
import { type Span, ownChanges } from "./span";

interface Props {
  known: Known;
  span: Span;
  labels: Labels;
  /** Something was restored or undone, by a new version. */
  onDone: (version: number) => void;
  onLabelled: () => void;
}

export type View = "here" | "now" | "two" | "whole";

export interface Found {
  /** The versions that were compared; before the first there is nothing. */
  from: number;
  to: number;
  groups: Group[];
  text?: string;
}

const VIEWS: { [view in View]: string } = {
  here: "What changed here",
  now: "Compare with now",
  two: "Compare any two versions",
  whole: "The whole form, as it was",
};

export function Comparison({ known, span, labels, onDone, onLabelled }: Props) {
  const query = useQuery();
  const view = (query.get("view") ?? "here") as View;
  // The latest version when this was asked for: what is read stays, whatever is saved meanwhile.
  const [latest, setLatest] = useState(known.draft.version);
  const two = { a: Number(query.get("a")) || 1, b: Number(query.get("b")) || latest };
  const show = (chosen: string) => {
    setLatest(known.draft.version);
    setQuery({ view: chosen === "here" ? null : chosen });
  };
  return (
    <section aria-label="What changed" className="comparison">
      <div className="row wrap views">
        <label className="grow">
          <span className="heard">Show</span>
          <select
            value={view}
            onChange={(event) => show(event.target.value)}
          >
            {Object.entries(VIEWS).map(([one, label]) => (
              <option key={one} value={one}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <LabelButton draft={known.draft} version={span.to} label={labels.get(span.to)?.name} onDone={onLabelled} />
      </div>
      {view === "two" && <TwoVersions draft={known.draft} two={two} labels={labels} />}
      {view === "whole" ? (
        <WholeForm known={known} version={span.to} />
      ) : (
        <Differences
          key={`${view} ${span.from} ${span.to} ${two.a} ${two.b} ${latest}`}
          known={known}
          span={span}
          view={view}
          two={two}
          latest={latest}
          onLater={() => show("now")}
          onDone={onDone}
        />
      )}
    </section>
  );
}

interface Asked {
  known: Known;
  span: Span;
  view: View;
  two: { a: number; b: number };
  latest: number;
  /** Compare with what is the latest now. */
  onLater: () => void;
  onDone: (version: number) => void;
}

function Differences({ known, span, view, two, latest, onLater, onDone }: Asked) {
  const found = useLoaded(() => look(known, span, view, two, latest), []);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [story, setStory] = useState<Group | null>(null);
  useEffect(() => setChosen(new Set()), [found.value]);
  if (found.problem) return <Trouble problem={found.problem} retry={found.reload} />;
  if (!found.value) return <Waiting what="the comparison" />;
  const { groups } = found.value;
  const choose = (key: string, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(key);
    else next.delete(key);
    setChosen(next);
  };
  return (
    <>
      <Summary known={known} span={span} view={view} found={found.value} onLater={onLater} />
      {groups.map((group) => (
        <ChangedField
          key={group.key}
          group={group}
          form={known.form}
          foot={<StoryButton group={group} open={setStory} />}
        >
          {mayChange(known.draft) && (
            <label className="choose small">
              <input
                type="checkbox"
                checked={chosen.has(group.key)}
                onChange={(event) => choose(group.key, event.target.checked)}
              />
              choose<span className="heard"> {group.title}</span>
            </label>
          )}
        </ChangedField>
      ))}
      {mayChange(known.draft) && (
        <Actions
          known={known}
          span={span}
          view={view}
          found={found.value}
          chosen={groups.filter((one) => chosen.has(one.key))}
          onDone={onDone}
        />
      )}
      {story && <Story known={known} path={story.key} title={story.title} onClose={() => setStory(null)} />}
    </>
  );
}

function StoryButton({ group, open }: { group: Group; open: (group: Group) => void }) {
  return (
    <button type="button" className="quiet small" onClick={() => open(group)}>
      Every value it had<span className="heard"> of {group.title}</span>
    </button>
  );
}

export function mayChange(draft: Draft): boolean {
  return draft.status === "open" && (draft.role === "owner" || draft.role === "editor");
}

async function look(
  { draft, form }: Known,
  span: Span,
  view: View,
  two: { a: number; b: number },
  latest: number,
): Promise<Found> {
  if (view === "two") return { from: two.a, to: two.b, groups: grouped(await compare(draft.id, two.a, two.b), form) };
  if (view === "now")
    return { from: span.to, to: latest, groups: grouped(await compare(draft.id, span.to, latest), form) };
  if (span.from === span.to) {
    const version = await versionOf(draft.id, span.to);
    return { from: span.to - 1, to: span.to, groups: grouped(version.changes, form), text: version.text };
  }
  const from = Math.max(span.from - 1, 1);
  return {
    from: span.from - 1,
    to: span.to,
    groups: grouped(ownChanges(span, await compare(draft.id, from, span.to)), form),
  };
}

async function compare(draft: string, from: number, to: number): Promise<Change[]> {
  const path = { draft_id: draft, span: `${from}...${to}` };
  return (await ask<Compared>(api.GET("/v1/drafts/{draft_id}/compare/{span}", { params: { path } }))).changes;
}

interface Told {
  known: Known;
  span: Span;
  view: View;
  found: Found;
  onLater: () => void;
}

function Summary({ known, span, view, found, onLater }: Told) {
  const { version } = known.draft;
  const n = found.groups.length;
  const changed = n === 0 ? (span.session?.text ?? "Nothing in the form changed") : `${count(n, "field")} changed`;
  return (
    <header className="summary">
      <h2>
        {found.text ??
          (view === "here" ? changed : n === 0 ? "No difference" : `${count(n, "field")} differ${n === 1 ? "s" : ""}`)}
      </h2>
      <p className="soft small">
        {view === "here" ? (
          <Here span={span} found={found} />
        ) : (
          `Version ${found.from} beside version ${found.to}${found.to === version ? ", which is how it is now" : ""}.`
        )}{" "}
        {view === "now" && version > found.to && (
          <button type="button" className="quiet small" onClick={onLater}>
            Show version {version}, saved since
          </button>
        )}
      </p>
    </header>
  );
}

function Here({ span, found }: { span: Span; found: Found }) {
  const { me } = useSite();
  const { session } = span;
  const beside = found.from > 0 ? `, beside version ${found.from}` : ", from its beginning";
  const who = session
    ? [
        `${person(session.by, me)}${session.device ? ` on ${deviceNamed(session.device)}` : ""}`,
        `${during(session.from_at, session.to_at)} (${zone()})`,
      ]
    : [];
  return (
    <>
      {[...who, `${capital(versions(span.from, span.to))}${beside}`].join(" · ")}.
      {!span.whole &&
        span.paths.length > 0 &&
        ` Others saved in this time too; only fields that ${listed([person(session?.by ?? null, me).replace("You", "you")])} changed are shown.`}
    </>
  );
}

function versions(from: number, to: number): string {
  return from === to ? `version ${to}` : `versions ${from} to ${to}`;
}

function during(from: string, to: string): string {
  return time(from) === time(to) ? exact(from) : `${exact(from)} to ${time(to)}`;
}
