/** Setting a value in a form's data; what is not touched stays the same object. */

import { isObject } from "../../core/json";
import { position, tokens } from "../../core/path";
import type { Data, Json } from "../../parts/answers";

/** The data with a value at a path, objects on the way made where there are none; undefined takes the member out. */
export function putAt(data: Data, path: string, value: Json | undefined): Data {
  return put(data, tokens(path), value) as Data;
}

function put(within: Json | undefined, [token, ...rest]: string[], value: Json | undefined): Json | undefined {
  if (token === undefined) return value;
  if (Array.isArray(within)) return inList(within as readonly Json[], token, rest, value);
  const object = isObject(within) ? within : {};
  const inner = put(object[token], rest, value);
  if (inner !== undefined) return { ...object, [token]: inner };
  const { [token]: _, ...others } = object;
  return others;
}

function inList(items: readonly Json[], token: string, rest: string[], value: Json | undefined): Json[] {
  const at = position(items, token);
  if (at < 0) return [...items];
  const inner = put(items[at], rest, value);
  return inner === undefined ? items.toSpliced(at, 1) : items.with(at, inner);
}
