/** The fields of a plain HTML form as the values of a draft, and back. */
import type { Data, DraftSession, Json } from "../core";
import { same, valueAt } from "../core";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const TYPED = ["input", "change"];

/**
 * Keep a form and a draft the same. What is typed before the draft is open goes into it once it is, over
 * what the draft holds there.
 *
 * @returns the function that ends it
 */
export function bindForm(form: HTMLFormElement, opening: Promise<DraftSession>): () => void {
  const early = new Set<Field>();
  let keep = (field: Field): unknown => early.add(field);
  let stop = () => {};
  let over = false;
  const typed = ({ target }: Event) => fields(form).includes(target as Field) && keep(target as Field);
  for (const event of TYPED) form.addEventListener(event, typed);
  void opening.then((session) => {
    if (over) return;
    const show = (data: Data, clear: boolean) =>
      fields(form).forEach((field) => early.has(field) || read(field, valueAt(data, pathOf(field)), clear));
    show(session.snapshot().data, session.snapshot().version > 0);
    stop = session.onOthers((data) => show(data, true));
    keep = (field) => write(session, field);
    early.forEach((field) => (early.delete(field), keep(field)));
  }, () => {});
  return () => {
    over = true;
    stop();
    for (const event of TYPED) form.removeEventListener(event, typed);
  };
}

/** Where a field's value is in the draft: `name="venue.city"` is `/venue/city`. */
export function pathOf(field: { readonly name: string }): string {
  return field.name.startsWith("/") ? field.name : `/${field.name.replaceAll(".", "/")}`;
}

function fields(form: HTMLFormElement): Field[] {
  return [...form.elements].filter((one): one is Field => "name" in one && one.name !== "" && "value" in one && one.localName !== "button");
}

/** Objects on the way to a field are made as they are needed. */
function write(session: DraftSession, field: Field): void {
  const parts = pathOf(field).split("/").slice(1);
  for (let i = 1; i < parts.length; i++) {
    const above = `/${parts.slice(0, i).join("/")}`;
    if (valueAt(session.snapshot().data, above) === undefined) session.set(above, {});
  }
  session.set(pathOf(field), valueOf(field));
}

function valueOf(field: Field): Json | undefined {
  if (field instanceof HTMLSelectElement && field.multiple) return [...field.selectedOptions].map(({ value }) => value);
  if (!(field instanceof HTMLInputElement)) return field.value;
  if (field.type === "checkbox") return field.checked;
  if (field.type === "radio") return field.checked ? field.value : undefined;
  if (field.type === "number" || field.type === "range") return field.value === "" ? null : field.valueAsNumber;
  return field.value;
}

/** A field that shows this already is left alone, with its cursor; without a value it is emptied if `clear`. */
function read(field: Field, value: Json | undefined, clear: boolean): void {
  if ((value === undefined && !clear) || same(valueOf(field), value)) return;
  if (field instanceof HTMLSelectElement && field.multiple) {
    for (const option of field.options) option.selected = Array.isArray(value) && value.includes(option.value);
  } else if (field instanceof HTMLInputElement && field.type === "checkbox") field.checked = value === true;
  else if (field instanceof HTMLInputElement && field.type === "radio") field.checked = field.value === value;
  else if (!isSame(field, value)) field.value = value === null || value === undefined ? "" : String(value);
}

function isSame(field: Field, value: Json | undefined): boolean {
  return field.value === (value === null || value === undefined ? "" : String(value));
}
