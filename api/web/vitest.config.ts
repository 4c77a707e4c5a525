/** How the unit tests run: the core without a window, what needs one says so at its top. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["tests/**/*.test.{ts,tsx}"], environment: "node", restoreMocks: true },
});
