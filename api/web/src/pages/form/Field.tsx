/** One field with its label, who else is in it, and whether something about it waits for a decision. */

import { touches, fieldAt, labelAt, tokens, valueAt } from "../../parts/forms";
import { kindAt, placesIn } from "../../parts/kinds";
import { ValueInput } from "../../parts/ValueInput";
import { isMasked } from "../../parts/values";
import { hue, listed, person } from "../../parts/words";
import { Link } from "../router";
import { ListField } from "./ListField";
import { useEdit } from "./edit";

/** The id of the input at a path, by which it is found again. */
export function inputId(path: string): string {
  return `at${path.replaceAll("/", "-").replaceAll(/[^\w-]/g, "_")}`;
}

export function Field({ path }: { path: string }) {
  const { form } = useEdit();
  switch (kindAt(form, path)) {
    case "list":
      return <ListField path={path} />;
    case "group":
      return <GroupField path={path} />;
    default:
      return <PlainField path={path} />;
  }
}

/** What a group of fields is called; not said twice where its step is called the same. */
export function Legend({ path }: { path: string }) {
  const { form, step } = useEdit();
  const label = labelAt(form, path);
  return <legend className={label === step ? "heard" : undefined}>{label}</legend>;
}

/** Places that belong together, under one heading. */
function GroupField({ path }: { path: string }) {
  const { form } = useEdit();
  return (
    <fieldset className="group">
      <Legend path={path} />
      <Conflicted path={path} exact />
      <div className="fields-grid">
        {placesIn(form, path).map((inner) => (
          <Field key={inner} path={inner} />
        ))}
      </div>
    </fieldset>
  );
}

function labelOf(form: Parameters<typeof fieldAt>[0], path: string): string {
  return fieldAt(form, path).label ?? labelAt(form, `/${tokens(path).at(-1) ?? ""}`);
}

function isWide(kind: string, path: string): boolean {
  return kind === "long" || kind === "tags" || /(name|street|email)$/.test(path);
}

function PlainField({ path }: { path: string }) {
  const { form, data, set, readOnly, othersAt } = useEdit();
  const id = inputId(path);
  const others = othersAt(path);
  const kind = kindAt(form, path);
  const value = valueAt(data, path);
  const [first] = others;
  const width = path === form.title ? "whole" : kind === "date" ? "date" : isWide(kind, path) ? "wide" : "";
  return (
    <div className={`field ${width} ${first === undefined ? "" : `visited hue-${hue(first)}`}`} data-path={path}>
      <label htmlFor={id}>
        {labelOf(form, path)}
        {first !== undefined && (
          <span className="visitor">
            {" "}
            · {listed(others.map((one) => person(one)))} {others.length === 1 ? "is" : "are"} here
          </span>
        )}
      </label>
      {isMasked(value) ? (
        <input id={id} disabled value="hidden from you" />
      ) : (
        <ValueInput
          id={id}
          form={form}
          path={path}
          value={value}
          disabled={readOnly}
          describedBy={conflictId(path)}
          onChange={(next) => set(path, next)}
        />
      )}
      <Conflicted path={path} />
    </div>
  );
}

const conflictId = (path: string) => `${inputId(path)}-clash`;

/** That this field has more than one value, and where somebody decides. */
export function Conflicted({ path, exact = false }: { path: string; exact?: boolean }) {
  const { conflicts, review } = useEdit();
  const here = conflicts.some((one) =>
    one.paths.some((at) => (exact ? at === path : touches(at, path) && at.length >= path.length)),
  );
  if (!here) return <span id={conflictId(path)} hidden />;
  return (
    <p id={conflictId(path)} className="clash small">
      Two values wait. <Link href={review}>Review</Link>
    </p>
  );
}
