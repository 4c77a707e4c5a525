/** Drafts of which something typed on this device never reached the service: told, with a way to each. */

import { useLoaded } from "../../parts/loading";
import { clientNow } from "../client";
import { Link, addressOf } from "../router";
import { fetchDraft, titleOf } from "../site";

/** A form that was left just now still saves what was typed last. */
const SETTLED = 2_500;

interface Held {
  id: string;
  title: string;
}

async function heldHere(): Promise<readonly Held[]> {
  await new Promise((done) => setTimeout(done, SETTLED));
  return Promise.all((await clientNow().unsent()).map(({ id, form }) => named(id, form)));
}

async function named(id: string, form: string): Promise<Held> {
  const title = await fetchDraft(id).then(
    (known) => titleOf(known.draft, known.form),
    () => titleOf({ title: null, form }),
  );
  return { id, title };
}

export function NotSaved() {
  const held = useLoaded(heldHere, []).value ?? [];
  if (held.length === 0) return null;
  return (
    <p className="strip" role="status">
      What was typed on this device is not all saved yet. Open it to go on:
      {held.map(({ id, title }) => (
        <Link key={id} href={addressOf.form(id)}>
          {title}
        </Link>
      ))}
    </p>
  );
}
