/** A service for the core's tests: it merges field by field as the contract says, and fails on demand. */
import { apply, diff, type Operation } from "../src/core/changes";
import { isObject, type Data, type Json } from "../src/core/json";
import { related } from "../src/core/path";
import type { Change, Conflict, Draft, Receipt } from "../src/core/wire";

interface Version {
  readonly data: Data;
  readonly device: string | null;
  readonly changes: readonly Operation[];
}

interface Recorded {
  readonly digest: string;
  readonly answer: Receipt;
}

type Body = Record<string, unknown>;
export type Failure = "unreachable" | "no answer" | { status: number; retryAfter?: number; problem?: Body };

export class Service {
  readonly requests: { method: string; path: string; body: Body }[] = [];
  /** What happens to the next requests, one after the other. */
  readonly failures: Failure[] = [];
  reachable = true;
  token = "ann";
  status: Draft["status"] = "open";
  purged = false;
  id = "";
  subject: string | null = null;
  versions: Version[] = [];
  conflicts: Conflict[] = [];
  readonly forks: Body[] = [];
  private readonly recorded = new Map<string, Recorded>();
  private readonly lastSeq = new Map<string, number>();
  /** While set, answers wait for it. */
  gate: Promise<void> | undefined;

  get version(): number {
    return this.versions.length;
  }

  get data(): Data {
    return this.versions.at(-1)?.data ?? {};
  }

  /** Somebody submits the draft, or throws it away. */
  finish(status: Draft["status"]): void {
    this.status = status;
    this.versions.push({ data: this.data, device: null, changes: [] });
  }

  /** Somebody else saves. */
  edit(data: Data, device = "other"): void {
    this.versions.push({ data, device, changes: diff(this.data, data) });
  }

  begin(data: Data, subject: string | null = null): string {
    this.id = "7b2e0a52-6c0f-4d3e-9a55-3f8b1c2d4e5f";
    this.subject = subject;
    this.versions = [{ data, device: null, changes: [] }];
    return this.id;
  }

  fetch = async (address: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(address).replace(/^\/v1/, "");
    const method = init.method ?? "GET";
    const failure = this.reachable ? (path.includes("/events") ? undefined : this.failures.shift()) : "unreachable";
    if (failure === "unreachable") throw new TypeError("Failed to fetch");
    if (path.endsWith("/events") || path.includes("/events?")) return problem(404, { type: "/problems/not-found" });
    const body = init.body ? (JSON.parse(String(init.body)) as Body) : {};
    this.requests.push({ method, path, body });
    if (isObject(failure as Json)) {
      const { status, retryAfter, problem: said = {} } = failure as { status: number; retryAfter?: number; problem?: Body };
      return problem(status, said, retryAfter);
    }
    if (new Headers(init.headers).get("Authorization") !== `Bearer ${this.token}`) return problem(401, { type: "/problems/unauthenticated" });
    const answer = this.answer(method, path, body);
    await this.gate;
    if (failure === "no answer") throw new TypeError("Failed to fetch");
    return answer;
  };

  private answer(method: string, path: string, body: Body): Response {
    if (path === "/drafts" && method === "POST") return this.open(body);
    if (path.startsWith("/drafts?")) return json({ items: this.version > 0 && this.status === "open" ? [this.draft()] : [], next_cursor: null });
    if (!path.startsWith(`/drafts/${this.id}`) || this.version === 0) return problem(404, { type: "/problems/draft-not-found" });
    if (this.purged) return problem(410, { type: "/problems/purged" });
    if (method === "GET") return json(this.draft());
    if (method === "DELETE") return this.finish("discarded"), new Response(null, { status: 204 });
    if (path.endsWith("/edits")) return json({ results: (body["edits"] as Body[]).map((edit) => this.save(edit)) });
    const done = this.save(body);
    return "status" in done ? problem(done.status, done) : json(done);
  }

  private open(body: Body): Response {
    if (this.version > 0) return json(this.draft());
    this.begin(body["data"] as Data, (body["subject"] as string | undefined) ?? null);
    this.id = body["id"] as string;
    return json(this.draft(), 201);
  }

  private save(body: Body): Receipt | (Body & { status: number }) {
    const { device, seq } = body as { device: string; seq: number };
    const digest = JSON.stringify(body);
    const known = this.recorded.get(`${device} ${seq}`);
    const last = this.lastSeq.get(device) ?? 0;
    if (known?.digest === digest) return known.answer;
    if (known) return { type: "/problems/seq-reused", status: 409, last_seq: last };
    if (seq <= last) return { type: "/problems/seq-skipped", status: 409, last_seq: last };
    if (this.status !== "open" && body["on_closed"] === "fork") return this.fork(body);
    if (this.status !== "open") return { type: "/problems/draft-closed", status: 409, draft_status: this.status };
    return this.merge(body, device, seq, digest);
  }

  /** The fork of a device: only what it was sent. */
  private fork({ based_on, data }: Body): Receipt {
    this.forks.push({ based_on, data });
    return { ...this.receipt(), id: "fork of this device", merged: false, changes: [] };
  }

  private merge(body: Body, device: string, seq: number, digest: string): Receipt | (Body & { status: number }) {
    const basedOn = body["based_on"] as number;
    const later = this.versions.slice(basedOn);
    const own = later.filter((version) => version.device === device).flatMap((version) => version.changes);
    let sent: Data;
    let base: Data;
    try {
      base = apply(own, this.versions[basedOn - 1]?.data ?? {});
      sent = (body["data"] as Data | undefined) ?? apply(body["changes"] as Operation[], base);
    } catch {
      return { type: "/problems/cannot-apply", status: 422 };
    }
    const mine = diff(base, sent);
    const theirs = diff(base, this.data);
    const clashing = mine.filter((one) => theirs.some((other) => related(one.path, other.path) && JSON.stringify(one) !== JSON.stringify(other)));
    this.conflicts.push(...clashing.map((one, i) => conflictOf(one, device, this.conflicts.length + i)));
    const data = apply(mine.filter((one) => !clashing.includes(one)), this.data);
    this.versions.push({ data, device, changes: mine });
    const changes = diff(sent, data).map((one) => ({ ...one, after: one.value, by: "ben", version: 1, label: "", text: "" }) as unknown as Change);
    const answer = { ...this.receipt(), merged: later.length > 0, changes };
    this.recorded.set(`${device} ${seq}`, { digest, answer });
    this.lastSeq.set(device, seq);
    return answer;
  }

  private receipt(): Omit<Receipt, "changes" | "merged"> {
    return { id: this.id, version: this.version, recorded: true, saved_at: `2026-03-01T12:00:${String(this.version).padStart(2, "0")}Z`, expires_at: "2026-03-31T12:00:00Z", conflicts: [...this.conflicts] };
  }

  draft(): Draft {
    const { version, saved_at, expires_at, conflicts } = this.receipt();
    return {
      id: this.id, form: "gig", subject: this.subject, title: null, template: false, status: this.status, version,
      data: this.data, step: null, completed_steps: [], owner: "ann", role: "owner", conflicts,
      created_at: saved_at, saved_at, expires_at, forked_from: null,
    };
  }
}

function conflictOf({ path, value = null }: Operation, device: string, number: number): Conflict {
  const side = { by: "ann", at: "", version: 1 };
  return { id: `c${number}`, paths: [path], group: null, base: {}, ours: { ...side, values: {}, device: null }, theirs: [{ ...side, values: { [path]: value }, device }] };
}

function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

function problem(status: number, body: Body, retryAfter?: number): Response {
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  return Response.json({ title: "", detail: `answered ${status}`, ...body, status }, { status, headers });
}
