/** What two wrote at the same place: one conflict at a time, nothing chosen beforehand. */
import { useEffect, useId, useState, type FormEvent } from "react";
import type { Conflict, DraftSession, Json, Side } from "../core";
import type { Definition } from "../parts/answers";
import { labelAt, NO_FORM } from "../parts/forms";
import { show } from "../parts/values";
import { useClient } from "./context";
import { useDraftValue } from "./draft";

type Choice = { readonly take: "ours" | "base" } | { readonly take: "theirs"; readonly which: number } | { readonly take: "value"; readonly value: unknown };

/** The open conflicts of a draft, each with all its values; shows nothing where there is none. */
export function ConflictReview({ session }: { readonly session: DraftSession }) {
  const conflicts = useDraftValue(session, (snapshot) => snapshot.conflicts) ?? [];
  const [first] = conflicts;
  const form = useDefinition(session, first !== undefined);
  if (!first) return null;
  return (
    <section aria-label="To be decided">
      <p>{conflicts.length === 1 ? "One field needs a decision." : `${conflicts.length} fields need a decision.`}</p>
      <Decision key={first.id} session={session} conflict={first} form={form} />
    </section>
  );
}

/** What the form's definition says; nothing until it is there, and if it cannot be had. */
function useDefinition(session: DraftSession, wanted: boolean): Definition {
  const { api } = useClient();
  const form = useDraftValue(session, (snapshot) => snapshot.about?.form ?? null);
  const [found, setFound] = useState(NO_FORM);
  useEffect(() => {
    if (wanted && form) api.get<Definition>(`/forms/${encodeURIComponent(form)}`).then(setFound, () => {});
  }, [api, form, wanted]);
  return found;
}

interface Props {
  readonly session: DraftSession;
  readonly conflict: Conflict;
  readonly form: Definition;
}

function Decision({ session, conflict, form }: Props) {
  const { api } = useClient();
  const name = useId();
  const [choice, setChoice] = useState<Choice | null>(null);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const { paths, base, ours, theirs } = conflict;
  const data = useDraftValue(session, (snapshot) => snapshot.data) ?? {};
  const label = (path: string) => labelAt(form, path, data);
  const shownOf = (values: { readonly [path: string]: Json }) => {
    const shown = Object.entries(values).map(([path, value]) => (paths.length > 1 ? `${label(path)}: ` : "") + show(value, form, path));
    return shown.join(", ") || "nothing";
  };
  const single = paths.length === 1 && typeof Object.values(ours.values)[0] === "string";

  const settle = (event: FormEvent) => {
    event.preventDefault();
    if (!choice) return;
    session
      .after((id) => api.post(`/drafts/${id}/conflicts/${conflict.id}/resolve`, choice.take === "value" ? { take: "value", value: text } : choice))
      .catch((error: Error) => setProblem(error.message));
  };
  const option = (value: Choice, words: string, shown: string) => (
    <p key={words}>
      <label>
        <input type="radio" name={name} onChange={() => setChoice(value)} /> {words}: <q>{shown}</q>
      </label>
    </p>
  );

  return (
    <form onSubmit={settle}>
      <fieldset>
        <legend>{paths.map(label).join(", ")}</legend>
        {option({ take: "ours" }, `In the draft now, by ${who(ours)}`, shownOf(ours.values))}
        {theirs.map((side, which) => option({ take: "theirs", which }, `By ${who(side)}`, shownOf(side.values)))}
        {option({ take: "base" }, "As it was before", shownOf(base))}
        {single && (
          <p>
            <label><input type="radio" name={name} onChange={() => setChoice({ take: "value", value: text })} /> Something else:</label>{" "}
            <input aria-label="Something else" value={text} onChange={(event) => setText(event.target.value)} />
          </p>
        )}
      </fieldset>
      {problem && <p role="alert">{problem}</p>}
      <button type="submit" disabled={!choice}>Take it</button>
    </form>
  );
}

function who({ by, device }: Side): string {
  return device ? `${by} on ${device}` : by;
}
