/** What a form's definition says of a place, and what fills it in. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Definition } from "../../src/parts/answers";
import { fieldsOf, isSensitive, labelAt } from "../../src/parts/forms";
import { kindAt, parsed, placesIn } from "../../src/parts/kinds";
import { movedTo, placeAt } from "../../src/parts/reorder";
import { show } from "../../src/parts/values";
import { moved } from "../../src/parts/caret";

const gig = JSON.parse(
  readFileSync(new URL("../../../../domain/forms/gig.json", import.meta.url), "utf-8"),
) as Definition;
const data = { acts: [{ id: "a1", name: "Foo Trio" }], tags: ["jazz"] };

describe("labels", () => {
  test.each([
    ["/fee", "Fee"],
    ["/venue/name", "Name of the venue"],
    ["/acts/id:a1/fee", "Fee of 'Foo Trio'"],
    ["/acts/id:a1", "'Foo Trio'"],
    ["/acts/id:gone/fee", "Fee of an Act"],
    ["/shifts/0/role", "Role of a Shift"],
    ["/something_new", "Something new"],
  ])("%s is called %s", (path, label) => {
    expect(labelAt(gig, path, data)).toBe(label);
  });

  test("places in a list count as the list", () => {
    expect(fieldsOf(["/acts/id:a1/fee", "/acts/id:a2", "/venue/name", "/tags/0"])).toEqual([
      "/acts",
      "/venue/name",
      "/tags",
    ]);
  });

  test("what lies in a sensitive place is sensitive", () => {
    expect([isSensitive(gig, "/contact/email"), isSensitive(gig, "/venue/name")]).toEqual([true, false]);
  });
});

describe("inputs", () => {
  test.each([
    ["/title", "text"],
    ["/date", "date"],
    ["/start", "time"],
    ["/tags", "tags"],
    ["/acts", "list"],
    ["/acts/id:a1/fee", "money"],
    ["/description", "long"],
    ["/venue", "group"],
    ["/venue/capacity", "integer"],
    ["/pay/price", "number"],
    ["/pay/currency", "currency"],
    ["/contact/email", "email"],
    ["/unknown", "text"],
  ])("%s wants %s", (path, kind) => {
    expect(kindAt(gig, path)).toBe(kind);
  });

  test("an item's fields come in the order of the schema, without its id", () => {
    expect(placesIn(gig, "/acts/*")).toEqual(["/acts/*/name", "/acts/*/fee", "/acts/*/start", "/acts/*/end"]);
  });

  test("numbers are read with a comma or a point, and what is none stays as it is written", () => {
    expect([
      parsed("money", "12,50"),
      parsed("number", "1 200"),
      parsed("money", "12 or so"),
      parsed("money", ""),
    ]).toEqual([12.5, 1200, "12 or so", undefined]);
  });

  test("the caret stays at its word when another's words come in before, within or behind", () => {
    expect(moved(9, "Doors at eight", "All doors at eight")).toBe(13);
    expect(moved(3, "Doors at eight", "Doors at eight or so")).toBe(3);
    expect(moved(14, "Doors at eight", "Doors about eight")).toBe(17);
  });
});

describe("values", () => {
  test.each([
    [250, "/fee", "€250"],
    [12.5, "/acts/id:a/fee", "€12.50"],
    ["2026-11-22", "/date", "22 Nov 2026"],
    [null, "/fee", "nothing"],
    ["", "/title", "empty"],
    [true, "/open", "yes"],
    [["jazz", "late"], "/tags", "jazz and late"],
    [[{ id: "a", name: "Foo" }], "/acts", "Foo"],
    [{ masked: true }, "/contact", "hidden"],
    [{ name: "Blue Room", city: "Hamburg" }, "/venue", "Name of the venue: Blue Room · City: Hamburg"],
  ])("%j reads %s%s", (value, path, said) => {
    expect(show(value, gig, path)).toBe(said);
  });
});

describe("order", () => {
  test("an item goes to its new place, the others close up", () => {
    expect(movedTo(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
    expect(movedTo(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
  });

  test("a dragged item belongs below all whose middle it has passed", () => {
    expect([placeAt(5, [10, 30, 50], 2), placeAt(45, [10, 30, 50], 0), placeAt(60, [10, 30, 50], 0)]).toEqual([
      0, 1, 2,
    ]);
  });
});
