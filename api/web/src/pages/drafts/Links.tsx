/** Links by which anybody who has one may see or edit a draft, until they end. */

import { type FormEvent, useState } from "react";
import { notify } from "../../parts/Announcer";
import type { Page } from "../../parts/answers";
import { useAct, useLoaded, useNow } from "../../parts/loading";
import { date, moment, until } from "../../parts/words";
import { apiOf, sentenceOf } from "../api";
import { Trouble } from "../site";
import { ROLES } from "./ShareDialog";

interface Link {
  id: string;
  role: "editor" | "viewer";
  expires_at: string | null;
  created_at: string;
}

interface Made {
  url: string;
}

const DAY = 86_400;
const LASTING = { "7": "for 7 days", "30": "for 30 days", "": "until it is taken back" } as const;

export function Links({ draft }: { draft: string }) {
  const links = useLoaded(() => apiOf().get<Page<Link>>(`/drafts/${draft}/links`, { query: { limit: 200 } }), [draft]);
  const [made, setMade] = useState<string | null>(null);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const make = (role: Link["role"], days: string) =>
    act(async () => {
      const wanted = { role, ...(days !== "" && { expires_in: Number(days) * DAY }) };
      const { url } = await apiOf().post<Made>(`/drafts/${draft}/links`, wanted);
      setMade(url);
      links.reload();
      notify({ text: "The link is made. It is shown only this once." });
    });
  const take = (link: Link) =>
    act(async () => {
      await apiOf().delete(`/drafts/${draft}/links/${link.id}`);
      notify({ text: "The link is taken back: it opens nothing any more." });
      links.reload();
    });
  return (
    <section className="share">
      <h3>Links</h3>
      <p className="soft small">
        Whoever has a link may see or edit this draft without signing in. It ends at once when you take it back.
      </p>
      {links.problem !== undefined && <Trouble problem={links.problem} retry={links.reload} />}
      {made !== null && <Copy url={made} />}
      <ul className="plain">
        {links.value?.items.map((link) => (
          <LinkLine key={link.id} link={link} busy={busy} take={() => take(link)} />
        ))}
      </ul>
      <NewLink busy={busy} make={make} />
    </section>
  );
}

/** A new link, to be copied now. */
function Copy({ url }: { url: string }) {
  const copy = () =>
    void navigator.clipboard.writeText(url).then(
      () => notify({ text: "Copied." }),
      () =>
        notify({ text: "The browser does not let this page copy: select the link and copy it yourself.", bad: true }),
    );
  return (
    <div className="row made">
      <input readOnly aria-label="The new link" value={url} onFocus={(event) => event.target.select()} />
      <button type="button" className="main" onClick={copy}>
        Copy
      </button>
    </div>
  );
}

function LinkLine({ link, busy, take }: { link: Link; busy: boolean; take: () => void }) {
  const now = useNow();
  const ends =
    link.expires_at === null
      ? "until taken back"
      : `until ${date(link.expires_at)} (${until(link.expires_at, { now }).text})`;
  return (
    <li className="row">
      <span className="grow">
        A link: whoever has it {ROLES[link.role]}
        <span className="soft small lines">
          made {moment(link.created_at, { now })} · {ends}
        </span>
      </span>
      <button type="button" className="quiet small bad" disabled={busy} onClick={take}>
        Take back<span className="heard"> the link made {moment(link.created_at, { now })}</span>
      </button>
    </li>
  );
}

function NewLink({ busy, make }: { busy: boolean; make: (role: Link["role"], days: string) => void }) {
  const [role, setRole] = useState<Link["role"]>("viewer");
  const [days, setDays] = useState<string>("7");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make(role, days);
  };
  return (
    <form className="row wrap invite" onSubmit={submit}>
      <div>
        <label htmlFor="link-role">Whoever has it</label>
        <select id="link-role" value={role} onChange={(event) => setRole(event.target.value as Link["role"])}>
          <option value="viewer">may look</option>
          <option value="editor">may edit</option>
        </select>
      </div>
      <div className="grow">
        <label htmlFor="link-days">It holds</label>
        <select id="link-days" value={days} onChange={(event) => setDays(event.target.value)}>
          {Object.entries(LASTING)
            .sort()
            .map(([value, said]) => (
              <option key={value} value={value}>
                {said}
              </option>
            ))}
        </select>
      </div>
      <button type="submit" disabled={busy}>
        Make a link
      </button>
    </form>
  );
}
