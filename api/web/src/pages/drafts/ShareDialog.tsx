/** Who else may see or edit a draft: people by name, anybody by a link, and a new owner. */

import { type FormEvent, useState } from "react";
import { notify } from "../../parts/Announcer";
import { Dialog } from "../../parts/Dialog";
import type { Page } from "../../parts/answers";
import { useAct, useLoaded } from "../../parts/loading";
import { Who } from "../../parts/Who";
import { person } from "../../parts/words";
import { apiOf, sentenceOf } from "../api";
import { Trouble, Waiting, useSite } from "../site";
import { Links } from "./Links";

type Shared = "editor" | "viewer";

interface Member {
  user: string;
  role: Shared | "owner";
}

interface Props {
  draft: { id: string };
  title: string;
  onClose: () => void;
  /** The draft belongs to somebody else now. */
  onHandedOver: () => void;
}

export const ROLES: { [role in Shared]: string } = { editor: "may edit", viewer: "may look" };

export function ShareDialog({ draft, title, onClose, onHandedOver }: Props) {
  const members = useLoaded(
    () => apiOf().get<Page<Member>>(`/drafts/${draft.id}/members`, { query: { limit: 200 } }),
    [draft.id],
  );
  return (
    <Dialog title={`Share ${title}`} onClose={onClose} wide>
      {members.problem !== undefined && <Trouble problem={members.problem} retry={members.reload} />}
      {!members.value && members.problem === undefined && <Waiting what="who has it" />}
      {members.value && (
        <Members draft={draft.id} members={members.value.items} changed={members.reload} onHandedOver={onHandedOver} />
      )}
      <Links draft={draft.id} />
    </Dialog>
  );
}

interface MembersProps {
  draft: string;
  members: readonly Member[];
  changed: () => void;
  onHandedOver: () => void;
}

function Members({ draft, members, changed, onHandedOver }: MembersProps) {
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const [leaving, setLeaving] = useState<string | null>(null);
  const at = (user: string) => `/drafts/${draft}/members/${encodeURIComponent(user)}`;
  const give = (user: string, role: Shared) =>
    act(async () => {
      await apiOf().put(at(user), { role });
      notify({ text: `${person(user)} ${ROLES[role]} this draft.` });
      changed();
    });
  const take = (user: string) =>
    act(async () => {
      await apiOf().delete(at(user));
      notify({ text: `${person(user)} has this draft no more.` });
      changed();
    });
  const handOver = (user: string) =>
    act(async () => {
      await apiOf().put(`/drafts/${draft}/owner`, { user });
      notify({ text: `The draft belongs to ${person(user)} now; you may still edit it.` });
      onHandedOver();
    });
  return (
    <section className="share">
      <h3>People</h3>
      <ul className="plain">
        {members.map((one) => (
          <MemberLine
            key={one.user}
            one={one}
            busy={busy}
            give={give}
            take={take}
            handOver={() => setLeaving(one.user)}
          />
        ))}
      </ul>
      {leaving !== null && (
        <div className="strip">
          <p>
            Make {person(leaving)} the owner? Only the owner shares a draft, puts it in the trash and sees its hidden
            fields in full.
          </p>
          <button type="button" disabled={busy} onClick={() => handOver(leaving)}>
            Hand it over
          </button>
          <button type="button" className="quiet" onClick={() => setLeaving(null)}>
            Keep it
          </button>
        </div>
      )}
      <Invite busy={busy} give={give} />
    </section>
  );
}

interface LineProps {
  one: Member;
  busy: boolean;
  give: (user: string, role: Shared) => void;
  take: (user: string) => void;
  handOver: () => void;
}

function MemberLine({ one, busy, give, take, handOver }: LineProps) {
  const { me } = useSite();
  const name = person(one.user, me);
  return (
    <li className="row">
      <Who by={one.user} />
      <span className="grow">{name}</span>
      {one.role === "owner" ? (
        <span className="soft">{one.user === me ? "own it" : "owns it"}</span>
      ) : (
        <>
          <select
            aria-label={`What ${name} may do`}
            value={one.role}
            disabled={busy}
            onChange={(event) => give(one.user, event.target.value as Shared)}
          >
            <option value="editor">may edit</option>
            <option value="viewer">may look</option>
          </select>
          <button type="button" className="quiet small" disabled={busy} onClick={handOver}>
            Make owner<span className="heard"> of it {name}</span>
          </button>
          <button type="button" className="quiet small bad" disabled={busy} onClick={() => take(one.user)}>
            Take away<span className="heard"> from {name}</span>
          </button>
        </>
      )}
    </li>
  );
}

function Invite({ busy, give }: { busy: boolean; give: (user: string, role: Shared) => void }) {
  const [user, setUser] = useState("");
  const [role, setRole] = useState<Shared>("editor");
  const invite = (event: FormEvent) => {
    event.preventDefault();
    give(user.trim(), role);
    setUser("");
  };
  return (
    <form className="row wrap invite" onSubmit={invite}>
      <div className="grow">
        <label htmlFor="invite-user">Somebody by name</label>
        <input
          id="invite-user"
          value={user}
          autoComplete="off"
          spellCheck={false}
          placeholder="As they sign in, such as ben"
          onChange={(event) => setUser(event.target.value)}
        />
      </div>
      <div>
        <label htmlFor="invite-role">They</label>
        <select id="invite-role" value={role} onChange={(event) => setRole(event.target.value as Shared)}>
          <option value="editor">may edit</option>
          <option value="viewer">may look</option>
        </select>
      </div>
      <button type="submit" disabled={busy || user.trim() === ""}>
        Share
      </button>
    </form>
  );
}
