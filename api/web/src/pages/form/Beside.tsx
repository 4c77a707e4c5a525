/** What stands beside the form: what happened lately, and how long the draft is kept. */

import type { Draft, Page, VersionLine, Definition } from "../../parts/answers";
import { fieldsOf, labelAt } from "../../parts/forms";
import { useAct, useLoaded, useNow } from "../../parts/loading";
import { capital, day, hue, person, several, time, until } from "../../parts/words";
import { notify } from "../../parts/Announcer";
import { api, ask, sentenceOf } from "../api";
import { extend } from "../drafts/acts";
import { deviceNamed } from "../client";
import { Link, addressOf } from "../router";
import { useSite } from "../site";

interface Props {
  draft: Draft;
  form: Definition;
  title: string;
}

export function Beside({ draft, form, title }: Props) {
  return (
    <aside className="beside" aria-label="About this draft">
      <Lately draft={draft} form={form} />
      {draft.status === "open" && !draft.template && <Kept draft={draft} title={title} />}
    </aside>
  );
}

function Lately({ draft, form }: { draft: Draft; form: Definition }) {
  const { me } = useSite();
  const now = useNow();
  const params = { path: { draft_id: draft.id }, query: { limit: 8 } };
  const lines = useLoaded(
    () => ask<Page<VersionLine>>(api.GET("/v1/drafts/{draft_id}/versions", { params })),
    [draft.id, draft.version],
  );
  return (
    <section>
      <h2>Lately</h2>
      <ol className="plain">
        {lines.value?.items.map((line) => (
          <li key={line.version}>
            <span className="soft">{day(line.at, { now }) === "Today" ? time(line.at) : day(line.at, { now })}</span>{" "}
            <span className={`by-who hue-${hue(line.by)}`}>{person(line.by, me)}</span>
            {line.device && <span className="soft"> on {deviceNamed(line.device)}</span>} · {whatOf(line, form)}
          </li>
        ))}
      </ol>
      <p className="small">
        <Link href={addressOf.history(draft.id)}>All of the history</Link>
      </p>
    </section>
  );
}

function whatOf(line: VersionLine, form: Definition): string {
  const fields = fieldsOf(line.paths).map((path) => labelAt(form, path));
  const act = capital(line.act.replaceAll("_", " "));
  return fields.length === 0 ? act : line.act === "edited" ? several(fields, 2) : `${act}: ${several(fields, 2)}`;
}

function Kept({ draft, title }: { draft: Draft; title: string }) {
  const now = useNow();
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const ends = until(draft.expires_at, { now });
  return (
    <section>
      <h2>Kept until</h2>
      <p className={ends.soon ? "small clash" : "small soft"}>
        {ends.soon ? `It expires ${ends.text}. ` : `${ends.text}. `}Each save puts that off.
      </p>
      {ends.soon && draft.role !== "viewer" && (
        <button
          type="button"
          className="quiet small"
          disabled={busy}
          onClick={() => act(() => extend(draft.id, title))}
        >
          Keep longer
        </button>
      )}
    </section>
  );
}
