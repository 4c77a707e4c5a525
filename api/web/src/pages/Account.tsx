/** Who is signed in, and signing out without dropping what only this device holds. */

import { useState } from "react";
import type { Unsent } from "../core";
import { notify } from "../parts/Announcer";
import { Dialog } from "../parts/Dialog";
import { Menu } from "../parts/Menu";
import { useAct } from "../parts/loading";
import { count, initials, person } from "../parts/words";
import { sentenceOf } from "./api";
import { clientNow } from "./client";
import { Link, addressOf } from "./router";
import { tokens } from "./tokens";

export function Account({ sub }: { sub: string | null }) {
  const name = sub === null ? "A guest with a link" : person(sub);
  const [unsent, setUnsent] = useState<readonly Unsent[]>([]);
  const [busy, act] = useAct((problem) => notify({ text: sentenceOf(problem), bad: true }));
  const leave = () =>
    act(async () => {
      await clientNow().signOut();
      tokens.forget();
    });
  const ask = () =>
    act(async () => {
      const waiting = await clientNow().unsent();
      if (waiting.length > 0) return setUnsent(waiting);
      await clientNow().signOut();
      tokens.forget();
    });
  return (
    <>
      <Menu label={`Signed in as ${name}`} items={[{ label: `Sign out ${name}`, do: ask }]}>
        <span className="who mine">{sub === null ? "↗" : initials(sub)}</span>
      </Menu>
      {unsent.length > 0 && (
        <Dialog title="Not everything is saved" onClose={() => setUnsent([])}>
          <p>{count(unsent.length, "draft")} hold what only this device has. Signing out removes it from here.</p>
          <ul>
            {unsent.map((one) => (
              <li key={one.id}>
                <Link href={addressOf.form(one.id)} onClick={() => setUnsent([])}>
                  A {one.form}
                </Link>
                , {one.waiting} waiting
              </li>
            ))}
          </ul>
          <div className="row actions">
            <button type="button" className="main" onClick={() => setUnsent([])}>
              Stay signed in
            </button>
            <button type="button" className="bad" disabled={busy} onClick={leave}>
              Sign out and drop it
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
