// @vitest-environment happy-dom
/** React's hooks: what they render for, what they leave alone, and the members of the old one. */
import { act, StrictMode, useEffect } from "react";
import { createRoot, type Root } from "react-dom/client";
import { useFieldArray, useForm } from "react-hook-form";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { DraftSession } from "../src/core";
import { DraftsProvider, DraftStatus, useDraft, useFormDraft, useGigFormPersistence, type GigFormPersistence } from "../src/react";
import { Device, fakeTime, pass, type Tab } from "./device";
import { Service } from "./service";

let service: Service;
let tab: Tab;
let root: Root;
let page: HTMLElement;

beforeEach(() => {
  fakeTime();
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  service = new Service();
  tab = new Device(service).tab();
  page = document.body.appendChild(document.createElement("div"));
  root = createRoot(page);
});
afterEach(async () => {
  await act(() => root.unmount());
  page.remove();
  vi.useRealTimers();
});

async function show(element: React.ReactNode): Promise<void> {
  await act(() => root.render(<StrictMode><DraftsProvider client={tab.client}>{element}</DraftsProvider></StrictMode>));
  for (let i = 0; i < 4; i++) await seconds(0.1);
}

const seconds = (count: number) => act(() => pass(count));

async function typeInto(name: string, value: string): Promise<void> {
  const field = page.querySelector<HTMLInputElement>(`[name="${name}"]`);
  if (!field) throw new Error(`no field ${name}`);
  await act(async () => {
    // React looks past a value that was set by its own property.
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, value);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

const valueIn = (name: string) => page.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value;

interface Gig {
  title: string;
  fee: string;
  acts: { id: string; name: string }[];
}

let renders = 0;
let open: DraftSession | null = null;

function Form() {
  renders += 1;
  const form = useForm<Gig>({ defaultValues: { title: "", fee: "0", acts: [{ id: "a1", name: "Foo" }] } });
  const { fields } = useFieldArray({ control: form.control, name: "acts", keyName: "key" });
  const { session } = useDraft({ form: "gig", subject: "42" });
  useFormDraft(form, session);
  open = session;
  return (
    <form>
      <input {...form.register("title")} />
      <input {...form.register("fee")} />
      {fields.map((field, i) => <input key={field.key} {...form.register(`acts.${i}.name`)} />)}
      {session && <DraftStatus session={session} language="en-GB" />}
    </form>
  );
}

test("a form with default values and a list is saved as it is typed, without rendering per key", async () => {
  await show(<Form />);
  renders = 0;
  for (const title of ["J", "Ja", "Jaz", "Jazz"]) await typeInto("title", title);
  await typeInto("acts.0.name", "Foo Fighters");
  expect(renders).toBe(0);

  await seconds(1.5);

  expect(service.data).toEqual({ title: "Jazz", fee: "0", acts: [{ id: "a1", name: "Foo Fighters" }] });
  expect(page.querySelector("[data-status]")?.getAttribute("data-status")).toBe("saved");
  expect(renders).toBe(0);
  expect(service.version).toBe(1); // strict mode mounts twice, and opens one draft
});

test("what is there goes into the form, what others save too, and a member without a field stays", async () => {
  service.begin({ title: "Jazz", fee: "100", acts: [{ id: "a1", name: "Bar" }], venue: "Blue Room" }, "42");
  await show(<Form />);
  expect([valueIn("title"), valueIn("fee"), valueIn("acts.0.name")]).toEqual(["Jazz", "100", "Bar"]);

  await typeInto("title", "Jazz n");
  service.edit({ ...service.data, fee: "250", acts: [{ id: "a1", name: "Baz" }] });
  await seconds(1.5);

  expect([valueIn("title"), valueIn("fee"), valueIn("acts.0.name")]).toEqual(["Jazz n", "250", "Baz"]);
  expect(service.data).toEqual({ title: "Jazz n", fee: "250", acts: [{ id: "a1", name: "Baz" }], venue: "Blue Room" });
  expect(open?.hasUnsent()).toBe(false);
});

test("what is typed before the draft is open is not overwritten by what it holds", async () => {
  service.begin({ title: "Jazz", fee: "100" }, "42");
  await act(() => root.render(<DraftsProvider client={tab.client}><Form /></DraftsProvider>));
  await typeInto("title", "Late");
  for (let i = 0; i < 6; i++) await seconds(0.5);
  expect([valueIn("title"), valueIn("fee")]).toEqual(["Late", "100"]);
  expect(service.data["title"]).toBe("Late");
});

test("a form that is left and shown again holds what was typed", async () => {
  await show(<Form />);
  service.reachable = false;
  await typeInto("title", "Jazz");
  await show(<p>Elsewhere</p>);
  await seconds(5);
  await show(<Form />);
  expect(valueIn("title")).toBe("Jazz");
});

let gig: GigFormPersistence;

function Old({ id }: { readonly id?: string }) {
  gig = useGigFormPersistence(id);
  useEffect(() => void (renders += 1));
  return null;
}

test("the old hook's members do what they did, and say what is saved", async () => {
  await show(<Old id="42" />);
  expect(Object.keys(gig).sort()).toEqual(
    ["clearGigData", "debouncedSaveGigData", "getGigData", "hasUnsavedData", "isOnline", "lastServerSave", "saveGigData"],
  );
  expect(await gig.getGigData()).toBeNull();
  expect([gig.hasUnsavedData, gig.lastServerSave, gig.isOnline]).toEqual([false, null, true]);

  await act(async () => gig.debouncedSaveGigData({ title: "Jazz", date: new Date(0), nothing: undefined }));
  await seconds(0.1);
  expect(gig.hasUnsavedData).toBe(true);
  await seconds(1.5);
  expect(gig.hasUnsavedData).toBe(false);
  expect(gig.lastServerSave).toEqual(new Date("2026-03-01T12:00:01Z"));
  expect(service.data).toEqual({ title: "Jazz", date: "1970-01-01T00:00:00.000Z" });

  let receipt: unknown;
  await act(async () => {
    receipt = await gig.saveGigData({ title: "Jazz night" });
  });
  expect(receipt).toMatchObject({ version: 2, conflicts: [] });
  expect(await gig.getGigData()).toEqual({ title: "Jazz night" });
});

test("the old hook clears the draft, into the trash, and can begin another one", async () => {
  service.begin({ title: "Jazz" }, "42");
  await show(<Old id="42" />);
  await act(async () => {
    const clearing = gig.clearGigData();
    await pass(2);
    await clearing;
  });
  await seconds(1);
  expect(service.status).toBe("discarded");
  expect(await gig.getGigData()).toBeNull();
});

test("the old hook renders for its own members only", async () => {
  await show(<Old id="42" />);
  renders = 0;
  for (let i = 0; i < 10; i++) await act(async () => gig.debouncedSaveGigData({ title: `Jazz ${i}` }));
  expect(renders).toBe(1); // it has unsaved data now
});
