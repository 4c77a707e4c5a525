/** Which client the components below work with. */
import { createContext, useContext, type ReactNode } from "react";
import type { Client } from "../core";

const Context = createContext<Client | null>(null);

/** Gives everything below it a client; one is made once, outside of any component. */
export function DraftsProvider({ client, children }: { readonly client: Client; readonly children: ReactNode }) {
  return <Context value={client}>{children}</Context>;
}

/** The client of the nearest `DraftsProvider`. */
export function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new Error("Put a <DraftsProvider client={…}> around this.");
  return client;
}
