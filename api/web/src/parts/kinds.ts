/** What kind of input a place of a form wants, by its definition and schema. */

import { isObject } from "../core/json";
import type { Data, Definition, Json } from "./answers";
import { described, fieldAt, isItem, tokens } from "./forms";

export type Kind =
  | "text"
  | "long"
  | "email"
  | "phone"
  | "date"
  | "time"
  | "number"
  | "integer"
  | "money"
  | "currency"
  | "yes"
  | "tags"
  | "list"
  | "group";

type Schema = Data;

function asSchema(value: Json | undefined): Schema | undefined {
  return isObject(value) ? value : undefined;
}

function resolved(schema: Schema | undefined, root: Schema): Schema | undefined {
  const ref = schema?.$ref;
  if (typeof ref !== "string" || !ref.startsWith("#/")) return schema;
  let found: Json | undefined = root;
  for (const token of tokens(ref.slice(1))) found = asSchema(found)?.[token];
  return resolved(asSchema(found), root);
}

/** The schema of a place; undefined where the form has none. */
export function schemaAt(form: Definition, path: string): Schema | undefined {
  const root = asSchema(form.schema);
  if (!root) return undefined;
  let found: Schema | undefined = root;
  for (const token of tokens(path)) {
    const outer = resolved(found, root);
    found = isItem(token) || token === "*" ? asSchema(outer?.items) : asSchema(asSchema(outer?.properties)?.[token]);
  }
  return resolved(found, root);
}

/** What to fill a place in with. */
export function kindAt(form: Definition, path: string): Kind {
  const field = fieldAt(form, path);
  const schema = schemaAt(form, path) ?? {};
  const format = field.format ?? "";
  if (format.startsWith("currency:")) return "money";
  if (format === "date" || format === "time") return format;
  if (field.merge === "text") return "long";
  return byType(form, path, schema);
}

const CODE = "^[A-Z]{3}$";

function byType(form: Definition, path: string, schema: Schema): Kind {
  switch (schema.type) {
    case "number":
    case "integer":
      return schema.type;
    case "boolean":
      return "yes";
    case "object":
      return "group";
    case "array":
      return asSchema(schemaAt(form, `${path}/*`))?.type === "object" ? "list" : "tags";
  }
  if (schema.pattern === CODE) return "currency";
  const name = tokens(path).at(-1);
  return name === "email" || name === "phone" ? name : "text";
}

/** The places directly within one, in the order of the schema, then of the definition. */
export function placesIn(form: Definition, path: string): string[] {
  const inner = Object.keys(asSchema(schemaAt(form, path)?.properties) ?? {}).filter((name) => name !== "id");
  if (inner.length > 0) return inner.map((name) => `${path}/${name}`);
  const at = `${described(path)}/`;
  const named = Object.keys(form.fields ?? {}).filter(
    (one) => one.startsWith(at) && !one.slice(at.length).includes("/"),
  );
  return named.map((one) => path + one.slice(at.length - 1));
}

/** The code of the currency that an amount is written in. */
export function currencyAt(form: Definition, path: string): string | undefined {
  const [kind, code] = (fieldAt(form, path).format ?? "").split(":");
  return kind === "currency" ? code : undefined;
}

/** What a place of this kind holds once it is emptied: nothing, so that the member goes. */
export function parsed(kind: Kind, typed: string): Json | undefined {
  if (kind === "number" || kind === "integer" || kind === "money") return numberIn(typed);
  return typed === "" && kind !== "text" && kind !== "long" ? undefined : typed;
}

/** The number that somebody wrote, with a comma or a point; what is no number stays as it is written. */
function numberIn(typed: string): Json | undefined {
  const plain = typed.trim().replace(/\s/g, "").replace(",", ".");
  if (plain === "") return undefined;
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : typed;
}

/** A new item of a list, with an id that no other device makes. */
export function newItem(form: Definition, list: string, id: string): Data {
  return { [fieldAt(form, list).key ?? "id"]: id };
}
