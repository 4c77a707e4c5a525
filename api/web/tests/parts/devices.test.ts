/** What browsers and devices are called. */
import { expect, test } from "vitest";
import { browserName, deviceInWords } from "../../src/parts/devices";

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Chrome on Linux",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1",
    "Safari on iPhone",
  ],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"],
  ["curl/8", "Browser on a device"],
])("%s is %s", (agent, name) => {
  expect(browserName(agent)).toBe(name);
});

test("letters that tell devices apart are not read out", () => {
  expect([
    deviceInWords("Chrome on Linux 3f2a9c1d"),
    deviceInWords("MacBook"),
    deviceInWords("7b2e0a52-6c0f-4d3e-9a55-3f8b1c2d4e5f"),
  ]).toEqual(["Chrome on Linux", "MacBook", "device 7b2e"]);
});
