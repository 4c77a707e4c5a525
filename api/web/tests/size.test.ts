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
  const sizes = loaded((built as Rolldown.RolldownOutput).output).map(({ code }) => gzipSync(code, { level: 9 }).length);
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(MOST);
});

/** The first chunk, and all that it loads at once; not what it loads when there is a network. */
function loaded([first, ...others]: Rolldown.RolldownOutput["output"]): Rolldown.OutputChunk[] {
  const chunks = new Set([first]);
  for (const { imports } of chunks) for (const one of others) if (one.type === "chunk" && imports.includes(one.fileName)) chunks.add(one);
  return [...chunks];
}
