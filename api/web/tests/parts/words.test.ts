/** Times, counts and people in words. */
import { describe, expect, test } from "vitest";
import {
  ago,
  count,
  day,
  exact,
  hue,
  initials,
  listed,
  moment,
  person,
  several,
  span,
  until,
} from "../../src/parts/words";

const clock = { now: new Date("2026-11-22T14:10:00Z"), zone: "UTC" };

describe("times", () => {
  test("a day is called as somebody says it", () => {
    expect(day("2026-11-22T00:00:00Z", clock)).toBe("Today");
    expect(day("2026-11-21T23:59:59Z", clock)).toBe("Yesterday");
    expect(day("2026-11-20T12:00:00Z", clock)).toBe("20 Nov");
    expect(day("2025-11-22T12:00:00Z", clock)).toBe("22 Nov 2025");
  });

  test("a day is that of the reader's time zone", () => {
    const berlin = { now: new Date("2026-11-22T23:30:00Z"), zone: "Europe/Berlin" };
    expect(moment("2026-11-22T23:10:00Z", berlin)).toBe("Today 00:10");
    expect(moment("2026-11-22T22:50:00Z", berlin)).toBe("Yesterday 23:50");
  });

  test("a span names its day once", () => {
    expect(span("2026-11-22T13:40:00Z", "2026-11-22T14:03:00Z", clock)).toBe("Today 13:40 – 14:03");
    expect(span("2026-11-21T23:50:00Z", "2026-11-22T00:10:00Z", clock)).toBe("Yesterday 23:50 – Today 00:10");
    expect(span("2026-11-22T14:03:01Z", "2026-11-22T14:03:59Z", clock)).toBe("Today 14:03");
  });

  test.each([
    ["2026-11-22T14:09:50Z", "just now"],
    ["2026-11-22T14:09:00Z", "1 minute ago"],
    ["2026-11-22T14:06:00Z", "4 minutes ago"],
    ["2026-11-22T12:10:00Z", "2 hours ago"],
    ["2026-11-21T18:20:00Z", "yesterday 18:20"],
    ["2026-10-29T18:20:00Z", "24 days ago"],
    ["2026-08-01T18:20:00Z", "1 Aug"],
  ])("%s was %s", (at, said) => {
    expect(ago(at, clock)).toBe(said);
  });

  test("what ends soon is said louder", () => {
    expect(until("2026-12-22T12:00:00Z", clock)).toEqual({ text: "22 Dec", soon: false });
    expect(until("2026-11-28T12:00:00Z", clock)).toEqual({ text: "in 6 days", soon: true });
    expect(until("2026-11-23T12:00:00Z", clock)).toEqual({ text: "tomorrow", soon: true });
    expect(until("2026-11-22T20:00:00Z", clock)).toEqual({ text: "today", soon: true });
    expect(until("2026-11-20T20:00:00Z", clock)).toEqual({ text: "now", soon: true });
  });

  test("the record is exact to the second", () => {
    expect(exact("2026-11-22T14:03:22Z", "UTC")).toBe("22 Nov 2026, 14:03:22");
  });
});

describe("counts and lists", () => {
  test("numbers have their nouns", () => {
    expect([count(1, "save"), count(1_412, "save"), count(2, "person", "people")]).toEqual([
      "1 save",
      "1,412 saves",
      "2 people",
    ]);
  });

  test("parts are enumerated, each once, and never just one other", () => {
    expect(listed(["Fee", "Title", "Pay"])).toBe("Fee, Title and Pay");
    expect(several(["Fee", "Title", "Fee", "Pay"], 2)).toBe("Fee, Title and Pay");
    expect(several(["Fee", "Title", "Pay", "Date"], 2)).toBe("Fee, Title and 2 others");
  });
});

describe("people", () => {
  test.each([
    ["ann", "Ann"],
    ["ben", "You"],
    ["7b2e-0a52", "7b2e-0a52"],
    ["link:3", "Somebody with a link"],
    ["service", "The service"],
    [null, "Somebody"],
  ])("%s is called %s", (by, name) => {
    expect(person(by, "ben")).toBe(name);
  });

  test("letters and a colour stand for somebody, always the same", () => {
    expect([initials("ann"), initials("ann.lee@example.org"), initials("link:3")]).toEqual(["A", "AL", "↗"]);
    expect(hue("ann")).toBe(hue("ann"));
  });
});
