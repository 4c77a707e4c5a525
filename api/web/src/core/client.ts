/** Where a page begins: who is calling which service, and the drafts that are open in this tab. */
import { Api, Refused, Unreachable, type TokenSource } from "./api";
import { browser, uuid, type Environment } from "./environment";
import { Journal } from "./journal";
import type { Data } from "./json";
import { DraftSession } from "./session";
import { begin, known, partsOf, restored, waiting, type Parts, type State } from "./state";
import { Tabs } from "./tabs";
import type { Draft, DraftLine, Page } from "./wire";

export interface ClientOptions {
  /** The service, without a slash at the end; "" for the one that served the page. */
  readonly url?: string;
  readonly token: string | TokenSource;
  /** Whose drafts these are; the token's `sub` if it is not given. */
  readonly user?: string;
  /** What this browser is called in the history, as "Firefox on Linux"; a few letters tell it from others. */
  readonly deviceName?: string;
  /** Paths of fields that are never written to disk, as `/account/pin`. */
  readonly secrets?: readonly string[];
  readonly environment?: Partial<Environment>;
}

/** A draft by its id; or the one open draft for a form and the thing that it edits. */
export type Which =
  | { readonly id: string }
  | { readonly form: string; readonly subject?: string | null; readonly initial?: Data };

/** A draft of which something waits on this device. */
export interface Unsent {
  readonly id: string;
  readonly form: string;
  readonly subject: string | null;
  readonly waiting: number;
}

/** How long a draft that is here already may take to be asked for, before it is shown as it is here. */
const PATIENCE = 1_500;
/** How long a draft that everybody left stays open. */
const LINGER = 1_000;

/** A draft that is open in this tab, and how many use it. */
interface Held {
  readonly session: Promise<DraftSession>;
  users: number;
}

export class Client {
  readonly api: Api;
  readonly #environment: Environment;
  readonly #sessions = new Map<string, Held>();
  #everywhere: BroadcastChannel | undefined;
  readonly #closers = new WeakMap<DraftSession, () => void>();
  readonly #journals = new Map<string, Journal<Parts>>();

