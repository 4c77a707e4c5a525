/** Addresses, tokens and what the pages ask for. */
import { describe, expect, test } from "vitest";
import { optionsOf, together } from "../../src/pages/conflicts/options";
import { putAt } from "../../src/pages/form/put";
import { ownChanges } from "../../src/pages/history/span";
import { routeOf } from "../../src/pages/router";
import { subOf, takeToken } from "../../src/pages/tokens";

describe("addresses", () => {
  test.each([
    ["/", { page: "drafts" }],
    ["/audit", { page: "audit" }],
    ["/drafts/7b2e", { page: "form", draft: "7b2e" }],
    ["/drafts/7b2e/history", { page: "history", draft: "7b2e" }],
    ["/drafts/7b2e/conflicts", { page: "conflicts", draft: "7b2e" }],
    ["/drafts/7b2e/nonsense", { page: "nowhere" }],
    ["/nonsense", { page: "nowhere" }],
  ])("%s", (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });
});

describe("tokens", () => {
  test("a token is taken out of the fragment, and all else stays in it", () => {
    expect(takeToken("#token=abc.def&step=pay")).toEqual({ token: "abc.def", rest: "#step=pay" });
    expect(takeToken("#token=abc")).toEqual({ token: "abc", rest: "" });
    expect(takeToken("")).toEqual({ token: null, rest: "" });
  });

  test("a token names somebody if it is one of a person", () => {
    const body = Buffer.from(JSON.stringify({ sub: "änn" })).toString("base64url");
    expect([subOf(`h.${body}.s`), subOf("vl_abc"), subOf("a.b.c")]).toEqual(["änn", null, null]);
  });
});

describe("choices of a conflict", () => {
  const side = (value: string, device: string) => ({
    values: { "/about": value },
    by: "ann",
    at: "2026-03-01T12:00:00Z",
    device,
    version: 2,
  });

  test("each value is a choice, then both where that makes sense, then as it was", () => {
    const long = "Doors at eight, food until ten; the back room stays open for those who want to sit.";
    const conflict = {
      id: "c1",
      paths: ["/about"],
      base: { "/about": long },
      ours: side(long.replace("eight", "seven"), "mac"),
      theirs: [side(long.replace("eight", "nine"), "ipad")],
    };
    const options = optionsOf(conflict);
    expect(options.map((one) => one.key)).toEqual(["ours", "theirs-0", "both", "base"]);
    expect(options[2]?.decision.value).toContain("seven nine");
  });

  test("numbers and short texts are not kept together", () => {
    expect([together(1, 2, 0), together("nine", "ten", "eight"), together(["a"], ["b"], [])]).toEqual([
      undefined,
      undefined,
      ["a", "b"],
    ]);
  });
});

test("of a session among others, only its own fields are shown", () => {
  const changes = [
    { op: "replace", path: "/fee" },
    { op: "add", path: "/acts/id:a" },
  ] as const;
  const span = { from: 2, to: 5, whole: false, paths: ["/acts/id:a/fee"] };
  expect(ownChanges(span, changes)).toEqual([changes[1]]);
  expect(ownChanges({ ...span, whole: true }, changes)).toEqual(changes);
});

describe("setting a value", () => {
  test("objects on the way are made, items are found by their id, all else stays the same object", () => {
    const data = { acts: [{ id: "a", fee: 1 }, { id: "b" }], venue: { city: "Hamburg" } };
    const next = putAt(data, "/acts/id:a/fee", 2);
    expect(next).toEqual({ acts: [{ id: "a", fee: 2 }, { id: "b" }], venue: { city: "Hamburg" } });
    expect(next.venue).toBe(data.venue);
    expect(putAt({}, "/pay/price", 5)).toEqual({ pay: { price: 5 } });
  });

  test("without a value the member goes", () => {
    expect(putAt({ fee: 1, title: "x" }, "/fee", undefined)).toEqual({ title: "x" });
  });
});
