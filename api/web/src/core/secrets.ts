/** Fields that are never written to disk: they live in memory and on their way to the service only. */
import type { Operation } from "./changes";
import { isObject, type Data, type Json } from "./json";
import { child, related } from "./path";
import type { Form, Parts } from "./state";

/** The same parts without what lies at or below these paths. */
export function withoutSecrets(parts: Partial<Parts>, secrets: readonly string[]): Partial<Parts> {
  if (secrets.length === 0) return parts;
  const data = (value: Data) => stripped(value, "", secrets) as Data;
  const operations = (all: readonly Operation[]) => all.flatMap((one) => cleaned(one, secrets));
  const { base, outbox, typed } = parts;
  return {
    ...(base && { base: { ...base, base: { ...base.base, data: data(base.base.data) } } }),
    ...(outbox && {
      outbox: {
        ...outbox,
        outbox: outbox.outbox.map((request) => ({
          ...request,
          ...(request.opening && { opening: { ...(request.opening as typeof request.opening & Form), data: data(request.opening.data) } }),
          ...(request.changes && { changes: operations(request.changes) }),
          ...(request.data && { data: data(request.data) }),
        })),
      },
    }),
    ...(typed && { typed: { ...typed, changes: operations(typed.changes) } }),
  };
}

function cleaned(one: Operation, secrets: readonly string[]): Operation[] {
  if (secrets.some((secret) => one.path === secret || one.path.startsWith(`${secret}/`))) return [];
  return [one.value === undefined ? one : { ...one, value: stripped(one.value, one.path, secrets) }];
}

function stripped(value: Json, path: string, secrets: readonly string[]): Json {
  if (!isObject(value) || !secrets.some((secret) => related(secret, path))) return value;
  const kept = Object.entries(value).filter(([name]) => !secrets.includes(child(path, name)));
  return Object.fromEntries(kept.map(([name, below]) => [name, stripped(below, child(path, name), secrets)]));
}
