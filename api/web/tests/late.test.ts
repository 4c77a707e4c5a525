/** What was typed into a draft after it was finished or purged. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { keepAsFork, keepAsNew } from "../src/core";
import { Device, fakeTime, pass } from "./device";
import { Service } from "./service";

beforeEach(fakeTime);
afterEach(() => void vi.useRealTimers());

test("late edits are kept as a fork, and the finished draft is forgotten here", async () => {
  const service = new Service();
  service.begin({ title: "Jazz" });
  const device = new Device(service);
  const tab = device.tab();
  const opening = tab.client.open({ id: service.id });
  await pass(0.3);
  const session = await opening;
  service.finish("submitted");
  session.set("/title", "Jazz night");
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "closed", waiting: 1 });

  const keeping = keepAsFork(tab.client, session);
  await pass(0.3);

  expect(await keeping).toBe("fork of this device");
  expect(service.forks).toEqual([{ based_on: 1, data: { title: "Jazz night" } }]);
  expect(await tab.client.unsent()).toEqual([]);
});

test("what waits for a draft that was finished goes out as before once the draft is put back", async () => {
  const service = new Service();
  service.begin({ title: "Jazz" });
  const device = new Device(service);
  const first = device.tab();
  const opening = first.client.open({ id: service.id });
  await pass(0.3);
  const session = await opening;
  service.reachable = false;
  session.set("/title", "Jazz night");
  await pass(2);
  service.finish("discarded");
  service.reachable = true;
  session.resume();
  await pass(2);
  expect(session.snapshot().status).toMatchObject({ kind: "closed", waiting: 1 });
  first.crash();

  service.finish("open");
  const again = device.tab().client.open({ id: service.id });
  await pass(3);

  expect((await again).snapshot().status).toMatchObject({ kind: "saved", waiting: 0 });
  expect(service.data).toEqual({ title: "Jazz night" });
});

test("what was typed into a draft that was purged becomes a new one, also if the first answer is lost", async () => {
  const service = new Service();
  service.begin({ title: "Jazz", fee: 100 }, "42");
  const tab = new Device(service).tab();
  const opening = tab.client.open({ id: service.id });
  await pass(0.3);
  const session = await opening;
  service.purged = true;
  session.set("/title", "Jazz night");
  await pass(2);
  expect(session.snapshot()).toMatchObject({ data: { title: "Jazz night", fee: 100 }, status: { kind: "gone", waiting: 1 } });

  service.versions = []; // a purged draft takes no place
  service.failures.push("no answer");
  const lost = keepAsNew(tab.client, session).catch((error: Error) => error.name);
  await pass(0.3);
  expect(await lost).toBe("Unreachable");
  expect(await tab.client.unsent()).toHaveLength(1);
  const keeping = keepAsNew(tab.client, session);
  await pass(0.3);

  const [first, again] = service.requests.filter(({ method, path }) => method === "POST" && path === "/drafts").map(({ body }) => body);
  expect(first).toMatchObject({ form: "gig", subject: "42", another: true, data: { title: "Jazz night", fee: 100 } });
  expect(again).toEqual(first);
  expect(await keeping).toBe(first?.["id"]);
  expect(await tab.client.unsent()).toEqual([]);
});
