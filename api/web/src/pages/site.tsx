/** What every page has: who reads it, form definitions, a heading that takes the focus, and places for trouble. */

import { createContext, type ReactNode, useContext, useEffect, useRef } from "react";
import { announce } from "../parts/Announcer";
import type { Definition, Draft } from "../parts/answers";
import { NO_FORM } from "../parts/forms";
import type { Clock } from "../parts/words";
import { Problem, api, ask, sentenceOf } from "./api";
import { keepForm, keptForm } from "./offline";

export interface Site {
  /** The `sub` of whoever reads; null for a share link. */
  me: string | null;
}

export const SiteContext = createContext<Site>({ me: null });

export function useSite(): Site {
  return useContext(SiteContext);
}

/** The page's heading and title; it takes the focus when the page opens, so that it is read. */
export function Heading({ title, children, small }: { title: string; children?: ReactNode; small?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    document.title = `${title} · Variorum`;
  }, [title]);
  return (
    <>
      {small && <p className="soft small crumb">{small}</p>}
      <h1 ref={heading} tabIndex={-1}>
        {children ?? title}
      </h1>
    </>
  );
}

/** What went wrong, and a way on. */
export function Trouble({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const sentence = sentenceOf(problem);
  useEffect(() => announce(sentence), [sentence]);
  return (
    <div className="sheet trouble">
      <p>{sentence}</p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** Said only if something takes long enough to wonder. */
export function Waiting({ what }: { what: string }) {
  return <p className="soft waiting">Loading {what}…</p>;
}

const definitions = new Map<string, Promise<Definition>>();

/** A form's definition, fetched once; a form without one is read by its data alone. */
export function definitionOf(form: string): Promise<Definition> {
  const known = definitions.get(form);
  if (known) return known;
  const asked = ask<Definition>(api.GET("/v1/forms/{form}", { params: { path: { form } } })).then(
    (fetched) => keepForm(form, fetched),
    (problem: unknown) => {
      if (problem instanceof Problem && problem.status === 404) return NO_FORM;
      definitions.delete(form);
      const kept = keptForm(form);
      if (kept) return kept;
      throw problem;
    },
  );
  definitions.set(form, asked);
  return asked;
}

export interface Known {
  draft: Draft;
  form: Definition;
}

/** A draft as it is now, with its form's definition. */
export async function fetchDraft(id: string): Promise<Known> {
  const draft = await ask<Draft>(api.GET("/v1/drafts/{draft_id}", { params: { path: { draft_id: id } } }));
  return { draft, form: await definitionOf(draft.form) };
}

/** What a draft is called. */
export function titleOf(draft: { title: string | null; form: string }, form?: Definition): string {
  return draft.title?.trim() || `Untitled ${(form?.label ?? draft.form).toLowerCase()}`;
}

export function clockAt(now: Date): Clock {
  return { now };
}
