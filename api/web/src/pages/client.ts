/** Drafts on this device: one client for whoever is signed in. */

import { useEffect, useState } from "react";
import { Client, type Data, type DraftSession } from "../core";
import { browserName, deviceInWords } from "../parts/devices";
import { tokenAfter } from "./api";
import { tokens } from "./tokens";

const clients = new Map<string, Client>();
const GUEST = "guest";

/** The client of whoever is signed in; it keeps working, on what is here, after the sign-in has ended. */
export function clientNow(): Client {
  const user = tokens.bearer()?.sub ?? GUEST;
  const client =
    clients.get(user) ?? new Client({ token: tokenAfter, user, deviceName: browserName(navigator.userAgent) });
  clients.set(user, client);
  return client;
}

/** What waited on this device when a draft was opened: all of its form, and the version it was typed on. */
export interface Kept {
  readonly data: Data;
  readonly version: number;
}

export interface Opened {
  session: DraftSession | null;
  kept: Kept | null;
  problem: unknown;
}

const NOTHING: Opened = { session: null, kept: null, problem: undefined };

function keptIn(session: DraftSession): Kept | null {
  const { data, version } = session.snapshot();
  return session.hasUnsent() ? { data, version } : null;
}

/** A session of a draft for as long as the page is open; what waits afterwards stays on this device. */
export function useSession(id: string): Opened {
  const [opened, setOpened] = useState<Opened>(NOTHING);
  useEffect(() => {
    let over = false;
    const client = clientNow();
    const opening = client.open({ id });
    const settle = (next: Opened) => {
      if (!over) setOpened(next);
    };
    opening.then(
      (session) => settle({ ...NOTHING, session, kept: keptIn(session) }),
      (problem: unknown) => settle({ ...NOTHING, problem }),
    );
    return () => {
      over = true;
      opening.then((session) => client.close(session)).catch(() => undefined);
    };
  }, [id]);
  return opened;
}

/** The name of this device, as its saves carry it. */
export function deviceHere(): string | null {
  return localStorage.getItem(`variorum-device ${encodeURIComponent(tokens.bearer()?.sub ?? GUEST)}`);
}

/** A device as somebody reads it; `here` is what they call the one they sit at. */
export function deviceNamed(device: string, here = "this device"): string {
  return device === deviceHere() ? here : deviceInWords(device);
}
