/** Changes as a reader looks at them. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change, Definition, Segment } from "../../src/parts/answers";
import { bothLists, bothTexts, grouped, segments, shortened, wordsBetween } from "../../src/parts/changes";

const form: Definition = {
  form: "gig",
  fields: {
    "/acts": { label: "Line-up", item: "/name" },
    "/tags": { label: "Tags", merge: "set" },
    "/fee": { label: "Fee" },
  },
};
const change = (op: Change["op"], path: string, rest: Partial<Change> = {}): Change => ({ op, path, ...rest });

describe("groups", () => {
  test("items of a list are told together, a field of an item by itself", () => {
    const groups = grouped(
      [
        change("add", "/acts/id:b", { after: { id: "b", name: "Buses" } }),
        change("remove", "/acts/id:c", { before: { id: "c" } }),
        change("replace", "/acts/id:a/fee", { before: 1, after: 2, label: "Fee of 'Foo'" }),
      ],
      form,
    );
    expect(groups.map(({ title, said, kind, paths }) => ({ title, said, kind, paths }))).toEqual([
      { title: "Line-up", said: "1 added, 1 removed", kind: "list", paths: ["/acts/id:b", "/acts/id:c"] },
      { title: "Fee of 'Foo'", said: "changed", kind: "field", paths: ["/acts/id:a/fee"] },
    ]);
  });

  test("where an item moved, or has no id, the whole list is what can be taken back", () => {
    expect(grouped([change("move", "/acts/id:a", { from: "/acts/2", index: 0 })], form)[0]?.paths).toEqual(["/acts"]);
    expect(grouped([change("add", "/tags/1", { after: "late" })], form)[0]?.paths).toEqual(["/tags"]);
  });

  test("a long text is read by its words", () => {
    const before = "Two sets of standards and a late jam. Doors at eight, food until ten.";
    const [group] = grouped([change("replace", "/about", { before, after: before.replace("eight", "seven") })], form);
    expect(group).toMatchObject({ kind: "text", said: "1 edit" });
  });
});

describe("texts", () => {
  const texts = fc
    .array(fc.constantFrom("doors ", "at ", "eight", ",", " food\n", "ten. "), { maxLength: 30 })
    .map((words) => words.join(""));
  const side = (parts: readonly Segment[], gone: "insert" | "delete") =>
    parts.map((part) => part.keep ?? (gone === "insert" ? part.delete : part.insert) ?? "").join("");

  test("what stayed, came and went make up both texts", () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const parts = wordsBetween(before, after);
        expect([side(parts, "insert"), side(parts, "delete")]).toEqual([before, after]);
      }),
    );
  });

  test("the service's own segments are taken as they are", () => {
    const told = [{ keep: "at " }, { delete: "eight" }, { insert: "seven" }];
    expect(segments(change("text", "/about", { segments: told }))).toBe(told);
  });

  test("long stretches that stayed are folded, and what changed never is", () => {
    const stayed = "word ".repeat(200);
    const parts = shortened([{ keep: stayed }, { insert: "new" }, { keep: stayed }]);
    expect(parts.filter((part) => part === null)).toHaveLength(2);
    expect(parts).toContainEqual({ insert: "new" });
    expect(JSON.stringify(parts).length).toBeLessThan(600);
  });

  test("both texts together keep every word of either", () => {
    expect(bothTexts("Doors at eight, food until ten.", "Doors at seven, food until ten.")).toBe(
      "Doors at eight seven, food until ten.",
    );
    fc.assert(
      fc.property(texts, texts, (ours, theirs) => {
        const both = bothTexts(ours, theirs);
        const words = (text: string) => text.match(/\w+/g) ?? [];
        for (const word of [...words(ours), ...words(theirs)]) expect(both).toContain(word);
      }),
    );
  });
});

test("both lists together hold every item once, ours first", () => {
  expect(bothLists(["jazz", "late"], ["late", "live"])).toEqual(["jazz", "late", "live"]);
  expect(bothLists([{ id: "a", fee: 1 }], [{ id: "a", fee: 2 }, { id: "b" }])).toEqual([
    { id: "a", fee: 1 },
    { id: "b" },
  ]);
});
