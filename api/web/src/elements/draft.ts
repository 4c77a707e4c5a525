/** `<variorum-draft>`: the form inside it is saved as a draft; the elements inside it show that draft. */
import { Client, type DraftSession, type TokenSource, type Which } from "../core";
import { bindForm } from "./fields";

/** The service that this module came from. */
const SERVICE = new URL(import.meta.url).origin;
const clients = new Map<string, Client>();

/**
 * Attributes: `form` and `subject`, or `draft` (an id); `token`; `service`, if it is another one than the
 * module's; `user`. A page that gets its tokens by a function sets the property `token` instead.
 */
export class VariorumDraft extends HTMLElement {
  session: DraftSession | null = null;
  error: Error | null = null;
  private source: TokenSource | undefined;
  private opened: Promise<DraftSession> | undefined;
  private readonly stops: (() => void)[] = [];

  set token(source: string | TokenSource) {
    this.source = typeof source === "string" ? () => source : source;
    if (this.isConnected) this.open();
  }

  get client(): Client {
    const service = this.getAttribute("service") ?? SERVICE;
    const user = this.getAttribute("user");
    const key = `${service} ${user ?? ""} ${this.getAttribute("token") ?? ""}`;
    const known = clients.get(key);
    if (known) return known;
    const token: TokenSource = (refused) => this.source?.(refused) ?? this.getAttribute("token");
    const made = new Client({ url: service, token, ...(user && { user }) });
    clients.set(key, made);
    return made;
  }

  connectedCallback(): void {
    if (this.source || this.getAttribute("token")) this.open();
  }

  disconnectedCallback(): void {
    this.stops.splice(0).forEach((stop) => stop());
    if (this.session) this.client.close(this.session);
    [this.session, this.opened] = [null, undefined];
  }

  private open(): void {
    if (this.opened) return;
    this.opened = this.client.open(this.which());
    this.opened.then((session) => this.begin(session), (error: Error) => this.say(null, error));
    for (const form of this.querySelectorAll("form")) this.stops.push(bindForm(form, this.opened));
  }

  private begin(session: DraftSession): void {
    if (!this.isConnected) return this.client.close(session);
    const here = ({ target }: Event) => session.here((target as { name?: string }).name ? `/${(target as HTMLInputElement).name}` : null);
    this.addEventListener("focusin", here);
    this.stops.push(() => this.removeEventListener("focusin", here));
    this.say(session, null);
  }

  private say(session: DraftSession | null, error: Error | null): void {
    [this.session, this.error] = [session, error];
    this.dispatchEvent(new CustomEvent("variorum-open", { detail: { session, error } }));
  }

  private which(): Which {
    const id = this.getAttribute("draft");
    return id ? { id } : { form: this.getAttribute("form") ?? "", subject: this.getAttribute("subject") };
  }
}

/** An element that shows the draft around it. */
export abstract class OfDraft extends HTMLElement {
  private stop: (() => void) | undefined;
  private around: VariorumDraft | null = null;

  connectedCallback(): void {
    this.around = this.closest("variorum-draft");
    this.around?.addEventListener("variorum-open", this.follow);
    this.follow();
  }

  disconnectedCallback(): void {
    this.stop?.();
    this.around?.removeEventListener("variorum-open", this.follow);
    this.gone();
  }

  /** Show a draft; called again whenever something of it has changed. */
  abstract show(session: DraftSession, client: Client): void;

  /** The draft could not be opened. */
  fail(error: Error): void {
    this.textContent = error.message;
  }

  /** The element was taken out of the page. */
  gone(): void {}

  private readonly follow = (): void => {
    this.stop?.();
    const { session, error, client } = this.around ?? {};
    if (error) this.fail(error);
    if (!session || !client) return;
    this.stop = session.subscribe(() => this.show(session, client));
    this.show(session, client);
  };
}
