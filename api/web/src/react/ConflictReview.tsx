/** What two wrote at the same place: one conflict at a time, nothing chosen beforehand. */
import { useId, useState, type FormEvent } from "react";
import type { Conflict, DraftSession, Json, Side } from "../core";
import { useClient } from "./context";
import { useDraftValue } from "./draft";

type Choice = { readonly take: "ours" | "base" } | { readonly take: "theirs"; readonly which: number } | { readonly take: "value"; readonly value: unknown };

/** The open conflicts of a draft, each with all its values; shows nothing where there is none. */
export function ConflictReview({ session }: { readonly session: DraftSession }) {
  const conflicts = useDraftValue(session, (snapshot) => snapshot.conflicts) ?? [];
  const [first] = conflicts;
  if (!first) return null;
  return (
    <section aria-label="To be decided">
      <p>{conflicts.length === 1 ? "One field needs a decision." : `${conflicts.length} fields need a decision.`}</p>
      <Decision key={first.id} session={session} conflict={first} />
    </section>
  );
}

function Decision({ session, conflict }: { readonly session: DraftSession; readonly conflict: Conflict }) {
  const { api } = useClient();
  const name = useId();
  const [choice, setChoice] = useState<Choice | null>(null);
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const { paths, base, ours, theirs } = conflict;
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
        <legend>{paths.map(inWords).join(", ")}</legend>
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

function shownOf(values: { readonly [path: string]: Json }): string {
  const shown = Object.values(values).map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return shown.length > 0 ? shown.join(", ") : "nothing";
}

/** `/venue/city` as "venue, city"; a form definition's labels are in the pages. */
function inWords(path: string): string {
  return path.split("/").slice(1).map((token) => token.replace(/^id:/, "").replaceAll("~1", "/").replaceAll("~0", "~")).join(", ");
}
