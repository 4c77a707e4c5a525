/** Laws: whatever happens to a device, its form comes to what the service holds, and nothing typed is lost. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { apply, diff } from "../src/core/changes";
import type { Data, Json } from "../src/core/json";
import { same } from "../src/core/json";
import type { DraftSession } from "../src/core/session";
import type { Change } from "../src/core/wire";
import { Device, fakeTime, pass, settle, type Tab } from "./device";
import { Service } from "./service";

const names = fc.constantFrom("a", "b", "a/b", "c~1", "id", "__proto__", "");
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Json>(null, true, false, 0, 1, 2.5, "", "x", "long\ntext"),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(names, tie("json"), { maxKeys: 4 }),
    fc.uniqueArray(fc.record({ id: fc.constantFrom("1", "2", "3"), v: tie("json") }), { selector: ({ id }) => id, maxLength: 3 }),
  ),
}));
const data = fc.dictionary(names, json, { maxKeys: 5 }) as fc.Arbitrary<Data>;

test("the difference of two forms, applied to the one, gives the other", () => {
  fc.assert(
    fc.property(data, data, (one, other) => {
      expect(same(apply(diff(one, other), one), other)).toBe(true);
      expect(diff(one, structuredClone(one))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("the changes of a receipt, applied to what was sent, give what the service holds", () => {
  fc.assert(
    fc.property(data, data, (sent, held) => {
      const changes = diff(sent, held).map((one) => ({ ...one, after: one.value }) as unknown as Change);
      expect(same(apply(changes, sent), held)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

beforeEach(fakeTime);
afterEach(() => void vi.useRealTimers());

type Step = "type" | "network" | "reload" | "other" | "lost" | "busy" | "wait" | "tab" | "hide";
const steps = fc.array(fc.constantFrom<Step>("type", "type", "type", "type", "network", "reload", "other", "lost", "busy", "wait", "wait", "tab", "hide"), { minLength: 10, maxLength: 60 });

test("through cuts, reloads, lost answers and other writers, the form converges and no word is lost", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.nat(2)), async (journey, fields) => {
      const world = new World();
      await world.begin();
      for (const step of journey) await world.take(step, `/f${fields.next().value ?? 0}`);
      await world.end();
    }),
    { numRuns: 40 },
  );
});

/** One browser with two tabs at most, somebody else, and a service. */
class World {
  readonly service = new Service();
  readonly device = new Device(this.service);
  readonly typed: string[] = [];
  private tabs: Tab[] = [];
  private sessions: DraftSession[] = [];

  async begin(): Promise<void> {
    this.service.begin({ f0: "", f1: "", f2: "" });
    await this.open();
  }

  async take(step: Step, path: string): Promise<void> {
    const { service } = this;
    const word = `w${this.typed.length}`;
    if (step === "type") {
      const session = this.sessions[this.typed.length % this.sessions.length] as DraftSession;
      session.set(path, word);
      this.typed.push(word);
      await settle();
    } else if (step === "other") service.edit({ ...service.data, [path.slice(1)]: `other ${service.version}` });
    else if (step === "network") service.reachable = !service.reachable;
    else if (step === "lost") service.failures.push("no answer");
    else if (step === "busy") service.failures.push({ status: 503, retryAfter: 1 });
    else if (step === "wait") await pass(1.3);
    else if (step === "hide") this.tabs.forEach((tab) => tab.emit("hidden"));
    else if (step === "tab" && this.tabs.length < 2 && service.reachable) await this.open();
    else if (step === "reload") await this.reload();
  }

  async end(): Promise<void> {
    this.service.reachable = true;
    this.service.failures.length = 0;
    this.tabs.forEach((tab) => tab.emit("online"));
    await pass(70);
    await Promise.all(this.sessions.map((session) => session.look()));
    await settle();
    for (const session of this.sessions) {
      expect(session.hasUnsent()).toBe(false);
      expect(session.snapshot().data).toEqual(this.service.data);
      expect(["saved", "review"]).toContain(session.snapshot().status.kind);
    }
    this.nothingIsLost();
  }

  /** The last word of each field stands in the draft, in a version, or in a conflict: nobody overwrote it unseen. */
  private nothingIsLost(): void {
    const everything = JSON.stringify([this.service.versions, this.service.conflicts]);
    const last = this.typed.at(-1);
    if (last) expect(everything).toContain(`"${last}"`);
  }

  private async reload(): Promise<void> {
    for (const tab of this.tabs) tab.crash();
    [this.tabs, this.sessions] = [[], []];
    await this.open();
  }

  private async open(): Promise<void> {
    const tab = this.device.tab();
    const session = tab.client.open({ id: this.service.id });
    await pass(2);
    this.tabs.push(tab);
    this.sessions.push(await session);
  }
}
