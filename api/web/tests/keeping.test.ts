/** What this device keeps: through dying databases, full storage, other people, and secrets that it must not keep. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Journal } from "../src/core/journal";
import type { DraftSession } from "../src/core/session";
import { Device, fakeTime, pass, settle, type Tab } from "./device";
import { Service } from "./service";

let service: Service;
let device: Device;
let tab: Tab;

beforeEach(() => {
  fakeTime();
  service = new Service();
  service.begin({ title: "Jazz" });
  device = new Device(service);
  tab = device.tab();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function opened(from: Tab = tab): Promise<DraftSession> {
  const session = from.client.open({ id: service.id });
  await pass(0.2);
  return session;
}

async function reloaded(options = {}): Promise<DraftSession> {
  tab.crash();
  tab = device.tab(options);
  service.reachable = false;
  return opened();
}

/** Everything that lies in the two storages, as one text. */
async function onDisk(): Promise<string> {
  const open = device.indexedDB.open("variorum");
  const database = await new Promise<IDBDatabase>((done) => (open.onsuccess = () => done(open.result)));
  const all = database.transaction("parts").objectStore("parts").getAll();
  const values = await new Promise((done) => (all.onsuccess = () => done(all.result)));
  database.close();
  return JSON.stringify([values, [...device.net.items]]);
}

test("a key stroke is safe before anything asynchronous happens", async () => {
  const session = await opened();
  session.set("/title", "Jazz n");
  expect([...device.net.items.values()].join()).toContain("Jazz n");
  expect((await reloaded()).snapshot().data).toEqual({ title: "Jazz n" });
});

test("localStorage is empty again once IndexedDB has everything", async () => {
  const session = await opened();
  session.set("/title", "Jazz n");
  await settle();
  expect([...device.net.items.keys()].filter((key) => key.includes(" draft "))).toEqual([]);
  expect((await reloaded()).snapshot().data).toEqual({ title: "Jazz n" });
});

test("a tab that dies while IndexedDB writes loses neither what is being written nor what came after", async () => {
  const stuck = new Journal<{ a: number; b: number }>("ann", { net: device.net, indexedDB: { open: () => new Promise(() => {}) } as never });
  stuck.write("draft", 1, { a: 1, b: 1 });
  await settle();
  stuck.write("draft", 2, { b: 2 });

  const next = new Journal<{ a: number; b: number }>("ann", device);
  expect(await next.read("draft")).toEqual({ turn: 2, parts: { a: 1, b: 2 } });
});

test("a tab that lost the draft cannot write over what its successor wrote", async () => {
  const { indexedDB } = device;
  const [former, next] = [1, 2].map(() => new Journal<{ a: number }>("ann", { indexedDB, net: undefined })) as [Journal<{ a: number }>, Journal<{ a: number }>];
  next.write("draft", 1_000, { a: 2 });
  await next.settled();
  former.write("draft", 6, { a: 1 });
  await former.settled();
  expect(await next.read("draft")).toEqual({ turn: 1_000, parts: { a: 2 } });
});

test("signing out in one tab closes the drafts of all, and nothing is written again", async () => {
  const one = await opened();
  const other = device.tab();
  const two = await opened(other);
  await tab.client.signOut();
  await settle();
  two.set("/title", "Jazz n");
  one.set("/title", "Jazz n");
  await pass(3);
  expect(await onDisk()).not.toContain("Jazz");
  expect(service.data).toEqual({ title: "Jazz" });
});

test("a connection that died in the background is opened again", async () => {
  const session = await opened();
  const real = IDBDatabase.prototype.transaction;
  let dead = 1;
  vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (this: IDBDatabase, ...given) {
    if (dead-- > 0) throw new DOMException("The database connection is closing.", "InvalidStateError");
    return real.apply(this, given);
  });
  session.set("/title", "Jazz n");
  await settle();
  expect(dead).toBeLessThan(0);
  expect(session.snapshot().status.onDevice).toBe(true);
  expect((await reloaded()).snapshot().data).toEqual({ title: "Jazz n" });
});

