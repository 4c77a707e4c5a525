/** A draft from the first key stroke to the receipt: what is sent when, and what is said about it. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { DraftSession } from "../src/core/session";
import { Device, fakeTime, pass, settle, type Tab } from "./device";
import { Service } from "./service";

let service: Service;
let device: Device;
let tab: Tab;

beforeEach(() => {
  fakeTime();
  service = new Service();
  device = new Device(service);
  tab = device.tab();
});
afterEach(() => void vi.useRealTimers());

async function opened(data = {}, from: Tab = tab): Promise<DraftSession> {
  if (service.version === 0) service.begin(data);
  const session = from.client.open({ id: service.id });
  await pass(0.2);
  return session;
}

const kind = (session: DraftSession) => session.snapshot().status.kind;
const saves = () => service.requests.filter(({ method, path }) => method === "PATCH" || path.endsWith("/edits"));

test("what is typed is saved a second after the last key stroke, as one edit of the fields that changed", async () => {
  const session = await opened({ title: "Jazz", fee: 100 });
  for (const title of ["Jazz n", "Jazz ni", "Jazz night"]) {
    session.set("/title", title);
    await pass(0.5);
  }
  expect(saves()).toEqual([]);
  expect(kind(session)).toBe("unsaved");

  await pass(0.6);

  expect(saves().map(({ body }) => body["changes"])).toEqual([[{ op: "replace", path: "/title", value: "Jazz night" }]]);
  expect(kind(session)).toBe("saved");
  expect(session.snapshot().status.savedAt).toBe("2026-03-01T12:00:02Z");
  expect(session.hasUnsent()).toBe(false);
});

test("who never pauses is saved every five seconds all the same", async () => {
  const session = await opened();
  for (let i = 0; i < 60; i++) {
    session.set("/text", "x".repeat(i));
    await pass(0.2);
  }
  expect(saves().length).toBeGreaterThanOrEqual(2);
});

test("one save is under way at a time, and what is typed meanwhile follows as one", async () => {
  const session = await opened();
  let answer = () => {};
  service.gate = new Promise((done) => (answer = done));
  session.set("/a", 1);
  await pass(1.1);
  expect(kind(session)).toBe("saving");
  session.set("/b", 1);
  await pass(2);
  session.set("/b", 2);
  await pass(2);
  expect(saves().length).toBe(1);

  answer();
  await pass(2);

  expect(saves().map(({ body }) => body["changes"])).toEqual([
    [{ op: "add", path: "/a", value: 1 }],
    [{ op: "add", path: "/b", value: 2 }],
  ]);
  expect(service.data).toEqual({ a: 1, b: 2 });
  expect(kind(session)).toBe("saved");
});

test("without a network everything waits, is counted, and goes out in one call when it is back", async () => {
  const session = await opened();
  service.reachable = false;
  session.set("/a", 1);
  await pass(2);
  expect(kind(session)).toBe("offline");
  session.set("/b", 1);
  await pass(60);
  session.set("/c", 1);
  expect(session.snapshot().status.waiting).toBe(3);
  expect(session.hasUnsent()).toBe(true);

  service.reachable = true;
  tab.emit("online");
  await settle();

  expect(saves().map(({ path }) => path.replace(/.*\//, ""))).toEqual(["edits"]);
  expect(service.data).toEqual({ a: 1, b: 1, c: 1 });
  expect(kind(session)).toBe("saved");
});

test("what waits survives a reload without a network, and days", async () => {
  const before = await opened({ title: "Jazz" });
  service.reachable = false;
  before.set("/title", "Jazz n");
  await pass(3);
  before.set("/title", "Jazz ni"); // and the tab is gone in the middle of the word
  tab.crash();

  const again = device.tab();
  const after = await opened({}, again);
  await pass(3 * 86_400 / 100_000);

  expect(after.snapshot().data).toEqual({ title: "Jazz ni" });
  service.reachable = true;
  again.emit("online");
  await pass(2);
  expect(service.data).toEqual({ title: "Jazz ni" });
});

test("a save whose answer is lost is repeated as it was, and is one save", async () => {
  const session = await opened();
  service.failures.push("no answer");
  session.set("/a", 1);
  await pass(1.5);
  expect(kind(session)).toBe("offline");

  await pass(3);

  expect(saves().length).toBe(2);
  expect(saves()[0]).toEqual(saves()[1]);
  expect(service.version).toBe(2);
  expect(kind(session)).toBe("saved");
});

test("a busy service is asked again when it says so, and not before", async () => {
  const session = await opened();
  service.failures.push({ status: 503, retryAfter: 7 });
  session.set("/a", 1);
  await pass(1.2);
  expect(kind(session)).toBe("failed");
  expect(session.snapshot().status.retryAt).toBeGreaterThan(Date.now() + 6_000);
  await pass(6);
  expect(saves().length).toBe(1);

  await pass(3);

  expect(kind(session)).toBe("saved");
});

test("retries come at longer and longer intervals", async () => {
  const session = await opened();
  service.failures.push(...Array<{ status: number }>(20).fill({ status: 500 }));
  session.set("/a", 1);
  await pass(60);
  expect(saves().length).toBeGreaterThan(4);
  expect(saves().length).toBeLessThan(8);
  expect(kind(session)).toBe("failed");
});

test("a session that has expired keeps the queue, and goes on with a new token", async () => {
  let token = "ann";
  tab = device.tab({ token: () => token });
  const session = await opened();
  service.token = "ann, again";
  session.set("/a", 1);
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "signed-out", waiting: 1, onDevice: true });

  token = "ann, again";
  await tab.client.resume();
  await pass(1);

  expect(service.data).toEqual({ a: 1 });
  expect(kind(session)).toBe("saved");
});

test("a token that was refused is asked for again at once", async () => {
  service.token = "fresh";
  tab = device.tab({ token: (refused) => (refused ? "fresh" : "old") });
  const session = await opened({ a: 1 });
  expect(session.snapshot().data).toEqual({ a: 1 });
});

test("numbers that the service has seen are left out", async () => {
  const session = await opened();
  service.failures.push({ status: 409, problem: { type: "/problems/seq-reused", last_seq: 41 } });
  session.set("/a", 1);
  await pass(1.5);
  service.failures.push({ status: 409, problem: { type: "/problems/seq-skipped", last_seq: 77 } });
  session.set("/b", 1);
  await pass(1.5);

  expect(saves().map(({ body }) => body["seq"])).toEqual([1, 42, 43, 78]);
  expect(service.data).toEqual({ a: 1, b: 1 });
});

test("changes that do not fit go out as the whole form", async () => {
  const session = await opened({ a: 1 });
  service.failures.push({ status: 422, problem: { type: "/problems/cannot-apply" } });
  session.set("/b", 1);
  await pass(3);
  expect(saves()[1]?.body["data"]).toEqual({ a: 1, b: 1 });
  expect(kind(session)).toBe("saved");
});

test("what the service cannot take at all is said and kept, and the next change tries again", async () => {
  const session = await opened();
  const problem = { type: "/problems/invalid" };
  service.failures.push({ status: 422, problem }, { status: 422, problem });
  session.set("/a", 1);
  await pass(60);
  expect(session.snapshot().status).toMatchObject({ kind: "failed", retryAt: null, waiting: 1 });
  expect(saves().length).toBe(2);
});

test("what others saved comes in without touching what is being typed", async () => {
  const session = await opened({ title: "Jazz", fee: 100 });
  const heard = vi.fn();
  session.onOthers(heard);
  service.edit({ title: "Jazz", fee: 250 });
  session.set("/title", "Jazz n");
  await pass(1.2);
  session.set("/title", "Jazz ni");

  expect(session.snapshot().data).toEqual({ title: "Jazz ni", fee: 250 });
  expect(heard).toHaveBeenCalledTimes(1);
  await pass(1.5);
  expect(service.data).toEqual({ title: "Jazz ni", fee: 250 });
  expect(heard).toHaveBeenCalledTimes(1); // never on the echo of our own save
});

test("what two changed the same is a conflict with both values, and the status says so", async () => {
  const session = await opened({ fee: 100 });
  service.edit({ fee: 300 });
  session.set("/fee", 250);
  await pass(1.2);

  expect(kind(session)).toBe("review");
  expect(session.snapshot().conflicts.map(({ theirs }) => theirs[0]?.values)).toEqual([{ "/fee": 250 }]);
  expect(session.snapshot().data).toEqual({ fee: 300 });
});

test("a field still being typed goes out on the version that its writer knew", async () => {
  const session = await opened({ fee: 100 });
  let answer = () => {};
  service.gate = new Promise((done) => (answer = done));
  service.edit({ fee: 300 });
  session.set("/note", "x");
  await pass(1.1);
  session.set("/fee", 250); // while the answer that tells of 300 is on its way
  answer();
  await pass(2);

  expect(saves()[1]?.body["based_on"]).toBe(1);
  expect(service.conflicts.map(({ paths }) => paths)).toEqual([["/fee"]]);
  expect(session.snapshot().data).toEqual({ fee: 300, note: "x" });
});

test("a draft that was finished elsewhere takes nothing more, and what was typed stays", async () => {
  const session = await opened({ a: 1 });
  service.finish("submitted");
  session.set("/a", 2);
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "closed", closed: "submitted", waiting: 1 });
  expect(await tab.client.unsent()).toMatchObject([{ id: service.id, waiting: 1 }]);
});

test("the local copy of a finished draft goes once nothing of it waits; never on 404", async () => {
  const session = await opened({ a: 1 });
  service.failures.push({ status: 404 });
  await session.look();
  await settle();
  expect(kind(session)).toBe("failed");
  const kept = device.tab();
  service.reachable = false;
  expect((await opened({}, kept)).snapshot().data).toEqual({ a: 1 });

  service.reachable = true;
  service.finish("discarded");
  await session.look();
  await pass(1);
  service.reachable = false;
  const refused = await device.tab().client.open({ id: service.id }).catch(String);
  expect(refused).toContain("Unreachable");
});

test("what is typed into a finished draft that was forgotten here is kept, with all of it", async () => {
  const session = await opened({ a: 1, b: 1 });
  service.finish("submitted");
  await session.look();
  await pass(1);
  session.set("/a", 2);
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "closed", waiting: 1 });
  tab.crash();

  service.reachable = false;
  const again = await opened({}, device.tab());
  expect(again.snapshot()).toMatchObject({ data: { a: 2, b: 1 }, status: { waiting: 1 } });
});

test("a purged draft of which nothing waits is forgotten here", async () => {
  const session = await opened({ a: 1 });
  session.set("/a", 2);
  await pass(2);
  service.purged = true;
  await session.look();
  await pass(1);
  expect(session.snapshot().status).toMatchObject({ kind: "gone", waiting: 0 });

  service.reachable = false;
  const refused = await device.tab().client.open({ id: service.id }).catch(String);
  expect(refused).toContain("Unreachable");
});

test("a purged draft is gone here too, unless something of it waits", async () => {
  const session = await opened({ a: 1 });
  service.purged = true;
  session.set("/a", 2);
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "gone", waiting: 1 });
  expect(await tab.client.unsent()).toHaveLength(1);
});

test("a draft begun without a network is opened when it is back, with all that was typed", async () => {
  service.reachable = false;
  const opening = tab.client.open({ form: "gig", subject: "42", initial: { title: "" } });
  await pass(0.2);
  const session = await opening;
  expect(kind(session)).toBe("new");
  session.set("/title", "Jazz");
  await pass(3);
  session.set("/title", "Jazz night");
  await pass(3);
  expect(kind(session)).toBe("offline");

  service.reachable = true;
  tab.emit("online");
  await pass(3);

  expect(service.data).toEqual({ title: "Jazz night" });
  expect(service.id).toBe(session.snapshot().id);
  expect(kind(session)).toBe("saved");
});

test("a form that is only looked at opens no draft", async () => {
  await tab.client.open({ form: "gig", subject: "42", initial: { title: "" } });
  await pass(10);
  expect(service.requests.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("saving by hand gives the receipt, or says why not and keeps what was typed", async () => {
  const session = await opened();
  session.set("/a", 1);
  const saving = session.save();
  await settle();
  expect(await saving).toMatchObject({ version: 2, saved_at: "2026-03-01T12:00:02Z" });

  service.reachable = false;
  session.set("/a", 2);
  const failing = expect(session.save()).rejects.toThrow("could not be reached");
  await settle();
  await failing;
  expect(session.hasUnsent()).toBe(true);
});

test("a page that is closed sends what was typed last with its last breath", async () => {
  const session = await opened();
  session.set("/a", 1);
  tab.emit("hidden");
  await settle();
  expect(service.data).toEqual({ a: 1 });
});

test("the step travels with the draft", async () => {
  const session = await opened();
  session.goTo("lineup", ["basic"]);
  await pass(1.2);
  expect(saves()[0]?.body).toMatchObject({ step: "lineup", completed_steps: ["basic"], changes: [] });
  expect(kind(session)).toBe("saved");
});
