/** The types of the contract are those of openapi.json. */
import { readFile } from "node:fs/promises";
import openapi, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, test } from "vitest";

test("the types are fresh; if not, `python api/web/npm.py run api` makes them", async () => {
  const made = astToString(await openapi(new URL("../openapi.json", import.meta.url)));

  const committed = await readFile(new URL("../src/core/contract.ts", import.meta.url), "utf8");
  expect(committed).toBe(COMMENT_HEADER + made);
});
