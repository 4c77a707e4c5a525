/** Drafts on this device: one client for whoever is signed in. */

import { useEffect, useState } from "react";
import { Client, type DraftSession } from "../core";
import { browserName, deviceInWords } from "../parts/devices";
import { tokenAfter } from "./api";
import { tokens } from "./tokens";

const clients = new Map<string, Client>();
const GUEST = "guest";

/** The client of whoever is signed in; it keeps working, on what is here, after the sign-in has ended. */
export function clientNow(): Client {
  const user = tokens.bearer()?.sub ?? GUEST;
  const client = clients.get(user) ?? new Client({ token: tokenAfter, user, deviceName: browserName(navigator.userAgent) });
  clients.set(user, client);
  return client;
}

export interface Opened {
  session: DraftSession | null;
  problem: unknown;
}

/** A session of a draft for as long as the page is open; what waits afterwards stays on this device. */
export function useSession(id: string): Opened {
  const [opened, setOpened] = useState<Opened>({ session: null, problem: undefined });
  useEffect(() => {
    let over = false;
    const client = clientNow();
    const opening = client.open({ id });
    const settle = (next: Opened) => {
      if (!over) setOpened(next);
    };
    opening.then(
      (session) => settle({ session, problem: undefined }),
      (problem: unknown) => settle({ session: null, problem }),
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
