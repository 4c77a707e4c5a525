/** The hook that kept gigs in `localStorage`, with the same members, on drafts that are saved. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { adoptLocalStorage, asData, type Client, type Data, type DraftSession, type Receipt, type Which } from "../core";
import { useClient } from "./context";
import { useDraft, useDraftValue } from "./draft";

export interface GigFormPersistence {
  /** Saves now; the receipt comes once the service has committed everything that was typed. */
  readonly saveGigData: (data: object) => Promise<Receipt>;
  /** Keeps the values at once, and saves them when typing pauses. */
  readonly debouncedSaveGigData: (data: object) => void;
  /** What the draft holds; null if there is none. */
  readonly getGigData: () => Promise<Data | null>;
  /** Throws the draft away, here and on the service, where it can be taken out of the trash. */
  readonly clearGigData: () => Promise<void>;
  readonly hasUnsavedData: boolean;
  readonly lastServerSave: Date | null;
  readonly isOnline: boolean;
}

/** The draft of a gig, or of a new one; what the old hook has kept here is taken over once. */
export function useGigFormPersistence(gigId?: string | number): GigFormPersistence {
  const client = useClient();
  const subject = gigId === undefined ? null : String(gigId);
  const which = useMemo((): Which => ({ form: "gig", subject }), [subject]);
  const { session, error, reopen } = useDraft(useAdopted(client) ? which : null);
  const ready = useReady(session, error);

  const hasUnsavedData = useDraftValue(session, ({ status }) => status.waiting > 0) ?? false;
  const savedAt = useDraftValue(session, ({ status }) => status.savedAt);
  const isOnline = useDraftValue(session, ({ status }) => status.kind !== "offline") ?? client.isOnline();

  const saveGigData = useCallback(async (data: object) => change(await ready(), data).save(), [ready]);
  const debouncedSaveGigData = useCallback(
    (data: object) => void ready().then((open) => change(open, data), () => {}),
    [ready],
  );
  const getGigData = useCallback(async () => {
    const { version, status, data } = (await ready()).snapshot();
    return version === 0 && status.waiting === 0 ? null : data;
  }, [ready]);
  const clearGigData = useCallback(async () => {
    await (await ready()).discard();
    reopen();
  }, [ready, reopen]);

  const lastServerSave = useMemo(() => (savedAt === null ? null : new Date(savedAt)), [savedAt]);
  return { saveGigData, debouncedSaveGigData, getGigData, clearGigData, hasUnsavedData, lastServerSave, isOnline };
}

const adopting = new WeakMap<Client, Promise<unknown>>();

/** Whether the old entries were taken over; what cannot be sent now stays for the next page. */
function useAdopted(client: Client): boolean {
  const [adopted, setAdopted] = useState(false);
  useEffect(() => {
    const adoption = adopting.get(client) ?? adoptLocalStorage(client).catch(() => adopting.delete(client));
    adopting.set(client, adoption);
    void adoption.then(() => setAdopted(true));
  }, [client]);
  return adopted;
}

function change(session: DraftSession, data: object): DraftSession {
  session.change(asData(data));
  return session;
}

/** A function that waits for the session, and is the same as long as the component lives. */
function useReady(session: DraftSession | null, error: Error | null): () => Promise<DraftSession> {
  const state = useRef({ session, error, waiting: [] as [(session: DraftSession) => void, (error: Error) => void][] });
  useEffect(() => {
    Object.assign(state.current, { session, error });
    if (!session && !error) return;
    for (const [done, failed] of state.current.waiting.splice(0)) session ? done(session) : failed(error as Error);
  }, [session, error]);
  return useCallback(() => {
    const { session: open, error: why, waiting } = state.current;
    if (open) return Promise.resolve(open);
    return why ? Promise.reject(why) : new Promise((done, failed) => void waiting.push([done, failed]));
  }, []);
}
