/** A list of things with names, such as the line-up: put in order by dragging or by keys. */

import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { announce, notify } from "../../parts/Announcer";
import type { Json } from "../../parts/answers";
import { fieldAt, idOf, itemName, labelAt, valueAt } from "../../parts/forms";
import { newItem, placesIn } from "../../parts/kinds";
import { movedTo, placeAt } from "../../parts/reorder";
import { Conflicted, Field, Legend, inputId } from "./Field";
import { useEdit } from "./edit";

export function ListField({ path }: { path: string }) {
  const { form, data, set, readOnly } = useEdit();
  const found = valueAt(data, path);
  const items = Array.isArray(found) ? (found as readonly Json[]) : [];
  const list = useRef<HTMLOListElement>(null);
  const [over, setOver] = useState<{ from: number; to: number } | null>(null);
  const noun = (fieldAt(form, `${path}/*`).label ?? "item").toLowerCase();
  const put = (next: readonly Json[]) => set(path, next);
  const move = (from: number, to: number) => {
    if (to < 0 || to >= items.length || from === to) return;
    put(movedTo(items, from, to));
    announce(`${nameOf(from)} is at place ${to + 1} of ${items.length}`);
    focusHandle(list.current, to);
  };
  const nameOf = (at: number) => itemName(form, path, items[at]) ?? `${noun} ${at + 1}`;
  const add = () => {
    const item = newItem(form, path, crypto.randomUUID().slice(0, 8));
    put([...items, item]);
    focusFirst(list.current);
  };
  const remove = (at: number) => {
    const name = nameOf(at);
    put(items.toSpliced(at, 1));
    notify({
      text: `${name} is out of the ${labelAt(form, path).toLowerCase()}.`,
      act: { label: "Put back", do: () => put(items) },
    });
  };
  return (
    <fieldset className="list">
      <Legend path={path} />
      <Conflicted path={path} exact />
      {items.length > 1 && !readOnly && (
        <p className="soft small" id={`${inputId(path)}-how`}>
          Drag by the handle, or press the arrow keys on it, to change the order.
        </p>
      )}
      <ol className="plain" ref={list}>
        {items.map((item, at) => (
          <li key={idOf(item) ?? at} className={lineClass(over, at)}>
            {!readOnly && (
              <Handle
                name={nameOf(at)}
                place={at}
                total={items.length}
                how={`${inputId(path)}-how`}
                move={(to) => move(at, to)}
                list={list}
                drag={(to) => setOver(to === null ? null : { from: at, to })}
              />
            )}
            <div className="fields-grid grow" role="group" aria-label={nameOf(at)}>
              <Conflicted path={itemPath(path, item, at)} exact />
              {placesIn(form, `${path}/*`).map((inner) => (
                <Field key={inner} path={itemPath(path, item, at) + inner.slice(`${path}/*`.length)} />
              ))}
            </div>
            {!readOnly && (
              <button
                type="button"
                className="quiet take-out"
                aria-label={`Take ${nameOf(at)} out`}
                onClick={() => remove(at)}
              >
                ×
              </button>
            )}
          </li>
        ))}
      </ol>
      {items.length === 0 && <p className="soft">Nobody yet.</p>}
      {!readOnly && (
        <button type="button" className="quiet" onClick={add}>
          + Add {/^[aeiou]/.test(noun) ? "an" : "a"} {noun}
        </button>
      )}
    </fieldset>
  );
}

function itemPath(list: string, item: Json, at: number): string {
  const id = idOf(item);
  return id === undefined ? `${list}/${at}` : `${list}/id:${id}`;
}

function lineClass(over: { from: number; to: number } | null, at: number): string {
  if (over === null) return "item";
  if (over.from === at) return "item dragged";
  if (over.to !== at || over.to === over.from) return "item";
  return over.to > over.from ? "item drop-below" : "item drop-above";
}

/** After the list was drawn anew, the handle that was used is somewhere else. */
function focusHandle(list: HTMLOListElement | null, at: number): void {
  requestAnimationFrame(() => list?.children[at]?.querySelector<HTMLElement>(".handle")?.focus());
}

function focusFirst(list: HTMLOListElement | null): void {
  requestAnimationFrame(() => list?.lastElementChild?.querySelector<HTMLElement>("input, textarea, select")?.focus());
}

interface HandleProps {
  name: string;
  place: number;
  total: number;
  how: string;
  move: (to: number) => void;
  drag: (to: number | null) => void;
  list: { current: HTMLOListElement | null };
}

const STEPS: { [key: string]: (place: number, total: number) => number } = {
  ArrowUp: (place) => place - 1,
  ArrowDown: (place) => place + 1,
  Home: () => 0,
  End: (_, total) => total - 1,
};

function Handle({ name, place, total, how, move, drag, list }: HandleProps) {
  const dragging = useRef<number[] | null>(null);
  const target = (event: PointerEvent) => placeAt(event.clientY, dragging.current ?? [], place);
  const stop = () => {
    dragging.current = null;
    drag(null);
  };
  return (
    <button
      type="button"
      className="quiet handle"
      aria-label={`Move ${name}, place ${place + 1} of ${total}`}
      aria-describedby={how}
      onKeyDown={(event: KeyboardEvent) => {
        const step = STEPS[event.key];
        if (!step) return;
        event.preventDefault();
        move(step(place, total));
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragging.current = middlesOf(list.current);
      }}
      onPointerMove={(event) => {
        if (dragging.current) drag(target(event));
      }}
      onPointerUp={(event) => {
        if (dragging.current) move(target(event));
        stop();
      }}
      onPointerCancel={stop}
    >
      <span aria-hidden="true">⠿</span>
    </button>
  );
}

function middlesOf(list: HTMLOListElement | null): number[] {
  return [...(list?.children ?? [])].map((item) => {
    const { top, height } = item.getBoundingClientRect();
    return top + height / 2;
  });
}
