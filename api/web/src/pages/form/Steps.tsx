/** The steps of a form: where somebody is, what is done, and the fields of the one that is open. */

import { Fragment, useEffect, useRef } from "react";
import type { Definition, Step } from "../../parts/answers";
import { pointer } from "../../parts/forms";
import { kindAt } from "../../parts/kinds";
import type { Data } from "../../parts/answers";
import { Field } from "./Field";

/** The form's steps; one of all fields if its definition names none, and a last one for fields that none names. */
export function stepsOf(form: Definition, data: Data): Step[] {
  const named = new Set((form.steps ?? []).flatMap((step) => step.paths));
  const rest = Object.keys(data)
    .map((name) => pointer([name]))
    .filter((path) => !named.has(path));
  const others = { id: "others", label: named.size > 0 ? "Other fields" : "Fields", paths: rest };
  return rest.length > 0 || named.size === 0 ? [...(form.steps ?? []), others] : [...(form.steps ?? [])];
}

interface NavProps {
  steps: Step[];
  current: Step;
  completed: readonly string[];
  open: (step: string) => void;
}

export function StepNav({ steps, current, completed, open }: NavProps) {
  return (
    <ol className="plain steps" aria-label="Steps">
      {steps.map((step, at) => {
        const done = completed.includes(step.id);
        return (
          <li key={step.id} className={done ? "done" : undefined}>
            <button
              type="button"
              aria-current={step.id === current.id ? "step" : undefined}
              onClick={() => open(step.id)}
            >
              <span className="number" aria-hidden="true">
                {done ? "✓" : at + 1}
              </span>
              {step.label ?? step.id}
              {done && <span className="heard">, done</span>}
            </button>
          </li>
        );
      })}
    </ol>
  );
}

interface FieldsProps {
  form: Definition;
  step: Step;
  /** Whether the step was just gone to, and takes the focus. */
  arrived: boolean;
}

export function StepFields({ form, step, arrived }: FieldsProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (arrived) heading.current?.focus();
  }, [step.id, arrived]);
  return (
    <>
      <h2 ref={heading} tabIndex={-1}>
        {step.label ?? step.id}
      </h2>
      {runs(form, step.paths).map((run) => (
        <Fragment key={run[0]}>
          {isBlock(form, run[0] ?? "") ? (
            run.map((path) => <Field key={path} path={path} />)
          ) : (
            <div className="fields-grid">
              {run.map((path) => (
                <Field key={path} path={path} />
              ))}
            </div>
          )}
        </Fragment>
      ))}
    </>
  );
}

function isBlock(form: Definition, path: string): boolean {
  const kind = kindAt(form, path);
  return kind === "list" || kind === "group";
}

/** Paths in their order, those of simple fields beside each other together. */
function runs(form: Definition, paths: readonly string[]): string[][] {
  return paths.reduce<string[][]>((all, path) => {
    const last = all.at(-1);
    const joins = last?.[0] !== undefined && !isBlock(form, path) && !isBlock(form, last[0]);
    if (joins && last) last.push(path);
    else all.push([path]);
    return all;
  }, []);
}
