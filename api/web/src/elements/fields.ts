/** The fields of a plain HTML form as the values of a draft, and back. */
import type { Data, DraftSession, Json } from "../core";
import { same, valueAt } from "../core";

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** Keep a form and a draft the same, until the function that this gives is called. */
export function bindForm(form: HTMLFormElement, session: DraftSession): () => void {
  const typed = ({ target }: Event) => {
    const field = target as Field;
    if (field.name && fields(form).includes(field)) write(session, field);
  };
  const show = (data: Data) => fields(form).forEach((field) => read(field, valueAt(data, pathOf(field)), true));
  fields(form).forEach((field) => read(field, valueAt(session.snapshot().data, pathOf(field)), session.snapshot().version > 0));
  const stop = session.onOthers(show);
  for (const event of ["input", "change"]) form.addEventListener(event, typed);
  return () => {
    stop();
    for (const event of ["input", "change"]) form.removeEventListener(event, typed);
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
