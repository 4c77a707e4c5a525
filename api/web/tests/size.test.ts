/** The core stays small: what a page loads to save its drafts, with all that it needs. */
import { gzipSync } from "node:zlib";
import { build, type Rolldown } from "vite";
import { expect, test } from "vitest";

const MOST = 10 * 1024;

test("the core has at most ten kilobytes, minified and zipped", { timeout: 60_000 }, async () => {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    root: new URL("..", import.meta.url).pathname,
    build: {
      write: false,
      target: "es2023",
      modulePreload: false,
      rolldownOptions: { input: "src/core/client.ts", preserveEntrySignatures: "strict" },
    },
  });
  const [chunk] = (built as Rolldown.RolldownOutput).output;
  expect(gzipSync(chunk.code, { level: 9 }).length).toBeLessThanOrEqual(MOST);
});
