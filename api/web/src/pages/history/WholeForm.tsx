/** The whole form as it was at a version, step by step; what the form no longer knows is shown too. */

import type { Data, Definition, Draft, Json, Step } from "../../parts/answers";
import { fieldAt, labelAt, pointer } from "../../parts/forms";
import { useLoaded, useNow } from "../../parts/loading";
import { show } from "../../parts/values";
import { moment, within } from "../../parts/words";
import { api, ask } from "../api";
import { type Known, Trouble, Waiting } from "../site";

export function WholeForm({ known, version }: { known: Known; version: number }) {
  const now = useNow();
  const path = { draft_id: known.draft.id };
  const past = useLoaded(
    () => ask<Draft>(api.GET("/v1/drafts/{draft_id}", { params: { path, query: { version } } })),
    [known.draft.id, version],
    { fresh: true },
  );
  if (past.problem) return <Trouble problem={past.problem} retry={past.reload} />;
  if (!past.value) return <Waiting what="that version" />;
  const { data, saved_at } = past.value;
  return (
    <>
      <header className="summary">
        <h2>The form at version {version}</h2>
        <p className="soft small">As it was {within(moment(saved_at, { now }))}.</p>
      </header>
      {stepsOf(known.form, data).map((step) => (
        <article key={step.id} className="sheet changed">
          <h3>{step.label ?? step.id}</h3>
          <dl className="whole">
            {step.paths.map((at) => (
              <Value key={at} form={known.form} path={at} value={data[at.slice(1)]} />
            ))}
          </dl>
        </article>
      ))}
    </>
  );
}

/** The form's steps with what the data has of them, and a last one for what no step names. */
function stepsOf(form: Definition, data: Data): Step[] {
  const named = new Set((form.steps ?? []).flatMap((step) => step.paths));
  const rest = Object.keys(data)
    .map((name) => pointer([name]))
    .filter((path) => !named.has(path));
  const steps = (form.steps ?? []).map((step) => ({
    ...step,
    paths: step.paths.filter((path) => path.slice(1) in data),
  }));
  const others = { id: "others", label: form.steps ? "Fields of no step" : "Fields", paths: rest };
  return [...steps, others].filter((step) => step.paths.length > 0);
}

function Value({ form, path, value }: { form: Definition; path: string; value: Json | undefined }) {
  return (
    <>
      <dt>{fieldAt(form, path).label ?? labelAt(form, path)}</dt>
      <dd className="text">
        {Array.isArray(value) && value.some((item) => item !== null && typeof item === "object") ? (
          <ol>
            {value.map((item, at) => (
              <li key={JSON.stringify(item)}>{show(item, form, `${path}/${at}`)}</li>
            ))}
          </ol>
        ) : (
          show(value, form, path)
        )}
      </dd>
    </>
  );
}
