/** The token that the pages call the service with: from the address, from the host page, or given by hand. */

const KEPT = "variorum.token";

declare global {
  interface Window {
    /** A page that embeds these may give the token of whoever is signed in there. */
    variorumToken?: () => string | null | Promise<string | null>;
  }
}

export interface Bearer {
  token: string;
  /** Who the token names; null if it does not say so, as with a share link. */
  sub: string | null;
}

/** Who a token names: the `sub` of a JWT, read without checking what only the service can check. */
export function subOf(token: string): string | null {
  try {
    const body = token.split(".")[1];
    if (body === undefined) return null;
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === "string" ? sub : null;
  } catch {
    return null;
  }
}

/** The token in an address's fragment, and the fragment without it. */
export function takeToken(fragment: string): { token: string | null; rest: string } {
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = said.get("token");
  said.delete("token");
  const rest = said.toString();
  return { token, rest: rest && `#${rest}` };
}

let known: Bearer | null = null;
let asked = false;
const listeners = new Set<() => void>();

function settle(token: string | null): void {
  known = token === null ? null : { token, sub: subOf(token) };
  for (const listener of listeners) listener();
}

/** Take the token from the address, so that nobody reads it there, or the one that was kept. */
export function readToken(): void {
  const { token, rest } = takeToken(location.hash);
  if (token !== null) {
    history.replaceState(history.state, "", location.pathname + location.search + rest);
    keep(token);
  }
  settle(sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT));
}

/** A share link's token is for its tab alone; a person's own is kept until they sign out. */
function keep(token: string): void {
  if (subOf(token) === null) sessionStorage.setItem(KEPT, token);
  else {
    sessionStorage.removeItem(KEPT);
    localStorage.setItem(KEPT, token);
  }
}

export const tokens = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  bearer: (): Bearer | null => known,
  /** The token to call with now; asks the host page each time, since only it knows when one has ended. */
  async current(): Promise<string | null> {
    if (!window.variorumToken) return known?.token ?? null;
    const token = await window.variorumToken();
    if (token !== (known?.token ?? null) || !asked) settle(token);
    asked = true;
    return token;
  },
  use(token: string): void {
    keep(token);
    settle(token);
  },
  forget(): void {
    sessionStorage.removeItem(KEPT);
    localStorage.removeItem(KEPT);
    settle(null);
  },
};
