/** One conflict: before, each value with name and device, another one; the result before it is done. */

import { type FormEvent, useState } from "react";
import { notify } from "../../parts/Announcer";
import type { Conflict, Definition, Json, Receipt } from "../../parts/answers";
import { wordsBetween } from "../../parts/changes";
import { itemName, labelAt, parent } from "../../parts/forms";
import { useAct, useNow } from "../../parts/loading";
import { ValueInput } from "../../parts/ValueInput";
import { show } from "../../parts/values";
import { capital, listed, moment, person, within } from "../../parts/words";
import { api, ask, sentenceOf } from "../api";
import { mayChange } from "../history/Comparison";
import { type Known, useSite } from "../site";
import { deviceHere, deviceNamed } from "../client";
import { type Option, type Values, canWrite, optionsOf } from "./options";

export interface Decided {
  version: number;
  text: string;
}

interface Props {
  known: Known;
  conflict: Conflict;
  place: number;
  total: number;
  onDecided: (decided: Decided) => void;
  onSkip: (() => void) | null;
}

export function Decision({ known, conflict, place, total, onDecided, onSkip }: Props) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [own, setOwn] = useState<Values>(() => (conflict.paths.length > 1 ? conflict.ours.values : {}));
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const options = optionsOf(conflict);
  const option = options.find((one) => one.key === chosen);
  const title = titleOf(known, conflict);
  const values = option?.values ?? (chosen === "own" ? own : null);
  const complete = values !== null && (chosen !== "own" || Object.keys(own).length > 0);
  const decide = (event: FormEvent) => {
    event.preventDefault();
    act(async () =>
      onDecided(
        await settle(known, conflict, option?.decision ?? { take: "value", value: ownValue(conflict, own) }, title),
      ),
    );
  };
  return (
    <form className="sheet decision" onSubmit={decide}>
      {total > 1 && (
        <p className="soft small">
          {place} of {total}
        </p>
      )}
      <h2 tabIndex={-1} id={`conflict-${conflict.id}`}>
        {title}
      </h2>
      <fieldset aria-labelledby={`conflict-${conflict.id}`} disabled={!mayChange(known.draft)}>
        <Before known={known} conflict={conflict} />
        {options.map((one) => (
          <Choice
            key={one.key}
            option={one}
            known={known}
            conflict={conflict}
            chosen={chosen === one.key}
            choose={() => setChosen(one.key)}
          />
        ))}
        {canWrite(conflict, known.form) && (
          <Own
            known={known}
            conflict={conflict}
            own={own}
            setOwn={setOwn}
            chosen={chosen === "own"}
            choose={() => setChosen("own")}
          />
        )}
      </fieldset>
      {complete && values && <Result known={known} conflict={conflict} values={values} />}
      {mayChange(known.draft) ? (
        <div className="row actions">
          <button type="submit" className="main" disabled={!complete || busy}>
            Use this
          </button>
          {onSkip && (
            <button type="button" className="quiet" onClick={onSkip}>
              Skip for now
            </button>
          )}
        </div>
      ) : (
        <p className="soft small">You may look at this draft, but not change it.</p>
      )}
    </form>
  );
}

function titleOf({ form, draft }: Known, conflict: Conflict): string {
  return capital(
    listed(conflict.paths.map((path) => itemTitle(form, conflict, path) ?? labelAt(form, path, draft.data))),
  );
}

/** What a list's item is called that is in one of the values, though perhaps not in the draft any more. */
function itemTitle(form: Definition, conflict: Conflict, path: string): string | undefined {
  const sides = [conflict.base, conflict.ours.values, ...conflict.theirs.map((side) => side.values)];
  const name = sides.map((values) => itemName(form, parent(path), values[path])).find((one) => one !== undefined);
  return name === undefined ? undefined : `'${name}' in ${labelAt(form, parent(path))}`;
}

function ownValue(conflict: Conflict, own: Values): Json {
  const [path, ...others] = conflict.paths;
  return path !== undefined && others.length === 0 ? (own[path] ?? null) : own;
}

async function settle(known: Known, conflict: Conflict, decision: Option["decision"], title: string): Promise<Decided> {
  const params = { path: { draft_id: known.draft.id, conflict: conflict.id } };
  const receipt = await ask<Receipt>(
    api.POST("/v1/drafts/{draft_id}/conflicts/{conflict}/resolve", { params, body: { ...decision, dry_run: false } }),
  );
  const told = receipt.changes
    .map((change) => change.text)
    .filter(Boolean)
    .join("; ");
  const text = told === "" ? `${title} stays as it is` : told;
  notify({ text: `Decided: ${text}.` });
  return { version: receipt.version, text };
}

