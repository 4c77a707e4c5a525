/** A list of pages goes on: what is new comes in front, and nothing that was there is lost or doubled. */
import { expect, test } from "vitest";
import { renewed } from "../../src/parts/paging";

const page = (items: string[], next_cursor: string | null) => ({ items, next_cursor });
const keyOf = (item: string) => item[0];

test("news come in front, and all further pages stay, with the way to the next one", () => {
  const before = [page(["d", "c"], "c"), page(["b", "a"], "a")];
  expect(renewed(before, page(["e", "d"], "d"), keyOf)).toEqual([page(["e", "d"], "d"), page(["c"], "c"), page(["b", "a"], "a")]);
});

test("an item that has changed is there once, as it is now", () => {
  const before = [page(["d", "c"], "c"), page(["b", "a"], "a")];
  expect(renewed(before, page(["b, longer", "d"], "d"), keyOf)).toEqual([page(["b, longer", "d"], "d"), page(["c"], "c"), page(["a"], "a")]);
});

test("a page of which nothing is left goes, but never the way to what is older", () => {
  const once = renewed([page(["b", "a"], "a")], page(["b", "a"], "a"), keyOf);
  expect(once).toEqual([page(["b", "a"], "a"), page([], "a")]);
  expect(renewed(once, page(["c", "b"], "b"), keyOf)).toEqual([page(["c", "b"], "b"), page(["a"], "a"), page([], "a")]);
});

test("a list that fits on one page is that page, and one that has nothing in common begins anew", () => {
  expect(renewed([page(["a"], null)], page(["b", "a"], null), keyOf)).toEqual([page(["b", "a"], null)]);
  expect(renewed([page(["a"], null)], page(["z", "y"], "y"), keyOf)).toEqual([page(["z", "y"], "y")]);
});