test("with IndexedDB gone for good, localStorage holds what was typed", async () => {
  const session = await opened();
  vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
    throw new DOMException("", "InvalidStateError");
  });
  session.set("/title", "Jazz n");
  await settle();
  expect(session.snapshot().status.onDevice).toBe(true);
  expect((await reloaded()).snapshot().data).toEqual({ title: "Jazz n" });
});

test("with all storage full, the status says that what waits is only in this page, and saving goes on", async () => {
  const session = await opened();
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(() => {
    throw new DOMException("", "QuotaExceededError");
  });
  device.net.room = 10;
  session.set("/title", "Jazz n");
  await settle();
  expect(session.snapshot().status).toMatchObject({ kind: "unsaved", onDevice: false });

  await pass(1.5);

  expect(service.data).toEqual({ title: "Jazz n" });
  expect(session.snapshot().status.kind).toBe("saved");
  vi.restoreAllMocks();
  device.net.room = Number.POSITIVE_INFINITY;
  session.set("/title", "Jazz night");
  await settle();
  expect(session.snapshot().status.onDevice).toBe(true);
});

test("what is one person's is not there for the next, and goes with signing out", async () => {
  await opened();
  service.token = "ben";
  const ben = device.tab({ user: "ben", token: "ben" });
  service.reachable = false;
  expect(await ben.client.open({ id: service.id }).catch(String)).toContain("Unreachable");

  await tab.client.signOut();

  expect(await onDisk()).not.toContain("Jazz");
  expect(device.net.items.size).toBe(0);
});

test("secret fields are sent and never written to disk", async () => {
  tab = device.tab({ secrets: ["/account/pin"] });
  const session = await opened();
  service.reachable = false;
  session.change({ title: "Jazz", account: { holder: "Ann", pin: "4711" } });
  await pass(3);
  session.set("/account/pin", "0815");
  expect(await onDisk()).toContain("Ann");
  expect(await onDisk()).not.toMatch(/4711|0815/);

  service.reachable = true;
  tab.emit("online");
  await pass(3);
  expect(service.data["account"]).toEqual({ holder: "Ann", pin: "0815" });
});

test("two tabs show the same at once, and one of them sends", async () => {
  const one = await opened();
  const other = device.tab();
  const two = await opened(other);
  one.set("/title", "Jazz n");
  await settle();
  expect(two.snapshot().data).toEqual({ title: "Jazz n" });

  await pass(1.2);

  expect(service.requests.filter(({ method }) => method === "PATCH")).toHaveLength(1);
  expect([one, two].map((session) => session.snapshot().status.kind)).toEqual(["saved", "saved"]);
});

test("the tab in which somebody types takes over, in the middle of a save too, and nothing is sent twice", async () => {
  const one = await opened();
  const two = await opened(device.tab());
  let answer = () => {};
  service.gate = new Promise((done) => (answer = done));
  one.set("/title", "Jazz n");
  await pass(1.1);
  two.set("/fee", 250);
  await pass(0.5);
  answer();
  await pass(3);

  expect(service.data).toEqual({ title: "Jazz n", fee: 250 });
  expect(service.version).toBe(3);
  expect([one, two].map((session) => session.snapshot().data)).toEqual([service.data, service.data]);
  expect([one, two].map((session) => session.hasUnsent())).toEqual([false, false]);
});

test("when the tab that sends is killed, another one goes on with what it knew", async () => {
  const one = await opened();
  const two = await opened(device.tab());
  service.reachable = false;
  one.set("/title", "Jazz n");
  await pass(2);
  one.set("/title", "Jazz ni");
  tab.crash();
  service.reachable = true;
  await pass(40);

  expect(service.data).toEqual({ title: "Jazz ni" });
  expect(two.snapshot().status.kind).toBe("saved");
});

test("a draft opened by its id and by its form is one session", async () => {
  const one = await opened();
  const two = await tab.client.open({ form: "gig" });
  expect(two).toBe(one);
  tab.client.close(two);
  one.set("/title", "Jazz n");
  await pass(1.2);
  expect(service.data).toEqual({ title: "Jazz n" });
});
