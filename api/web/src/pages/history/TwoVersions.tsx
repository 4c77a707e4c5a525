/** Choosing any two versions to lay beside each other. */

import { useEffect, useState } from "react";
import type { Draft } from "../../parts/answers";
import { useLoaded, useNow } from "../../parts/loading";
import { moment, person } from "../../parts/words";
import { setQuery } from "../router";
import { useSite } from "../site";
import { type Labels, versionOf } from "./labels";

interface Props {
  draft: Draft;
  two: { a: number; b: number };
  labels: Labels;
}

export function TwoVersions({ draft, two, labels }: Props) {
  return (
    <div className="row wrap two sheet" role="group" aria-label="The two versions">
      <VersionField name="a" label="Version" value={two.a} draft={draft} labels={labels} />
      <span className="soft" aria-hidden="true">
        →
      </span>
      <VersionField name="b" label="beside version" value={two.b} draft={draft} labels={labels} />
    </div>
  );
}

interface FieldProps {
  name: "a" | "b";
  label: string;
  value: number;
  draft: Draft;
  labels: Labels;
}

function VersionField({ name, label, value, draft, labels }: FieldProps) {
  const [typed, setTyped] = useState(String(value));
  useEffect(() => setTyped(String(value)), [value]);
  const type = (text: string) => {
    setTyped(text);
    const version = Number(text);
    if (Number.isInteger(version) && version >= 1 && version <= draft.version) {
      setQuery({ [name]: String(version) }, { replace: true });
    }
  };
  return (
    <div className="version">
      <label htmlFor={`version-${name}`}>{label}</label>
      <input
        id={`version-${name}`}
        type="number"
        min={1}
        max={draft.version}
        value={typed}
        aria-describedby={`version-${name}-is`}
        list={`versions-${name}`}
        onChange={(event) => type(event.target.value)}
      />
      <datalist id={`versions-${name}`}>
        {[...labels].map(([version, { name: said }]) => (
          <option key={version} value={version}>
            {said}
          </option>
        ))}
      </datalist>
      <Told draft={draft} version={value} id={`version-${name}-is`} label={labels.get(value)?.name} />
    </div>
  );
}

function Told({ draft, version, id, label }: { draft: Draft; version: number; id: string; label: string | undefined }) {
  const { me } = useSite();
  const now = useNow();
  const told = useLoaded(() => versionOf(draft.id, version), [draft.id, version]);
  const words = told.value
    ? `${moment(told.value.at, { now })}, ${person(told.value.by, me)}`
    : `1 to ${draft.version}`;
  return (
    <span id={id} className="soft small lines">
      {words} {label && <span className="pill label">{label}</span>}
    </span>
  );
}