/** Values as somebody reads them: one as it is, several with their labels. */
function inWords(known: Known, conflict: Conflict, values: Values): string {
  const said = conflict.paths.map(
    (path) => [labelAt(known.form, path), path in values ? show(values[path], known.form, path) : "nothing"] as const,
  );
  return said.length === 1 ? (said[0]?.[1] ?? "") : said.map(([label, value]) => `${label}: ${value}`).join(" · ");
}

function Before({ known, conflict }: { known: Known; conflict: Conflict }) {
  const gone = conflict.paths.every((path) => !(path in conflict.base));
  return (
    <p className="before">
      <span className="soft">Before</span>{" "}
      <span className="text">{gone ? "It was not there yet" : inWords(known, conflict, conflict.base)}</span>
    </p>
  );
}

interface ChoiceProps {
  option: Option;
  known: Known;
  conflict: Conflict;
  chosen: boolean;
  choose: () => void;
}

function Choice({ option, known, conflict, chosen, choose }: ChoiceProps) {
  const removed = conflict.paths.every((path) => !(path in option.values));
  return (
    <label className="option">
      <input type="radio" name={conflict.id} checked={chosen} onChange={choose} />
      <span className="grow">
        <span className="value text">
          {option.kind === "base" ? (
            "As it was before"
          ) : removed ? (
            "Removed"
          ) : (
            <Marked known={known} conflict={conflict} values={option.values} />
          )}
        </span>
        <Whose option={option} />
      </span>
    </label>
  );
}

/** A value; in a long text, what differs from before is marked. */
function Marked({ known, conflict, values }: { known: Known; conflict: Conflict; values: Values }) {
  const [path] = conflict.paths;
  const [before, after] = path === undefined ? [] : [conflict.base[path], values[path]];
  if (conflict.paths.length > 1 || typeof before !== "string" || typeof after !== "string" || after.length < 60) {
    return <>{inWords(known, conflict, values)}</>;
  }
  return (
    <>
      {wordsBetween(before, after).map((part, at) => {
        const key = at;
        if (part.insert !== undefined) return <ins key={key}>{part.insert}</ins>;
        return part.delete === undefined ? <span key={key}>{part.keep}</span> : <del key={key}>{part.delete}</del>;
      })}
    </>
  );
}

function Whose({ option }: { option: Option }) {
  const { me } = useSite();
  const now = useNow();
  const { side } = option;
  if (option.kind === "both")
    return <span className="soft small lines">Both, one after the other where they differ</span>;
  if (!side) return null;
  const here = side.device !== null && side.by === me && side.device === deviceHere();
  const device = side.device === null ? "" : here ? ", on this device" : `, on ${deviceNamed(side.device)}`;
  return (
    <span className="soft small lines">
      {person(side.by, me)}
      {device}, {within(moment(side.at, { now }))}
      {side.reason && ` · “${side.reason}”`}
      {option.kind === "ours" && " · what the draft shows now"}
    </span>
  );
}

interface OwnProps {
  known: Known;
  conflict: Conflict;
  own: Values;
  setOwn: (own: Values) => void;
  chosen: boolean;
  choose: () => void;
}

function Own({ known, conflict, own, setOwn, chosen, choose }: OwnProps) {
  const write = (path: string, value: Json | undefined) => {
    choose();
    const next = { ...own };
    if (value === undefined) delete next[path];
    else next[path] = value;
    setOwn(next);
  };
  return (
    <div className="option own">
      <label className="row">
        <input type="radio" name={conflict.id} checked={chosen} onChange={choose} />
        <span className="value">Something else</span>
      </label>
      {conflict.paths.map((path) => {
        const id = `own-${conflict.id}-${path}`;
        return (
          <div key={path} className="own-value">
            <label htmlFor={id} className={conflict.paths.length === 1 ? "heard" : undefined}>
              {conflict.paths.length === 1
                ? `Another value for ${labelAt(known.form, path, known.draft.data)}`
                : labelAt(known.form, path, known.draft.data)}
            </label>
            <ValueInput
              id={id}
              form={known.form}
              path={path}
              value={own[path]}
              onChange={(value) => write(path, value)}
            />
          </div>
        );
      })}
    </div>
  );
}

function Result({ known, conflict, values }: { known: Known; conflict: Conflict; values: Values }) {
  const removed = conflict.paths.every((path) => !(path in values));
  return (
    <p className="result" role="status">
      <span className="soft">The form will say</span>{" "}
      <strong className="text">{removed ? "nothing here: it is taken out" : inWords(known, conflict, values)}</strong>
    </p>
  );
}
