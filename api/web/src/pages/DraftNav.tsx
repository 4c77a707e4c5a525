/** The pages of one draft, and how many of its conflicts wait. */

import type { Draft } from "../parts/answers";
import { Link, addressOf } from "./router";

interface Props {
  draft: Draft;
  /** How many conflicts are open, where that is known better than by the draft. */
  waiting?: number;
  current: "form" | "history" | "conflicts";
}

export function DraftNav({ draft, current, waiting: n = draft.conflicts.length }: Props) {
  const pages = [
    ["form", addressOf.form(draft.id), "Form"],
    ["history", addressOf.history(draft.id), "History"],
    ["conflicts", addressOf.conflicts(draft.id), n === 0 ? "Review" : `Review (${n})`],
  ] as const;
  return (
    <nav className="draft-nav" aria-label="This draft">
      {pages.map(([page, href, label]) => (
        <Link
          key={page}
          href={href}
          aria-current={page === current ? "page" : undefined}
          className={page === "conflicts" && n > 0 ? "waits" : undefined}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