  constructor(private readonly options: ClientOptions) {
    const { token } = options;
    this.#environment = { ...browser(), ...options.environment };
    this.api = new Api(options.url ?? "", typeof token === "string" ? () => token : token, this.#environment.fetch);
  }

  /** Whether the browser has a network at all. */
  isOnline = (): boolean => this.#environment.isOnline();

  /** Whose drafts are kept on this device now. */
  async user(): Promise<string> {
    return this.options.user ?? subOf(await this.api.token()) ?? "nobody";
  }

  /**
   * Open a draft: as it is on this device if the service cannot be reached. Each call is matched by one
   * of `close`; within a tab a draft is one session, however often it is opened.
   *
   * @throws Refused: the draft is not there, or not for this user
   * @throws Unreachable: nothing of a draft with this id is on this device
   */
  async open(which: Which): Promise<DraftSession> {
    const user = await this.user();
    this.#listen(user);
    const key = await this.#keyOf(user, which);
    const name = `${user} ${key}`;
    const held = this.#sessions.get(name) ?? { session: this.#begin(user, key, which), users: 0 };
    this.#sessions.set(name, held);
    held.users += 1;
    try {
      const session = await held.session;
      this.#closers.set(session, () => this.#leave(name, held, session));
      return session;
    } catch (error) {
      this.#sessions.delete(name);
      throw error;
    }
  }

  /** Leave a draft that was opened; what waits is kept, and sent by whoever opens it next. */
  close(session: DraftSession): void {
    this.#closers.get(session)?.();
  }

  /** What waits on this device, of drafts open here or not. */
  async unsent(): Promise<Unsent[]> {
    const journal = await this.#journal();
    await journal.settled();
    const states = await Promise.all((await journal.drafts()).map((draft) => stateIn(journal, draft)));
    return states.flatMap((found) => {
      const { id, form, subject } = found?.state ?? {};
      const count = found ? waiting(found.state) : 0;
      return id && form && count ? [{ id, form, subject: subject ?? null, waiting: count }] : [];
    });
  }

  /** Try again at once what could not be sent, as after signing in again. */
  async resume(): Promise<void> {
    for (const { session } of this.#sessions.values()) (await session).resume();
  }

  /** Forget everything of this user on this device, unsent or not: ask first if `unsent` says so. */
  async signOut(): Promise<void> {
    const journal = await this.#journal();
    this.#everywhere?.postMessage(null);
    await this.#closeAll();
    await journal.wipe();
    this.#environment.net?.removeItem(deviceKey(await this.user()));
  }

  /** A page that shows the draft again at once, as React does in its strict mode, finds it open. */
  #leave(name: string, held: Held, session: DraftSession): void {
    held.users -= 1;
    setTimeout(() => {
      if (held.users > 0) return;
      if (this.#sessions.get(name) === held) session.close();
    }, LINGER);
  }

  async #closeAll(): Promise<void> {
    for (const { session } of this.#sessions.values()) (await session).close();
  }

  /** Hear when the user signs out in another tab. */
  #listen(user: string): void {
    this.#everywhere ??= this.#environment.channel?.(`variorum ${encodeURIComponent(user)}`);
    if (this.#everywhere) this.#everywhere.onmessage = () => void this.#closeAll();
  }

  async #keyOf(user: string, which: Which): Promise<string> {
    const name = nameOf(which);
    return (await (await this.#journal(user)).named(name)) ?? name;
  }

  async #begin(user: string, key: string, which: Which): Promise<DraftSession> {
    const journal = await this.#journal(user);
    const kept = await stateIn(journal, key);
    const fresh = kept && waiting(kept.state) > 0 ? undefined : await this.#ask(which, kept !== undefined);
    const seq = kept?.state.seq ?? 0;
    const own = fresh ? { ...fresh, seq } : (fresh !== null && kept?.state) || { ...unknown(which), seq };
    const session = new DraftSession(key, own, kept?.turn ?? 0, this.#tools(user, key, journal));
    await this.#nameIn(journal, key, own);
    session.start();
    return session;
  }

  async #nameIn(journal: Journal<Parts>, key: string, { id, form, subject, base }: State): Promise<void> {
    await journal.name(nameOf({ id }), key);
    const { about } = base;
    if (about?.role === "owner" && about.status === "open" && !about.forked_from && !about.template) {
      await journal.name(nameOf({ form, subject }), key);
    }
  }

  /** The draft as the service has it: null if it has none, nothing if it does not say in time. */
  async #ask(which: Which, patient: boolean): Promise<State | null | undefined> {
    const asked = this.#find(which).catch((error: unknown) => {
      const mayDoWithout = patient || "form" in which;
      const noAnswer = error instanceof Unreachable || (error instanceof Refused && error.problem.status !== 404);
      if (noAnswer && mayDoWithout) return undefined;
      throw error;
    });
    const late = new Promise<undefined>((done) => setTimeout(done, PATIENCE));
    return patient ? Promise.race([asked, late]) : asked;
  }

  async #find(which: Which): Promise<State | null> {
    if ("id" in which) return known(await this.api.get<Draft>(`/drafts/${which.id}`));
    const { form, subject = null } = which;
    const query = { form, status: "open", limit: 200, ...(subject && { subject }) };
    const { items } = await this.api.get<Page<DraftLine>>("/drafts", { query });
    const own = items.find((draft) => draft.subject === subject && draft.role === "owner" && !draft.forked_from && !draft.template);
    return own ? known(await this.api.get<Draft>(`/drafts/${own.id}`)) : null;
  }

  #tools(user: string, key: string, journal: Journal<Parts>) {
    const closed = () => void this.#sessions.delete(`${user} ${key}`);
    const { api } = this;
    const environment = this.#environment;
    const tabs = new Tabs<Parts>(`variorum ${encodeURIComponent(user)} ${key}`, environment);
    return { api, journal, tabs, environment, device: this.#device(user), secrets: this.options.secrets ?? [], closed };
  }

  /** The name of this browser, for this user. */
  #device(user: string): string {
    const { net } = this.#environment;
    const known = net?.getItem(deviceKey(user));
    const { deviceName } = this.options;
    const device = known ?? (deviceName === undefined ? uuid() : `${deviceName} ${uuid().slice(0, 8)}`);
    if (!known) quietly(() => net?.setItem(deviceKey(user), device));
    return device;
  }

  async #journal(user?: string): Promise<Journal<Parts>> {
    const owner = user ?? (await this.user());
    const journal = this.#journals.get(owner) ?? new Journal<Parts>(owner, this.#environment);
    this.#journals.set(owner, journal);
    return journal;
  }
}

async function stateIn(journal: Journal<Parts>, key: string): Promise<{ state: State; turn: number } | undefined> {
  const written = await journal.read(key);
  const { base } = written?.parts ?? {};
  if (!written || !base) return undefined;
  const empty = partsOf(begin(base.id, base.form, base.subject));
  return { state: restored({ ...empty, ...written.parts }), turn: written.turn };
}

function unknown(which: Which): State {
  if ("id" in which) throw new Unreachable("Nothing of this draft is on this device.");
  return begin(uuid(), which.form, which.subject ?? null, which.initial);
}

/** What a draft goes by here, until its id is known too. */
function nameOf(which: Which): string {
  return "id" in which ? `draft ${which.id}` : `form ${which.form} ${which.subject ?? ""}`;
}

function deviceKey(user: string): string {
  return `variorum-device ${encodeURIComponent(user)}`;
}

/** Whom a token is for, read without checking it: that is the service's to do. */
function subOf(token: string | null): string | undefined {
  try {
    const payload = (token ?? "").split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/") ?? "";
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return (JSON.parse(new TextDecoder().decode(bytes)) as { sub?: string }).sub;
  } catch {
    return undefined;
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Storage is full or forbidden: then the name lasts as long as the page.
  }
}
