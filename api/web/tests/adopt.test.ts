/** Drafts that an older page kept in `localStorage`. */
import { expect, test } from "vitest";
import { adoptLocalStorage, Client } from "../src/core";
import { Storage } from "./device";

function world(outcomes: Record<string, string | null>, during = () => {}) {
  const net = new Storage();
  const sent: unknown[] = [];
  const fetch = (async (_address: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)));
    during();
    const items = Object.entries(outcomes).map(([key, draft]) => ({ key, draft, outcome: draft ? "imported" : "broken" }));
    return Response.json({ items });
  }) as typeof globalThis.fetch;
  return { net, sent, client: new Client({ token: "ann", environment: { fetch } }) };
}

test("old entries are sent, and removed once a draft holds them; all else stays", async () => {
  const { net, sent, client } = world({ "gig-create-draft": "7b2e", "gig-edit-42": null });
  net.setItem("gig-create-draft", '{"title":"Jazz"}');
  net.setItem("gig-edit-42", '{"title":');
  net.setItem("theme", "dark");

  await adoptLocalStorage(client, undefined, net);

  expect(sent).toEqual([{ entries: { "gig-create-draft": '{"title":"Jazz"}', "gig-edit-42": '{"title":' } }]);
  expect([...net.items.keys()]).toEqual(["gig-edit-42", "theme"]);
});

test("what was written while the service answered is not removed", async () => {
  const { net, client } = world({ "gig-create-draft": "7b2e" }, () => net.setItem("gig-create-draft", '{"title":"Jazz night"}'));
  net.setItem("gig-create-draft", '{"title":"Jazz"}');
  await adoptLocalStorage(client, undefined, net);
  expect(net.getItem("gig-create-draft")).toBe('{"title":"Jazz night"}');
});

test("nothing is asked where nothing lies, and nothing removed without an answer", async () => {
  const { net, sent, client } = world({});
  expect(await adoptLocalStorage(client, undefined, net)).toEqual([]);
  expect(sent).toEqual([]);
  net.setItem("gig-edit-1", "{}");
  const offline = new Client({ token: "ann", environment: { fetch: () => Promise.reject(new TypeError()) } });
  await expect(adoptLocalStorage(offline, undefined, net)).rejects.toThrow("could not be reached");
  expect(net.length).toBe(1);
});
